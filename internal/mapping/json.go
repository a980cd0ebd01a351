package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// DecodeJSON decodes one JSON value for expressions: integers become int, other numbers float64, and an integer too large
// for either stays exact as a text (ids must not lose digits).
func DecodeJSON(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("decode JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("decode JSON: more than one value")
	}
	return PlainNumbers(v), nil
}

// PlainNumbers turns the json.Number values in v into int and float64, in place.
func PlainNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		return plainNumber(v)
	case map[string]any:
		for name, e := range v {
			switch e.(type) {
			case json.Number, map[string]any, []any:
				v[name] = PlainNumbers(e)
			}
		}
	case []any:
		for i, e := range v {
			v[i] = PlainNumbers(e)
		}
	}
	return v
}

func plainNumber(n json.Number) any {
	if i, err := strconv.Atoi(string(n)); err == nil {
		return i
	}
	integer := true
	for _, c := range n {
		if c == '.' || c == 'e' || c == 'E' {
			integer = false
		}
	}
	if integer {
		return string(n)
	}
	f, err := n.Float64()
	if err != nil {
		return string(n)
	}
	return f
}

// EncodeJSON is json.Marshal without the escaping of <, > and &, which only HTML needs.
func EncodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode JSON: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
