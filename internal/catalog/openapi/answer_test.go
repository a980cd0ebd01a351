package openapi

import (
	"strings"
	"testing"
)

// What is asked for is something that the description says can come.
func TestAcceptIsWhatIsDescribed(t *testing.T) {
	t.Parallel()
	const three = `{"openapi":"3.0.0","info":{"title":"A"},"servers":[{"url":"https://a.example"}],"paths":{"/a":{"get":{"operationId":"a",
		"responses":{"200":{"description":"","content":{"MEDIA":{"schema":{"type":"object"}}}}}}}}}`
	const two = `{"swagger":"2.0","info":{"title":"A"},"host":"a.example","schemes":["https"],"produces":["text/csv"],"paths":{"/a":{"get":{"operationId":"a",
		OWN"responses":{"200":{"description":"","schema":{"type":"object"}}}}}}}`
	for name, c := range map[string]struct{ description, replace, with, want string }{
		"JSON, which is the default": {three, "MEDIA", "application/json", ""},
		"a kind of JSON":             {three, "MEDIA", "application/vnd.a+json", "application/vnd.a+json, application/json;q=0.9"},
		"no JSON":                    {three, "MEDIA", "application/xml", "application/xml"},
		"anything":                   {three, "MEDIA", "*/*", "application/json, */*;q=0.5"},
		"2.0, of the whole API":      {two, "OWN", "", "text/csv"},
		"2.0, of the operation":      {two, "OWN", `"produces":["text/xml","application/json"],`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := importText(t, strings.Replace(c.description, c.replace, c.with, 1), Options{})
			if got := d.Tools[0].HTTP.Accept; got != c.want {
				t.Errorf("Accept: %q; want %q", got, c.want)
			}
		})
	}
}

// OpenAPI has parameters named Content-Type ignored; the servers of those who describe them do not.
func TestAContentTypeThatIsRequiredIsSentWithoutABody(t *testing.T) {
	t.Parallel()
	const description = `{"openapi":"3.0.0","info":{"title":"A"},"servers":[{"url":"https://a.example"}],"paths":{"/a":{"METHOD":{"operationId":"a",BODY
		"parameters":[{"name":"content-type","in":"header","required":REQUIRED,"schema":{"type":"string","example":"application/vnd.a+json"}}],
		"responses":{"200":{"description":""}}}}}}`
	for name, c := range map[string]struct{ method, body, required, want string }{
		"required":               {"get", "", "true", "application/vnd.a+json"},
		"not required":           {"get", "", "false", ""},
		"with a body of its own": {"post", `"requestBody":{"content":{"application/json":{"schema":{"type":"object"}}}},`, "true", ""},
		"a write without a body": {"post", "", "true", "application/vnd.a+json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := importText(t, strings.NewReplacer("METHOD", c.method, "BODY", c.body, "REQUIRED", c.required).Replace(description), Options{})
			if got := d.Tools[0].HTTP.ContentType; got != c.want {
				t.Errorf("Content-Type: %q; want %q", got, c.want)
			}
		})
	}
}
