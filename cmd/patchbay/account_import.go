package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/patchbay-dev/patchbay"
)

type accountImportCmd struct {
	clientFlags
	File string `arg:"" help:"JSON lines; - reads them from the input."`
	From int    `default:"1" placeholder:"LINE" help:"Begin at this line, to go on where an import was broken off."`
}

// Help says what a line is.
func (accountImportCmd) Help() string {
	return `Each line is one account: {"auth_config_id": "ac_…", "user_id": "…", "alias": "…", "scheme": "OAUTH2", "values": {"access_token": "…", ` +
		`"refresh_token": "…", "expires_at": "…"}}. Alias and scheme can be left out. Credentials are tried with the provider first, and a token that has ` +
		`ended is renewed. What becomes of each line is printed, never a credential; the command fails when a line could not be imported.`
}

// maxImportLine bounds a line. Service account files are the longest credentials that are known.
const maxImportLine = 1 << 20

// importedLine is what became of one line.
type importedLine struct {
	Line    int    `json:"line"`
	Account string `json:"connected_account_id,omitempty"`
	Status  string `json:"status,omitempty"`
	User    string `json:"user_id,omitempty"`
	Error   string `json:"error,omitempty"`
}

// Run imports accounts, one after the other in the order of the file. All lines are tried.
func (s *accountImportCmd) Run(c *console) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	file := io.Reader(os.Stdin)
	if s.File != "-" {
		f, err := os.Open(s.File)
		if err != nil {
			return err
		}
		defer f.Close()
		file = f
	}
	ctx, stop := interruptible()
	defer stop()
	lines, err := s.importAll(ctx, client, file)
	failed := 0
	for _, l := range lines {
		if l.Error != "" {
			failed++
		}
	}
	if err == nil && failed > 0 {
		err = fmt.Errorf("%d of %d accounts were not imported", failed, len(lines))
	}
	return errors.Join(c.show(lines, func(w io.Writer) {
		for _, l := range lines {
			if l.Error != "" {
				fmt.Fprintf(w, "line %d  not imported: %s\n", l.Line, l.Error)
				continue
			}
			fmt.Fprintf(w, "line %d  %s  %s  %s\n", l.Line, l.Account, l.Status, l.User)
		}
	}), err)
}

func (s *accountImportCmd) importAll(ctx context.Context, client *patchbay.Client, file io.Reader) ([]importedLine, error) {
	lines := []importedLine{}
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, maxImportLine)
	for n := 1; scanner.Scan(); n++ {
		text := bytes.TrimSpace(scanner.Bytes())
		if n < s.From || len(text) == 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return lines, fmt.Errorf("broken off; go on with --from %d: %w", n, err)
		}
		lines = append(lines, importLine(ctx, client, n, text))
	}
	return lines, scanner.Err()
}

// importLine quotes nothing of a line that it cannot read: there may be a secret in it.
func importLine(ctx context.Context, client *patchbay.Client, n int, text []byte) importedLine {
	var account patchbay.NewAccount
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&account) != nil {
		return importedLine{Line: n, Error: "the line is not a JSON object with auth_config_id, user_id, alias, scheme and values, all values texts"}
	}
	if account.AuthConfigID == "" || account.UserID == "" || len(account.Values) == 0 {
		return importedLine{Line: n, User: account.UserID, Error: "auth_config_id, user_id and values are required"}
	}
	imported, err := client.ConnectedAccounts.Import(ctx, account)
	if err != nil {
		return importedLine{Line: n, User: account.UserID, Error: err.Error()}
	}
	return importedLine{Line: n, Account: imported.ID, Status: string(imported.Status), User: account.UserID}
}
