package execute

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Validation computes with numbers as exact fractions, for which 1e999999 is a million digits: a few bytes of arguments
// would keep a processor busy for minutes. No tool needs what lies beyond these bounds, nor does a float64 hold it.
const (
	longestNumber   = 400 // characters
	largestExponent = 400 // either way
)

// unwieldy reports the numbers in arguments that are not to be computed with, one line each.
func unwieldy(values map[string]any) []string {
	if !holdsUnwieldy(values) {
		return nil
	}
	lines := findUnwieldy(nil, values, nil)
	slices.Sort(lines)
	return lines
}

func holdsUnwieldy(v any) bool {
	switch v := v.(type) {
	case json.Number:
		return tooLarge(string(v))
	case map[string]any:
		for _, e := range v {
			if holdsUnwieldy(e) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, holdsUnwieldy)
	}
	return false
}

func findUnwieldy(lines []string, v any, at []string) []string {
	if len(lines) == maxProblems {
		return lines
	}
	switch v := v.(type) {
	case json.Number:
		if tooLarge(string(v)) {
			lines = append(lines, place(at)+": got "+show(v)+", want a number of at most "+itoa(longestNumber)+" digits")
		}
	case map[string]any:
		for name, e := range v {
			lines = findUnwieldy(lines, e, append(at, name))
		}
	case []any:
		for i, e := range v {
			lines = findUnwieldy(lines, e, append(at, itoa(i)))
		}
	}
	return lines
}

func tooLarge(number string) bool {
	if len(number) > longestNumber {
		return true
	}
	i := strings.IndexAny(number, "eE")
	if i < 0 {
		return false
	}
	exponent, err := strconv.Atoi(number[i+1:])
	return err != nil || exponent > largestExponent || exponent < -largestExponent
}
