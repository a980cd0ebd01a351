package session

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// An answer that is too large for a model's context is shortened inside: long lists to their beginning, long texts to
// theirs, and the answer says so and how to get the rest. Nothing is cut without a word.

// defaultOffload is the number of characters above which an answer is shortened.
const defaultOffload = 20_000

// offloadFunc gives what is answered in place of large data.
type offloadFunc = func(ctx context.Context, data json.RawMessage) (json.RawMessage, error)

// preview is the offloadFunc of a session.
func (v *View) preview(_ context.Context, data json.RawMessage) (json.RawMessage, error) {
	return preview(data, cmp.Or(v.Session.Config.Workbench.OffloadThreshold, defaultOffload)), nil
}

type previewed struct {
	Preview json.RawMessage `json:"preview"`
	Total   int             `json:"total_characters"`
	Limit   int             `json:"limit_characters"`
	Note    string          `json:"note"`
}

const previewNote = "The answer has %d characters, more than the %d that this session hands over at once. preview keeps its shape: lists show their first entries and texts their beginning, each with a mark that says how much is missing. To see the rest, call again for less: a narrower filter, fewer fields, a smaller page, or one entry by its id."

// preview gives data as it is, or a shortened form of it.
func preview(data json.RawMessage, limit int) json.RawMessage {
	if len(data) <= limit || utf8.RuneCount(data) <= limit {
		return data
	}
	total := utf8.RuneCount(data)
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return data // not ours to judge: hand it over as it came
	}
	// Halve what lists and texts may keep until the whole is short enough.
	var short json.RawMessage
	for entries, characters := 64, 4096; ; entries, characters = entries/2, characters/2 {
		short = encode(shorten(value, max(entries, 1), max(characters, 16)))
		if len(short) <= limit || entries == 0 && characters < 16 {
			break
		}
	}
	return encode(previewed{Preview: short, Total: total, Limit: limit, Note: fmt.Sprintf(previewNote, total, limit)})
}

func shorten(value any, entries, characters int) any {
	switch v := value.(type) {
	case map[string]any:
		return shortenObject(v, entries, characters)
	case []any:
		out := make([]any, 0, min(len(v), entries+1))
		for _, item := range v[:min(len(v), entries)] {
			out = append(out, shorten(item, entries, characters))
		}
		if rest := len(v) - entries; rest > 0 {
			out = append(out, fmt.Sprintf("… %d more of %d entries", rest, len(v)))
		}
		return out
	case string:
		if utf8.RuneCountInString(v) <= characters {
			return v
		}
		return fmt.Sprintf("%s (%d characters in all)", clip(v, characters), utf8.RuneCountInString(v))
	default:
		return value
	}
}

// shortenObject keeps the members of an object, unless it is a long list in disguise.
func shortenObject(v map[string]any, entries, characters int) map[string]any {
	names := slices.Sorted(maps.Keys(v))
	kept := min(len(names), max(2*entries, 24))
	out := make(map[string]any, kept+1)
	for _, name := range names[:kept] {
		out[name] = shorten(v[name], entries, characters)
	}
	if rest := len(names) - kept; rest > 0 {
		out["…"] = fmt.Sprintf("%d more of %d members", rest, len(names))
	}
	return out
}

// encode is json.Marshal without the escapes that browsers need and models pay for.
func encode(value any) json.RawMessage {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // our own structs, and values that were decoded from JSON
	}
	return bytes.TrimSpace(out.Bytes())
}
