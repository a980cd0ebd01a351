package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// connectInBrowser runs "patchbay connect" with those of its arguments that are no name=value pairs, and fills in the form of
// the page with those that are. What the command printed and the page said is the script's to check, as for exec.
func connectInBrowser(ts *testscript.TestScript, neg bool, args []string) {
	form, flags := url.Values{}, []string{"connect"}
	for _, arg := range args {
		if name, value, ok := strings.Cut(arg, "="); ok && !strings.HasPrefix(arg, "-") {
			form.Set(name, value)
			continue
		}
		flags = append(flags, arg)
	}
	var stdout bytes.Buffer
	command := exec.Command("patchbay", flags...)
	command.Env = append(os.Environ(), "PATCHBAY_URL="+ts.Getenv("PATCHBAY_URL"), "PATCHBAY_API_KEY="+ts.Getenv("PATCHBAY_API_KEY"))
	command.Stdout = &stdout
	stderr, err := command.StderrPipe()
	ts.Check(err)
	ts.Check(command.Start())
	said, heard, link := bufio.NewReader(stderr), "", ""
	for link == "" {
		line, err := said.ReadString('\n')
		ts.Check(err)
		heard += line
		link = regexp.MustCompile(`https?://\S+/link/\S+`).FindString(line)
	}
	page := submit(ts, link, form)
	rest, err := io.ReadAll(said)
	ts.Check(err)
	if err := command.Wait(); (err != nil) != neg {
		ts.Fatalf("connect ended with %v: %s", err, rest)
	}
	ts.Check(os.WriteFile(ts.MkAbs("connect.txt"), append([]byte(stdout.String()+heard), rest...), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("page.txt"), []byte(page), 0o600))
}

// submit opens a link, presses its button and follows wherever that leads.
func submit(ts *testscript.TestScript, link string, form url.Values) (page string) {
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	browser := &http.Client{Jar: jar}
	opened, err := browser.Get(link)
	ts.Check(err)
	ts.Check(opened.Body.Close())
	answer, err := browser.PostForm(link, form)
	ts.Check(err)
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	ts.Check(err)
	return answer.Status + "\n" + string(content)
}
