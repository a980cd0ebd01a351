package openapi

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

func TestToolSlugs(t *testing.T) {
	t.Parallel()
	cases := []struct{ id, method, path, want string }{
		{"issues/list-for-repo", "GET", "/repos/{o}/issues", "ACME_ISSUES_LIST_FOR_REPO"},
		{"acme.users.messages.list", "GET", "/x", "ACME_USERS_MESSAGES_LIST"},
		{"getUserByID", "GET", "/x", "ACME_GET_USER_BY_ID"},
		{"listIDs", "GET", "/x", "ACME_LIST_IDS"},
		{"findPetsUsingGET_1", "GET", "/pets", "ACME_FIND_PETS"},
		{"get_1", "GET", "/v1/pets/{petId}/toys", "ACME_GET_PETS_TOYS"},
		{"operation12", "POST", "/api/v2/pets", "ACME_CREATE_PETS"},
		{"", "PATCH", "/pets/{pet_id}", "ACME_UPDATE_PETS_BY_PET_ID"},
		{"", "GET", "/", "ACME_GET_ROOT"},
		{"5f0c6a1b9d3e", "DELETE", "/pets/{id}", "ACME_DELETE_PETS_BY_ID"},
		{"v2GetPet", "GET", "/pets/{id}", "ACME_GET_PET"},
	}
	for _, c := range cases {
		n := newNamer("acme")
		if got := n.slug(&operation{id: c.id, method: c.method, path: c.path}); got != c.want {
			t.Errorf("%s %s %q = %s, want %s", c.method, c.path, c.id, got, c.want)
		}
	}
}

func TestToolSlugsStayApartAndShort(t *testing.T) {
	t.Parallel()
	n := newNamer("acme")
	seen := map[string]bool{}
	for i := range 200 {
		op := &operation{id: "anOperation" + strings.Repeat("WithAVeryLongName", 6), method: "GET", path: fmt.Sprintf("/x/%d", i%100)}
		slug := n.slug(op)
		if seen[slug] || len(slug) > wording.MaxToolSlug {
			t.Errorf("%s: taken %v, %d characters", slug, seen[slug], len(slug))
		}
		seen[slug] = true
	}
}

func TestArgumentsWithOneNameInTwoPlaces(t *testing.T) {
	t.Parallel()
	d, _ := importText(t, head+`"paths":{"/x/{id}":{"put":{"operationId":"putX","parameters":[{"name":"id","in":"path"},{"name":"id","in":"query"},{"name":"ID","in":"header"}],
		"requestBody":{"content":{"application/json":{"schema":{"properties":{"id":{"type":"integer"},"_id":{"type":"string"}}}}}}}}}}`, Options{})
	var got []string
	for _, p := range d.Tools[0].HTTP.Parameters {
		got = append(got, p.In+" "+p.Argument+" "+p.As)
	}
	want := []string{"path id ", "query query_id id", "header header_id ID", "body body_id id", "body body__body_id _id"}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("arguments %q, want %q", got, want)
	}
}

func TestKnownOperationsKeepTheirSlugs(t *testing.T) {
	t.Parallel()
	at := func(path, id string) string {
		return head + `"paths":{"/other":{"get":{"operationId":"other"}},"` + path + `":{"get":{"operationId":"` + id + `"}}}}`
	}
	first, _ := importText(t, at("/a", "readA"), Options{})
	cases := map[string]struct {
		text, slug string // of the toolkit
		want, was  string
	}{
		"another id":      {at("/a", "fetchA"), "", "HOSTILE_READ_A", ""},
		"another path":    {at("/b", "readA"), "", "HOSTILE_READ_A", ""},
		"another toolkit": {at("/a", "readA"), "mild", "MILD_READ_A", "HOSTILE_READ_A"},
		"something new":   {at("/b", "fetchB"), "", "HOSTILE_FETCH_B", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := importText(t, c.text, Options{Known: first, Slug: c.slug})
			tool := d.Tools[1]
			if tool.Slug != c.want || strings.Join(tool.Aliases, " ") != c.was {
				t.Errorf("%s, once %q; want %s, once %q", tool.Slug, tool.Aliases, c.want, c.was)
			}
		})
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	cases := map[string][]string{
		"tag:books":                   {"SHELF_CREATE_BOOKS", "SHELF_GET_BOOKS"},
		"method:delete":               {"SHELF_BOOKS_DELETE"},
		"path:/books/**,!method:post": {"SHELF_BOOKS_DELETE", "SHELF_GET_BOOKS", "SHELF_GET_BOOK_V2", "SHELF_REPLACE_BOOK"},
		"path:/books/*,method:get":    {"SHELF_GET_BOOK_V2"},
	}
	for words, want := range cases {
		f, err := ParseFilter(strings.Split(words, ","))
		if err != nil {
			t.Fatal(err)
		}
		d, r := importFile(t, "shelf.yaml", Options{Filter: f})
		got := slugs(d)
		if !slices.Equal(got, want) || r.Filtered == 0 {
			t.Errorf("%s: %q, want %q", words, got, want)
		}
	}
	for _, bad := range []string{"books", "tag:", "path:books", "verb:get"} {
		if _, err := ParseFilter([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func slugs(d *catalog.Definition) []string {
	var out []string
	for _, t := range d.Tools {
		out = append(out, t.Slug)
	}
	slices.Sort(out)
	return out
}

// Operations that are told apart by what stands behind a # in their paths are known again, each by its own name.
func TestOperationsWithOnePathKeepTheirSlugs(t *testing.T) {
	t.Parallel()
	text := head + `"paths":{` + numbered(3, `"/#X-Target=A.%[1]d":{"post":{"operationId":"do%[1]d"}},"/x/#t=%[1]d":{"post":{}},`) + `"/y":{}}}`
	first, _ := importText(t, text, Options{Slug: "h"})
	again, _ := importText(t, text, Options{Slug: "h", Known: first})
	if want, got := slugs(first), slugs(again); len(slices.Compact(want)) != 6 || !slices.Equal(got, want) {
		t.Errorf("%q, before %q", got, want)
	}
	moved, _ := importText(t, strings.Replace(text, "do1", "did1", 1), Options{Slug: "h", Known: first})
	if got := slugs(moved); !slices.Contains(got, "H_DID1") || len(slices.Compact(got)) != 6 {
		t.Errorf("one has another name: %q", got)
	}
}
