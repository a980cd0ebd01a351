package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"
)

// show prints a value: as JSON for programs, by the given function for people.
func (c *console) show(value any, forPeople func(w io.Writer)) error {
	if !c.json {
		forPeople(c.out)
		return nil
	}
	encoder := json.NewEncoder(c.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// table prints rows in aligned columns under a head.
func table(w io.Writer, head string, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.ReplaceAll(head, " ", "\t"))
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	t.Flush()
}

// fields prints names and values in two columns, leaving out what is empty. Values may go over several lines.
func fields(w io.Writer, pairs ...string) {
	width := 0
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			width = max(width, len(pairs[i]))
		}
	}
	for i := 0; i < len(pairs); i += 2 {
		if value := pairs[i+1]; value != "" {
			indent := strings.Repeat(" ", width+2)
			fmt.Fprintf(w, "%-*s  %s\n", width, pairs[i], strings.ReplaceAll(value, "\n", "\n"+indent))
		}
	}
}

// when writes a moment for people; nothing for the zero time.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04")
}

// oneLine cuts a text to one line of at most the given number of characters.
func oneLine(text string, most int) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return strings.TrimSpace(string([]rune(text)[:most-1])) + "…"
}

// indentJSON makes JSON readable; what is not JSON stays as it is.
func indentJSON(content json.RawMessage) string {
	var value any
	if json.Unmarshal(content, &value) != nil {
		return string(content)
	}
	out, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return string(content)
	}
	return string(out)
}
