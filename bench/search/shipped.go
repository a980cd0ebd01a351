package main

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/search"
	"github.com/patchbay-dev/patchbay/toolkits"
)

// shippedRequests are requests to the server's own toolkits, "request | TOOL TOOL" a line.
//
//go:embed shipped.txt
var shippedRequests string

// enough is how many tools an agent reads.
const enough = 5

// shipped ranks the server's own toolkits, and prints how often the right tool is first or among the first, how often nothing is
// answered where nothing fits, and which requests fail.
func shipped(w io.Writer) error {
	index, err := shippedIndex()
	if err != nil {
		return err
	}
	var served, first, among, none, refused int
	for line := range strings.Lines(shippedRequests) {
		request, tools, ok := strings.Cut(strings.TrimSpace(line), " |")
		if !ok {
			continue
		}
		var found []string
		for _, h := range index.Search(search.Query{Text: request, Limit: enough}) {
			found = append(found, h.Tool.Slug)
		}
		wanted := strings.Fields(tools)
		at := slices.IndexFunc(found, func(slug string) bool { return slices.Contains(wanted, slug) })
		switch {
		case len(wanted) == 0 && len(found) == 0:
			none, refused = none+1, refused+1
		case len(wanted) == 0:
			none++
			fmt.Fprintf(w, "nothing serves  %-44q  found %s\n", request, found[0])
		case at == 0:
			served, first, among = served+1, first+1, among+1
		default:
			served++
			if at > 0 {
				among++
			}
			fmt.Fprintf(w, "place %-8s  %-44q  found %s\n", place(at), request, strings.Join(found[:min(1, len(found))], ""))
		}
	}
	_, err = fmt.Fprintf(w, "%d requests: the right tool first %.3f, among %d %.3f; %d that nothing serves: refused %.3f\n",
		served, float64(first)/float64(served), enough, float64(among)/float64(served), none, float64(refused)/float64(none))
	return err
}

func place(at int) string {
	if at < 0 {
		return "none"
	}
	return fmt.Sprint(at + 1)
}

func shippedIndex() (*search.Index, error) {
	all, err := catalog.LoadToolkits(toolkits.FS)
	if err != nil {
		return nil, err
	}
	snapshot, err := catalog.NewSnapshot(all...)
	if err != nil {
		return nil, err
	}
	return search.Build(snapshot, nil), nil
}
