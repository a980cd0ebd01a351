// Command search runs the server's ranker over a collection of tools and requests, so that it can be measured.
//
// It reads tools ({"id","toolkit","toolkit_name","name","description","parameters"} a line) and requests ({"id","query"} a
// line), and writes one {"id","ranked"} a line with the ids of the best tools, best first. Without them it ranks the toolkits that come
// with the server for the requests of shipped.txt, and says how well.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/patchbay-dev/patchbay/internal/search"
)

func main() {
	tools := flag.String("tools", "", "JSON lines of tools")
	queries := flag.String("queries", "", "JSON lines of requests")
	k := flag.Int("k", 10, "how many tools to rank for a request")
	out := flag.String("out", "-", "where to write the run")
	embeddings := flag.String("embeddings", "", "URL of an embeddings endpoint in the format of OpenAI's API, to rank with its vectors too")
	model := flag.String("model", "default", "its model")
	kept := flag.String("kept", os.TempDir(), "directory where the vectors are kept")
	flag.Parse()
	measure := func() error { return run(*tools, *queries, *out, *k, outside{*embeddings, *model, *kept}) }
	if *tools == "" && *queries == "" {
		measure = func() error { return shipped(os.Stdout) }
	}
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, "search:", err)
		os.Exit(1)
	}
}

func run(tools, queries, out string, k int, o outside) error {
	docs, err := readTools(tools)
	if err != nil {
		return err
	}
	requests, err := readLines[struct{ ID, Query string }](queries)
	if err != nil {
		return err
	}
	began := time.Now()
	index := search.Documents(docs)
	built := time.Since(began)
	runtime.GC() // what building left behind is not the searches' to collect
	meaning, err := o.understand(index)
	if err != nil {
		return err
	}
	defer meaning.stop()

	w := io.WriteCloser(os.Stdout)
	if out != "-" {
		if w, err = os.Create(out); err != nil {
			return err
		}
	}
	buffered := bufio.NewWriter(w)
	encoder := json.NewEncoder(buffered)
	took := make([]time.Duration, 0, len(requests))
	for _, r := range requests {
		vector := meaning.of(r.Query)
		began := time.Now()
		hits := index.Search(search.Query{Text: r.Query, Limit: k, Vector: vector})
		took = append(took, time.Since(began))
		ranked := make([]string, len(hits))
		for i, h := range hits {
			ranked[i] = h.Tool.Slug
		}
		if err := encoder.Encode(map[string]any{"id": r.ID, "ranked": ranked}); err != nil {
			return err
		}
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	report(len(docs), built, took)
	return w.Close()
}

// report prints how long it took and how much memory the index holds.
func report(tools int, built time.Duration, took []time.Duration) {
	slices.Sort(took)
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if len(took) == 0 {
		return
	}
	fmt.Fprintf(os.Stderr, "%d tools, %d requests: built in %v, p50 %v, p99 %v, heap %d MB\n", tools, len(took),
		built.Round(time.Millisecond), took[len(took)/2], took[len(took)*99/100], m.HeapAlloc>>20)
}

func readTools(path string) ([]search.Document, error) {
	type line struct {
		ID, Toolkit, Name, Description string
		ToolkitName                    string                     `json:"toolkit_name"`
		Aliases                        []string                   `json:"aliases"`
		Parameters                     map[string]json.RawMessage `json:"parameters"`
	}
	lines, err := readLines[line](path)
	if err != nil {
		return nil, err
	}
	docs := make([]search.Document, len(lines))
	for i, l := range lines {
		docs[i] = search.Document{ID: l.ID, Toolkit: l.Toolkit, ToolkitName: l.ToolkitName, Aliases: l.Aliases, Name: l.Name, Description: l.Description}
		for name := range l.Parameters {
			docs[i].Parameters = append(docs[i].Parameters, name)
		}
		slices.Sort(docs[i].Parameters)
	}
	return docs, nil
}

func readLines[T any](path string) ([]T, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []T
	decoder := json.NewDecoder(bufio.NewReader(f))
	for {
		var one T
		if err := decoder.Decode(&one); err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		all = append(all, one)
	}
}
