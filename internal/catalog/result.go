package catalog

import "github.com/patchbay-dev/patchbay/internal/mapping"

// Result says how the upstream's answer becomes data. The zero value hands the body on.
type Result struct {
	Format AnswerFormat
	From   mapping.Path  // the part of the body that matters
	Pick   *mapping.Pick // keeps some members of it, or of each of its elements
	As     string        // member that it is put under; a list always is, so that data is an object
	Also   *mapping.Tree // more members beside As
	Data   *mapping.Tree // in place of all the above: the whole data by expression
	Empty  *mapping.Tree // data for an answer without a body
	Trim   *Trim         // the toolkit's noise; nil for none
}

// AnswerFormat is how the answer's body is read.
type AnswerFormat string

// The formats. The zero value goes by the answer's content type: JSON is decoded, text is a text, anything else is bytes.
const (
	AnswerJSON   AnswerFormat = "json"
	AnswerText   AnswerFormat = "text"
	AnswerBinary AnswerFormat = "binary" // body is []byte, for file(name, mimetype, body)
)

// ListMember is the member under which a list is put when nothing names one.
const ListMember = "details"

// Data makes the data of an answer: shaped, trimmed, and with the next page's cursor where the tool has pages. Env holds the
// answer and all that the request was built from. A mapping.File in it is to be stored and replaced by a link.
func (d *Detail) Data(env *mapping.Env) (map[string]any, error) {
	next, err := d.nextPage(env) // before trimming, which may drop what says it
	if err != nil {
		return nil, err
	}
	data, err := d.Result.apply(env)
	if err != nil {
		return nil, err
	}
	if next == nil {
		return data, nil
	}
	if _, there := data[d.Page.Member]; next != "" && !there {
		out := make(map[string]any, len(data)+1)
		for name, v := range data {
			out[name] = v
		}
		out[d.Page.Member] = next
		data = out
	}
	return data, nil
}

func (d *Detail) nextPage(env *mapping.Env) (any, error) {
	if d.Page == nil || d.Page.Next == nil {
		return nil, nil
	}
	return d.Page.Next.Eval(env)
}

func (r *Result) apply(env *mapping.Env) (map[string]any, error) {
	if r.Data != nil {
		return r.Data.EvalObject(env)
	}
	if env.Body == nil || env.Body == "" {
		return r.empty(env)
	}
	also, err := r.also(env)
	if err != nil {
		return nil, err
	}
	part := r.Trim.Apply(r.From.Get(env.Body))
	if r.Pick != nil {
		part = r.Pick.Apply(part)
	}
	return r.wrap(part, also), nil
}

func (r *Result) also(env *mapping.Env) (map[string]any, error) {
	if r.Also == nil {
		return nil, nil
	}
	return r.Also.EvalObject(env)
}

func (r *Result) empty(env *mapping.Env) (map[string]any, error) {
	if r.Empty != nil {
		return r.Empty.EvalObject(env)
	}
	return map[string]any{"success": true}, nil
}

// wrap makes an object of what an answer holds.
func (r *Result) wrap(part any, also map[string]any) map[string]any {
	object, isObject := part.(map[string]any)
	if isObject && r.As == "" && r.Also == nil {
		return object
	}
	name := r.As
	if name == "" {
		name = ListMember
	}
	data := make(map[string]any, len(also)+1)
	if part != nil {
		data[name] = part
	}
	for member, v := range also {
		data[member] = v
	}
	return data
}
