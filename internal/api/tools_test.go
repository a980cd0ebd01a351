package api

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestToolObjects(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	tr := newTranscript(s)
	tr.do(t, "GET", "/tools/ACME_MAKE_THING", "").ok(t, 200)
	tr.do(t, "GET", "/tools?toolkit_slug=acme&important=true&toolkit_versions=latest", "").ok(t, 200)
	tr.do(t, "POST", "/tools/scopes/required", `{"tools":["ACME_MAKE_THING","ACME_LIST_THINGS","ACME_DELETE_THING","PLAIN_GET_FACT"]}`).ok(t, 200)
	tr.check(t, "tools")
}

func TestListToolsFilters(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	acme, _ := s.keyAccount(t, "u")
	narrow := s.post(t, "/auth_configs", `{"toolkit":{"slug":"acme"},"auth_config":{"type":"use_custom_auth","authScheme":"API_KEY",
		"tool_access_config":{"tools_available_for_execution":["ACME_LIST_THINGS"]}}}`).ok(t, 201).text(t, "auth_config.id")
	foreign := s.do(t, request{method: "POST", path: "/api/v3.1/auth_configs", key: s.otherKey,
		body: `{"toolkit":{"slug":"acme"},"auth_config":{"type":"use_custom_auth","authScheme":"API_KEY"}}`}).ok(t, 201).text(t, "auth_config.id")

	all := []string{"ACME_MAKE_THING", "ACME_LIST_THINGS", "ACME_DELETE_THING", "ACME_OLD_THING"}
	facts := []string{"PLAIN_GET_FACT", "PLAIN_LIST_FACTS"}
	none := []string{}
	tests := []struct {
		query string
		want  []string
	}{
		{"", slices.Concat(all, facts)},
		{"toolkit_slug=acme", all},
		{"toolkit_slug=ACME", all},
		{"toolkit_slug=acme,plain", slices.Concat(all, facts)},
		{"toolkit_slug=acme&toolkit_slug=plain", slices.Concat(all, facts)},
		{"toolkit_slug=plain,not-there", facts},
		{"toolkit_slug=not-there", none},
		{"tool_slugs=PLAIN_GET_FACT,acme_make_thing,PLAIN_GET_FACT,NOPE", []string{"PLAIN_GET_FACT", "ACME_MAKE_THING"}},
		{"tool_slugs=ACME_CREATE_THING&toolkit_slug=plain&limit=9999", []string{"ACME_MAKE_THING"}}, // an older name; wins over filters
		{"toolkit_slug=acme&important=true", all[:2]},
		{"toolkit_slug=plain&important=true", facts}, // plain marks none as important
		{"important=true", slices.Concat(all[:2], facts)},
		{"important=false", slices.Concat(all, facts)},
		{"important=", slices.Concat(all, facts)},
		{"tags=destructiveHint", []string{"ACME_DELETE_THING"}},
		{"tags=destructiveHint,readOnlyHint", []string{"ACME_LIST_THINGS", "ACME_DELETE_THING", "PLAIN_GET_FACT", "PLAIN_LIST_FACTS"}},
		{"tags=no-such-tag", none},
		{"scopes=things.admin", []string{"ACME_LIST_THINGS", "ACME_DELETE_THING"}},
		{"include_deprecated=false", slices.Concat(all[:3], facts)},
		{"auth_config_ids=" + acme, all},
		{"auth_config_ids=" + narrow, []string{"ACME_LIST_THINGS"}},
		{"auth_config_ids=" + narrow + "%2C" + acme, all},
		{"auth_config_ids=" + acme + "&toolkit_slug=plain", none},
		{"auth_config_ids=" + foreign, none},
		{"auth_config_ids=ac_nothing", none},
		{"query=make+a+thing&toolkit_slug=acme&limit=1", []string{"ACME_MAKE_THING"}},
		{"search=delete+a+thing&limit=1", []string{"ACME_DELETE_THING"}},
		{"query=make+a+thing&toolkit_slug=plain", none},
		{"toolkit_versions[acme]=20251201_00&toolkit_slug=acme", all},
		{"limit=-5&toolkit_slug=plain", facts},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) {
			t.Parallel()
			got := s.get(t, "/tools?"+test.query).ok(t, 200).slugs(t)
			if test.query == "query=make+a+thing&toolkit_slug=plain" {
				if slices.ContainsFunc(got, func(slug string) bool { return !strings.HasPrefix(slug, "PLAIN_") }) {
					t.Errorf("a search left its toolkit: %v", got)
				}
				return
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestListToolsPages(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	var got []string
	cursor := ""
	for range 10 {
		a := s.get(t, "/tools?limit=4&cursor="+url.QueryEscape(cursor)).ok(t, 200)
		got = append(got, a.slugs(t)...)
		if a.at(t, "next_cursor") == nil {
			break
		}
		cursor = a.text(t, "next_cursor")
	}
	if want := s.get(t, "/tools?limit=9999").ok(t, 200).slugs(t); !slices.Equal(got, want) {
		t.Errorf("page by page %v, at once %v", got, want)
	}
}

func TestGetToolKnowsEverySlugThatIsAround(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	session := s.session(t, `{"user_id":"u","manage_connections":{"enable_wait_for_connections":true},"preload":{"tools":["ACME_MAKE_THING"]}}`)
	listed := s.get(t, "/tool_router/session/"+session+"/tools?limit=500").ok(t, 200)
	for i, slug := range listed.slugs(t) {
		one := s.get(t, "/tools/"+strings.ToLower(slug)+"?toolkit_versions=latest").ok(t, 200)
		var alone any
		must(t, json.Unmarshal(one.body, &alone))
		if diff := cmp.Diff(listed.at(t, "items."+strconv.Itoa(i)), alone); diff != "" {
			t.Errorf("%s is written in two ways (-list +alone)\n%s", slug, diff)
		}
	}
	renamed := s.get(t, "/tools/ACME_CREATE_THING").ok(t, 200)
	if got := renamed.text(t, "slug"); got != "ACME_MAKE_THING" {
		t.Errorf("an older name gave %s", got)
	}
	for _, version := range []string{"20260102_00", "20251201_00", "latest", ""} {
		a := s.get(t, "/tools/ACME_MAKE_THING?version="+version).ok(t, 200)
		if got := a.text(t, "version"); got != "20260102_00" {
			t.Errorf("version=%s gave %s", version, got)
		}
	}
}

func TestListToolSlugs(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	var slugs []string
	must(t, json.Unmarshal(s.get(t, "/tools/enum").ok(t, 200).body, &slugs))
	if want := s.get(t, "/tools?limit=1000").ok(t, 200).slugs(t); !slices.Equal(slugs, want) {
		t.Errorf("enum %v, list %v", slugs, want)
	}
}

func TestSessionToolsPagesAndIsTheSameForEveryUserWithTheSameRules(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	config := `"preload":{"tools":"all"},"toolkits":["acme"],"search":{"enable":false},"execute":{"enable_multi_execute":false},"manage_connections":false`
	one := s.session(t, `{"user_id":"one",`+config+`}`)
	two := s.session(t, `{"user_id":"two",`+config+`}`)
	first := s.get(t, "/tool_router/session/"+one+"/tools?limit=500").ok(t, 200)
	if diff := cmp.Diff([]string{"ACME_MAKE_THING", "ACME_LIST_THINGS", "ACME_DELETE_THING", "ACME_OLD_THING"}, first.slugs(t)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if first.at(t, "next_cursor") != nil {
		t.Error("a cursor at the end of the list would make SDKs go round for ever")
	}
	second := s.get(t, "/tool_router/session/"+two+"/tools?limit=500").ok(t, 200)
	if string(first.body) != string(second.body) {
		t.Error("two sessions with the same rules list different tools")
	}
	elsewhere := s.do(t, request{method: "GET", path: "/api/v3.1/tool_router/session/" + one + "/tools"}).ok(t, 200)
	if !strings.Contains(string(elsewhere.body), `"logo":"http://patchbay.test/logos/acme.svg"`) {
		t.Errorf("no logo of ours in %s", elsewhere.body)
	}
	var paged []string
	cursor := ""
	for range 10 {
		a := s.get(t, "/tool_router/session/"+one+"/tools?limit=3&cursor="+cursor).ok(t, 200)
		paged = append(paged, a.slugs(t)...)
		if a.at(t, "next_cursor") == nil {
			break
		}
		cursor = a.text(t, "next_cursor")
	}
	if !slices.Equal(paged, first.slugs(t)) {
		t.Errorf("page by page %v", paged)
	}
}

func TestAnEmptySessionListsNothing(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	id := s.session(t, `{"user_id":"u","search":{"enable":false},"execute":{"enable_multi_execute":false},"manage_connections":{"enable":false}}`)
	a := s.get(t, "/tool_router/session/"+id+"/tools?limit=500").ok(t, 200)
	if string(a.body) != `{"items":[],"next_cursor":null,"total_pages":1,"current_page":1,"total_items":0}` {
		t.Errorf("got %s", a.body)
	}
}
