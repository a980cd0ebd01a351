package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/patchbay-dev/patchbay"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

type listenCmd struct {
	clientFlags
	Forward  string   `placeholder:"URL" help:"Post each event to this URL, signed like a webhook, instead of printing it."`
	Secret   string   `placeholder:"whsec_…" help:"What to sign with. Default: a new one, which is printed."`
	From     string   `placeholder:"CURSOR" help:"Begin behind this cursor; 0 is with the oldest event that is kept. Default: what happens from now on."`
	Count    int      `placeholder:"N" help:"End after so many events."`
	Types    []string `placeholder:"TYPE" help:"Only events of these types, for example composio.trigger.message."`
	Toolkits []string `placeholder:"APP" help:"Only of these apps."`
	Triggers []string `placeholder:"SLUG" help:"Only of these trigger types, for example GITHUB_ISSUE_ADDED_EVENT."`
	User     []string `placeholder:"ID" help:"Only of these users."`
}

// errEnough ends the listening.
var errEnough = errors.New("enough")

// listenPause is how long to wait before asking a server again that could not be reached.
const listenPause = 2 * time.Second

// Run follows the log of events until it is interrupted. A server that goes away is waited for, and nothing is missed meanwhile.
func (s *listenCmd) Run(c *console) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	handle, err := s.handler(ctx, c)
	if err != nil {
		return err
	}
	filter := patchbay.EventFilter{Types: s.Types, Toolkits: s.Toolkits, TriggerSlugs: s.Triggers, UserIDs: s.User, Cursor: s.From}
	for began := false; ; {
		filter.Cursor, err = client.Events.Follow(ctx, filter, handle)
		var refused *patchbay.Error
		switch {
		case errors.Is(err, errEnough):
			return nil
		case ctx.Err() != nil:
			fmt.Fprintf(c.err, "To go on from here: patchbay listen --from %s\n", filter.Cursor)
			return nil
		case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError, !began && filter.Cursor == s.From:
			return err
		}
		began = true
		fmt.Fprintf(c.err, "lost the server (%v); trying again\n", err)
		select {
		case <-ctx.Done():
		case <-time.After(listenPause):
		}
	}
}

// handler gives what is done with each event.
func (s *listenCmd) handler(ctx context.Context, c *console) (func(patchbay.Event) error, error) {
	seen := 0
	do := func(e patchbay.Event) error { return printEvent(c, e) }
	if s.Forward != "" {
		signing := s.signing(c)
		client := &http.Client{Timeout: 30 * time.Second} // the developer's own address, from the developer's own machine
		do = func(e patchbay.Event) error { return s.forward(ctx, c, client, signing, e) }
	}
	return func(e patchbay.Event) error {
		if err := do(e); err != nil {
			return err
		}
		if seen++; seen == s.Count {
			return errEnough
		}
		return nil
	}, nil
}

// printEvent shows an event: a line of JSON for programs, a line and its data for people.
func printEvent(c *console, e patchbay.Event) error {
	if c.json {
		_, err := fmt.Fprintf(c.out, "%s\n", e.Raw)
		return err
	}
	what := e.Metadata.TriggerSlug
	if what == "" {
		what = e.Type
	}
	_, err := fmt.Fprintf(c.out, "%s  %s  %s  %s\n%s\n", e.Time.Local().Format(time.TimeOnly), what, e.Metadata.UserID, e.ID, indentJSON(e.Data))
	return err
}

// signing gives what to sign with, and tells it when it is new.
func (s *listenCmd) signing(c *console) secret.Value {
	if s.Secret != "" {
		return secret.Hide(s.Secret)
	}
	var key [32]byte
	rand.Read(key[:])
	text := "whsec_" + base64.StdEncoding.EncodeToString(key[:])
	fmt.Fprintf(c.err, "Events are signed with %s\n", text)
	return secret.Hide(text)
}

// forward posts an event as a webhook would get it. What becomes of it is printed; nothing is tried again.
func (s *listenCmd) forward(ctx context.Context, c *console, client *http.Client, signing secret.Value, e patchbay.Event) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Forward, bytes.NewReader(e.Raw))
	if err != nil {
		return wrongUsage(fmt.Sprintf("--forward %s is not a URL", s.Forward), "give a whole one, such as http://127.0.0.1:3000/webhook")
	}
	now := time.Now()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("webhook-id", e.ID)
	r.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	r.Header.Set("webhook-signature", event.Sign([]secret.Value{signing}, e.ID, now, e.Raw))
	r.Header.Set("x-composio-webhook-version", "V3")
	outcome := struct {
		ID      string `json:"id"`
		Type    string `json:"type"`
		Trigger string `json:"trigger_slug,omitempty"`
		Answer  string `json:"answer"`
	}{e.ID, e.Type, e.Metadata.TriggerSlug, ""}
	response, err := client.Do(r)
	if err != nil {
		outcome.Answer = err.Error()
	} else {
		outcome.Answer = response.Status
		io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) //nolint:errcheck // what it says does not matter
		response.Body.Close()
	}
	if c.json {
		return json.NewEncoder(c.out).Encode(outcome)
	}
	_, err = fmt.Fprintf(c.out, "%s  %s %s  %s\n", now.Format(time.TimeOnly), outcome.ID, outcome.Type, outcome.Answer)
	return err
}
