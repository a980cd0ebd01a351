package registry

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

// inputs collects the fields that people fill in.
type inputs struct {
	fields []catalog.Field
	notes  []string
}

// place is where a variable stands in a text.
var place = regexp.MustCompile(`\{([A-Za-z_][A-Za-z0-9_.-]{0,60})\}`)

// secretName is what things are called that are secret whether or not their publisher says so.
var secretName = regexp.MustCompile(`(?i)key|token|secret|passw|credential|authorization|cookie|(^|[-_])auth`)

// text gives the text of a header or a variable with {field} where people fill something in. Empty without an error: it is not
// sent, since it is optional and what it is made of may be missing.
func (in *inputs) text(kv KeyValue) (string, error) {
	if kv.Value == "" {
		f := fieldOf(kv.Name, kv.Input)
		f.Secret = f.Secret || secretName.MatchString(kv.Name)
		if f.Required || f.Default != "" || f.Secret {
			return "{" + in.add(f) + "}", nil
		}
		in.note("%s is optional and not asked for", clip(kv.Name))
		return "", nil
	}
	rest := place.ReplaceAllString(kv.Value, "")
	if strings.ContainsAny(rest, "{}$") {
		return "", fmt.Errorf("%s: %q can be written in no template", clip(kv.Name), clip(kv.Value))
	}
	if rest != "" && rest != kv.Value && !kv.Required && !anyRequired(kv) {
		in.note("%s is optional and not asked for", clip(kv.Name))
		return "", nil
	}
	return in.fill(kv.Value, kv.Variables, func(name string) Input { // of whom nothing is said is like the whole
		return Input{Description: kv.Description, Required: kv.Required, Secret: kv.Secret || secretName.MatchString(kv.Name) || secretName.MatchString(name)}
	}), nil
}

// anyRequired reports whether some variable of a text has to be filled in.
func anyRequired(kv KeyValue) bool {
	for _, v := range kv.Variables {
		if v.Required {
			return true
		}
	}
	return false
}

// fill puts fixed values of variables in their places, and fields in the others.
func (in *inputs) fill(text string, variables map[string]Input, unsaid func(name string) Input) string {
	return place.ReplaceAllStringFunc(text, func(found string) string {
		name := found[1 : len(found)-1]
		v, said := variables[name]
		if !said {
			v = unsaid(name)
		}
		if v.Value != "" {
			return v.Value
		}
		f := fieldOf(name, v)
		f.Secret = f.Secret || secretName.MatchString(name)
		f.Required = f.Required || text != found && f.Default == "" // beside other text, nothing makes no sense
		return "{" + in.add(f) + "}"
	})
}

// add takes a field in, once, and gives its name.
func (in *inputs) add(f catalog.Field) string {
	i := slices.IndexFunc(in.fields, func(have catalog.Field) bool { return have.Name == f.Name })
	if i < 0 {
		in.fields = append(in.fields, f)
		return f.Name
	}
	in.fields[i].Secret = in.fields[i].Secret || f.Secret
	in.fields[i].Required = in.fields[i].Required || f.Required
	return f.Name
}

func (in *inputs) note(format string, args ...any) {
	if s := fmt.Sprintf(format, args...); !slices.Contains(in.notes, s) {
		in.notes = append(in.notes, s)
	}
}

// fieldOf makes the field of an input.
func fieldOf(name string, in Input) catalog.Field {
	f := catalog.Field{
		Name: strings.ToLower(wording.ArgumentKey(name)), Title: clip(name), Type: "string", Default: in.Default, Required: in.Required, Secret: in.Secret,
		Description: wording.Shorten(wording.Clean(in.Description), 500),
	}
	if in.Format == "number" || in.Format == "boolean" {
		f.Type = in.Format
	}
	if len(in.Choices) > 0 && len(in.Choices) <= 50 {
		f.Description = strings.TrimSpace(f.Description + " One of: " + strings.Join(in.Choices, ", ") + ".")
	}
	if in.Placeholder != "" && f.Description == "" {
		f.Description = "For example " + clip(in.Placeholder)
	}
	f.Required = f.Required && f.Default == ""
	return f
}

// Label is what the server is called for people.
func (s *Server) Label() string {
	_, own, _ := strings.Cut(s.Name, "/")
	said := strings.ReplaceAll(telling(strings.ToLower(own)), "_", " ")
	return cmp.Or(wording.Clip(wording.Clean(s.Title), 100), wording.Capitalised(said), s.Name)
}
