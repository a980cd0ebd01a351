package api

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestToolkitObjects(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	tr := newTranscript(s)
	tr.do(t, "GET", "/toolkits", "").ok(t, 200)
	tr.do(t, "GET", "/toolkits/acme?version=latest", "").ok(t, 200)
	tr.do(t, "GET", "/toolkits/PLAIN", "").ok(t, 200)
	tr.do(t, "GET", "/toolkits/categories", "").ok(t, 200)
	tr.do(t, "GET", "/toolkits/changelog", "").ok(t, 200)
	tr.check(t, "toolkits")
}

func TestListToolkitsFilters(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	both, none := []string{"acme", "plain"}, []string{}
	tests := []struct {
		query string
		want  []string
	}{
		{"sort_by=usage", both},
		{"sort_by=alphabetically", both},
		{"category=crm", []string{"acme"}},
		{"category=CRM", []string{"acme"}},
		{"category=nothing", none},
		{"managed_by=composio", both},
		{"managed_by=all", both},
		{"managed_by=project", none},
		{"type=native", both},
		{"type=custom", none},
		{"search=acme", []string{"acme"}},
		{"limit=1", []string{"acme"}},
		{"include_deprecated=true&limit=", both},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, s.get(t, "/toolkits?"+test.query).ok(t, 200).slugs(t)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	multi := s.post(t, "/toolkits/multi", `{"toolkits":["PLAIN","nope","acme","plain"],"limit":1}`).ok(t, 200)
	if diff := cmp.Diff([]string{"plain"}, multi.slugs(t)); diff != "" {
		t.Errorf("multi (-want +got)\n%s", diff)
	}
	next := s.post(t, "/toolkits/multi", `{"toolkits":["PLAIN","nope","acme","plain"],"limit":1,"cursor":"`+multi.text(t, "next_cursor")+`"}`).ok(t, 200)
	if diff := cmp.Diff([]string{"acme"}, next.slugs(t)); diff != "" {
		t.Errorf("multi, second page (-want +got)\n%s", diff)
	}
}
