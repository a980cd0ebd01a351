package catalog

import (
	"fmt"
	"slices"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

func (r *HTTPRequest) addBody(b *Built, env *mapping.Env) error {
	if r.Body == nil && len(r.BodyArgs) == 0 && r.BodyArg == "" {
		return nil
	}
	data, contentType, err := r.encodedBody(env)
	if err != nil {
		return err
	}
	b.Body = data
	if _, own := b.Header["Content-Type"]; !own && data != nil {
		b.Header["Content-Type"] = contentType
	}
	return nil
}

func (r *HTTPRequest) encodedBody(env *mapping.Env) (data []byte, contentType string, err error) {
	if r.Encoding == EncodeForm && slices.ContainsFunc(r.BodyArgs, func(a Argument) bool { return a.Lists != "" }) {
		var p params
		for _, a := range r.BodyArgs {
			if v, ok := a.value(env, r.Rename); ok {
				p.add(a.As, v, a.Lists, a.Deep)
			}
		}
		return []byte(p.String()), formType, nil
	}
	body, err := r.body(env)
	if err != nil {
		return nil, "", err
	}
	return encodeBody(body, r.Encoding, r.Lists)
}

func (r *HTTPRequest) body(env *mapping.Env) (any, error) {
	if r.BodyArg != "" {
		return renameMembers(env.Input[r.BodyArg], r.Rename), nil
	}
	var body any
	if r.Body != nil {
		var err error
		if body, err = r.Body.Eval(env); err != nil {
			return nil, err
		}
	}
	if len(r.BodyArgs) == 0 {
		return body, nil
	}
	object := make(map[string]any, len(r.BodyArgs))
	if own, ok := body.(map[string]any); ok {
		for name, v := range own {
			object[name] = v
		}
	} else if body != nil {
		return nil, fmt.Errorf("a body that is not an object leaves no room for arguments")
	}
	for _, a := range r.BodyArgs {
		if v, ok := a.value(env, r.Rename); ok {
			object[a.As] = v
		}
	}
	return object, nil
}
