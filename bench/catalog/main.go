// Command catalog measures a server over a big catalog: it makes one of toolkits and tools with the sizes that imported APIs have,
// lets a server pack it, and then measures a start from the packed form, its memory, and the time that lists and searches take.
//
//	go run ./bench/catalog -binary ./bin/patchbay -tools 100000
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

const apiKey = "ak_bench_0123456789abcdefghijklmnopqrstuvwxyz"

func main() {
	binary := flag.String("binary", "bin/patchbay", "the server")
	tools := flag.Int("tools", 100_000, "how many tools")
	from := flag.String("from", "", "a directory of definitions, as `patchbay toolkit add --out` makes it, instead of made-up ones")
	flag.Parse()
	if err := run(*binary, *tools, *from); err != nil {
		log.Fatal(err)
	}
}

func run(binary string, tools int, from string) error {
	directory, err := os.MkdirTemp("", "patchbay-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(directory)
	if from == "" {
		from = filepath.Join(directory, "toolkits")
		if err := writeCatalog(from, tools); err != nil {
			return err
		}
	}
	b := &bed{binary: binary, directory: directory, from: from}
	if err := b.start(5 * time.Minute); err != nil {
		return err
	}
	fmt.Printf("first start, packing       %v\n", b.took.Round(time.Millisecond))
	if err := b.search("list the items of a project"); err != nil { // waits for the index, which is then saved
		return err
	}
	fmt.Printf("first index                %v after the start\n", time.Since(b.began).Round(time.Millisecond))
	b.stop()
	for range 3 {
		if err := b.start(time.Minute); err != nil {
			return err
		}
		idle, _ := b.memory()
		if err := b.search("list the items of a project"); err != nil {
			return err
		}
		searched := time.Since(b.began)
		time.Sleep(2 * time.Second)
		settled, peak := b.memory()
		cpu := b.cpu()
		fmt.Printf("start to ready             %v; first search answered after %v; %v CPU; RSS %d MB at once, %d MB settled, %d MB at most\n",
			b.took.Round(time.Millisecond), searched.Round(time.Millisecond), cpu, idle, settled, peak)
		if err := b.measure(); err != nil {
			return err
		}
		after, peak := b.memory()
		fmt.Printf("RSS after that             %d MB, %d MB at most\n", after, peak)
		b.stop()
	}
	return nil
}

// measure times lists and searches, one at a time.
func (b *bed) measure() error {
	words := strings.Fields("create list get update delete send find issue invoice contact event message file record task project report user order")
	random := rand.New(rand.NewPCG(1, 2))
	for _, kind := range []struct {
		name  string
		times int
		call  func() error
	}{
		{"search, five words", 200, func() error {
			text := make([]string, 5)
			for i := range text {
				text[i] = words[random.IntN(len(words))]
			}
			return b.search(strings.Join(text, " "))
		}},
		{"GET /tools, page of 20", 100, func() error { return b.get("/tools?limit=20&cursor=") }},
		{"GET /toolkits, page of 20", 100, func() error { return b.get("/toolkits?limit=20") }},
	} {
		times := make([]time.Duration, kind.times)
		for i := range times {
			began := time.Now()
			if err := kind.call(); err != nil {
				return err
			}
			times[i] = time.Since(began)
		}
		slices.Sort(times)
		fmt.Printf("%-26s p50 %v, p99 %v\n", kind.name, times[len(times)/2].Round(10*time.Microsecond), times[len(times)*99/100].Round(10*time.Microsecond))
	}
	return nil
}

// bed is a server over a catalog.
type bed struct {
	binary, directory, from string
	command                 *exec.Cmd
	url                     string
	began                   time.Time
	took                    time.Duration
}

func (b *bed) start(patience time.Duration) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return err
	}
	b.url = "http://" + address
	output, err := os.Create(filepath.Join(b.directory, "server.log"))
	if err != nil {
		return err
	}
	b.command = exec.CommandContext(context.Background(), b.binary, "serve", "--listen", address, "--data", filepath.Join(b.directory, "data"), "--toolkit-dirs", b.from)
	b.command.Env = append(os.Environ(), "PATCHBAY_API_KEY="+apiKey)
	b.command.Stdout, b.command.Stderr = output, output
	b.began = time.Now()
	if err := b.command.Start(); err != nil {
		return err
	}
	for time.Since(b.began) < patience {
		if reply, err := http.Get(b.url + "/readyz"); err == nil {
			reply.Body.Close()
			if reply.StatusCode == http.StatusOK {
				b.took = time.Since(b.began)
				return nil
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	text, _ := os.ReadFile(output.Name())
	return fmt.Errorf("the server did not become ready:\n%s", text)
}

func (b *bed) stop() {
	_ = b.command.Process.Signal(os.Interrupt)
	_ = b.command.Wait()
}

func (b *bed) search(text string) error {
	return b.get("/tools?limit=10&query=" + strings.ReplaceAll(text, " ", "+"))
}

func (b *bed) get(path string) error {
	r, err := http.NewRequest("GET", b.url+"/api/v3.1"+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("x-api-key", apiKey)
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err == nil && reply.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %d %.300s", path, reply.StatusCode, body)
	}
	return err
}

// memory gives the resident memory now and at most so far, in megabytes.
func (b *bed) memory() (now, peak int) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.command.Process.Pid))
	read := func(name string) int {
		_, rest, _ := bytes.Cut(text, []byte(name+":"))
		kilobytes, _ := strconv.Atoi(strings.Fields(string(rest) + " 0")[0])
		return kilobytes >> 10
	}
	return read("VmRSS"), read("VmHWM")
}

