package search

import (
	"slices"
	"testing"
)

func TestNamesWithoutMarksAreTakenApart(t *testing.T) {
	t.Parallel()
	var g gluer
	for name, want := range map[string][]string{
		"listcustomers":    {"list", "customers"},
		"getuserbyid":      {"get", "user", "by", "id"},
		"airqualityreport": {"air", "quality", "report"},
		"repositories":     nil, // a word
		"kubernetes":       nil, // a word of its own kind
		"list":             nil,
		"zzyzxcustomers":   nil, // not all of it is words
		"listcustomersv2":  nil, // nor letters
		"listcustomers" + "listcustomers" + "listcustomers" + "listcustomers": nil, // too long for a name
	} {
		for range 2 { // the second time it is known
			if got := g.apart(name); !slices.Equal(got, want) {
				t.Errorf("apart(%q) = %q, want %q", name, got, want)
			}
		}
	}
}

func TestSearchFindsNamesWithoutMarks(t *testing.T) {
	t.Parallel()
	var docs []Document
	for _, name := range []string{"deletecustomer", "listinvoices", "listcustomers", "createinvoice", "getcalendar", "sendmessage", "createfolder", "deleteproject"} {
		docs = append(docs, Document{ID: "a." + name, Toolkit: "a", Name: name})
	}
	x := Documents(docs)
	if got := slugs(x.Search(Query{Text: "list customers"})); len(got) == 0 || got[0] != "a.listcustomers" {
		t.Errorf("got %v, want a.listcustomers first", got)
	}
}
