package catalog

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
)

func headers(t *Toolkit, own *mapping.Tree, env *mapping.Env) (map[string]string, error) {
	out := make(map[string]string, len(t.Headers)+2)
	out["Accept"] = "application/json"
	for name, text := range t.Headers {
		v, err := text.Expand(env)
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
	if own == nil {
		return out, nil
	}
	object, err := own.EvalObject(env)
	if err != nil {
		return nil, err
	}
	for name, v := range object {
		s := mapping.AsText(v)
		if err := headerValue(name, s); err != nil {
			return nil, err
		}
		out[name] = s
	}
	return out, nil
}

func headerValue(name, value string) error {
	if strings.ContainsAny(value, "\r\n\x00") {
		return fault.New(fault.Invalid, fault.SlugInvalidArguments, "What goes into the header %s must not contain line breaks.", name)
	}
	return nil
}

// addHeaders adds the arguments that are headers and cookies.
func (r *HTTPRequest) addHeaders(to map[string]string, env *mapping.Env) error {
	for _, a := range r.HeaderArgs {
		v, ok := a.value(env, r.Rename)
		if !ok {
			continue
		}
		s := flatText(v)
		if err := headerValue(a.As, s); err != nil {
			return err
		}
		to[http.CanonicalHeaderKey(a.As)] = s
	}
	var cookies []string
	for _, a := range r.CookieArgs {
		if v, ok := a.value(env, r.Rename); ok {
			cookies = append(cookies, a.As+"="+url.QueryEscape(flatText(v)))
		}
	}
	if cookies != nil {
		to["Cookie"] = strings.Join(cookies, "; ")
	}
	return nil
}