// cpu gives the processor time that the server has used.
func (b *bed) cpu() time.Duration {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", b.command.Process.Pid))
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	ticks := 0
	for _, field := range fields[11:13] {
		n, _ := strconv.Atoi(field)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// writeCatalog makes definitions with the sizes of imported APIs: 48 tools each on the average, eight arguments, a paragraph of
// description, an output schema of a kilobyte; words as unevenly frequent as in a language.
func writeCatalog(directory string, tools int) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(7, 7))
	vocabulary := strings.Fields("issue invoice contact event message file record task project report user order account team webhook campaign channel folder page comment label calendar customer payment ticket product")
	for range 30_000 {
		var w strings.Builder
		for range 2 + random.IntN(3) {
			w.WriteByte("bcdfghklmnprstvw"[random.IntN(16)])
			w.WriteByte("aeiou"[random.IntN(5)])
		}
		vocabulary = append(vocabulary, w.String())
	}
	often := rand.NewZipf(random, 1.1, 4, uint64(len(vocabulary)-1))
	word := func() string { return vocabulary[often.Uint64()] }
	words := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = word()
		}
		return strings.Join(list, " ")
	}
	verbs := strings.Fields("create list get update delete search send")
	for kit := 0; tools > 0; kit++ {
		slug := fmt.Sprintf("kit%d", kit)
		var list []map[string]any
		for range min(tools, 1+random.IntN(95)) {
			name := verbs[random.IntN(len(verbs))] + " " + words(3)
			properties, results, parameters := map[string]any{}, map[string]any{}, []map[string]any{}
			for range 8 {
				argument := word() + "_" + word()
				properties[argument] = map[string]any{"type": "string", "description": words(8)}
				results[word()] = map[string]any{"type": "object", "properties": map[string]any{word(): map[string]string{"type": "string", "description": words(6)}}}
				parameters = append(parameters, map[string]any{"argument": argument, "in": "query"})
			}
			list = append(list, map[string]any{
				"slug": strings.ToUpper(slug+"_"+strings.ReplaceAll(name, " ", "_")) + "_" + strconv.Itoa(len(list)), "name": name,
				"description": name + " " + words(8) + ". " + words(15) + ".", "hints": map[string]bool{"Read": true}, "scopes": map[string]any{},
				"input": map[string]any{"type": "object", "properties": properties}, "output": map[string]any{"type": "object", "properties": results},
				"http": map[string]any{"method": "GET", "path": "/" + word(), "parameters": parameters},
			})
		}
		tools -= len(list)
		text, err := json.Marshal(map[string]any{
			"slug": slug, "name": word() + " " + slug, "description": words(20), "base_url": "https://" + slug + ".example", "tools": list,
			"auth":   []map[string]any{{"mode": "API_KEY", "account_fields": []map[string]any{{"Name": "api_key", "Required": true, "Secret": true}}}},
			"source": map[string]string{"kind": "openapi"},
		})
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(directory, slug+".json"), text, 0o644); err != nil {
			return err
		}
	}
	runtime.GC()
	return nil
}
