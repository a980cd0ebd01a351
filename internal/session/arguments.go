package session

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// arguments are what a model sent to a meta tool. Models send a text where a list is asked for, JSON as a text, one object
// instead of a list of one, and now and then another name; all of that is understood here, once, and nowhere else.
type arguments map[string]any

// value gives the first of the named arguments that is there.
func (a arguments) value(names ...string) any {
	for _, name := range names {
		if v, ok := a[name]; ok && v != nil {
			return unwrap(v)
		}
	}
	return nil
}

func (a arguments) text(names ...string) string {
	switch v := a.value(names...).(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return ""
	}
}

// texts gives a list of texts: a list, one text, several in one text with commas, or objects that have one of the keys.
func (a arguments) texts(key []string, names ...string) []string {
	var out []string
	add := func(text string) {
		if text = strings.TrimSpace(text); text != "" {
			out = append(out, text)
		}
	}
	for _, v := range many(a.value(names...)) {
		switch v := v.(type) {
		case string:
			for part := range strings.SplitSeq(v, ",") {
				add(part)
			}
		case map[string]any:
			add(arguments(v).text(key...))
		}
	}
	return out
}

// objects gives a list of objects. A plain text becomes an object that has it under key.
func (a arguments) objects(key string, names ...string) []arguments {
	var out []arguments
	for _, v := range many(a.value(names...)) {
		switch v := v.(type) {
		case map[string]any:
			out = append(out, v)
		case string:
			if v = strings.TrimSpace(v); v != "" {
				out = append(out, arguments{key: v})
			}
		}
	}
	return out
}

// object gives one object; empty when there is none.
func (a arguments) object(names ...string) arguments {
	object, _ := a.value(names...).(map[string]any)
	return object
}

func (a arguments) truth(names ...string) bool {
	switch v := a.value(names...).(type) {
	case bool:
		return v
	case string:
		truth, _ := strconv.ParseBool(strings.TrimSpace(v))
		return truth
	default:
		return false
	}
}

// number gives a number, or otherwise.
func (a arguments) number(otherwise float64, names ...string) float64 {
	if n, err := strconv.ParseFloat(a.text(names...), 64); err == nil {
		return n
	}
	return otherwise
}

// many makes a list of whatever came: nothing, one thing, or a list.
func many(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = unwrap(item)
		}
		return out
	default:
		return []any{v}
	}
}

// unwrap decodes a text that is a JSON object or list; everything else stays what it is.
func unwrap(v any) any {
	text, ok := v.(string)
	if !ok {
		return v
	}
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return v
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	var decoded any
	if err := decoder.Decode(&decoded); err != nil || decoder.More() {
		return v
	}
	return decoded
}
