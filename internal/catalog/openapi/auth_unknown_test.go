package openapi

import (
	"strings"
	"testing"
)

// That nobody says how to connect is not the same as that nobody has to.
func TestNoAccountIsNeededOnlyWhereThatIsSaid(t *testing.T) {
	t.Parallel()
	const description = `{"openapi":"3.0.0","info":{"title":"A"},"servers":[{"url":"https://a.example"}],SAID
		"paths":{"/a":{"get":{"operationId":"a","responses":{"200":{"description":""}MORE}}}}}`
	for name, c := range map[string]struct {
		said, more string
		options    Options
		unknown    bool
		note       string
	}{
		"nothing is said":             {unknown: true, note: "may want one all the same"},
		"an operation can answer 401": {more: `,"401":{"description":"who?"}`, unknown: true, note: "1 operations can answer 401"},
		"nothing is needed":           {said: `"security":[],`},
		"the caller says it":          {options: Options{Auth: true}},
		"a scheme is there":           {said: `"components":{"securitySchemes":{"k":{"type":"http","scheme":"bearer"}}},"security":[{"k":[]}],`},
		"a scheme that nobody has":    {said: `"components":{"securitySchemes":{"k":{"type":"mutualTLS"}}},"security":[{"k":[]}],`, unknown: true, note: "mutualTLS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, report := importText(t, strings.NewReplacer("SAID", c.said, "MORE", c.more).Replace(description), c.options)
			notes := strings.Join(report.Notes, "\n")
			if report.AuthUnknown != c.unknown || !strings.Contains(notes, c.note) || !c.unknown && strings.Contains(notes, "without a credential") {
				t.Errorf("unknown: %v; notes: %s", report.AuthUnknown, notes)
			}
		})
	}
}

func TestSignedRequestsAreNotPromised(t *testing.T) {
	t.Parallel()
	_, report := importText(t, `{"openapi":"3.0.0","info":{"title":"A"},"servers":[{"url":"https://a.example"}],"security":[{"hmac":[]}],
		"components":{"securitySchemes":{"hmac":{"type":"apiKey","name":"Authorization","in":"header","x-amazon-apigateway-authtype":"awsSigv4"}}},
		"paths":{"/a":{"get":{"operationId":"a","responses":{"200":{"description":""}}}}}}`, Options{})
	if notes := strings.Join(report.Notes, "\n"); !strings.Contains(notes, "has to be signed") {
		t.Errorf("notes: %s", notes)
	}
}
