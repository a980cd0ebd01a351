package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
)

// answer is what the upstream says to every call: about a kilobyte of JSON, as a provider would.
var answer = func() []byte {
	var b bytes.Buffer
	b.WriteString(`{"id":42,"title":"A thing","state":"open","items":[`)
	for i := range 12 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":%d,"name":"item number %d","url":"https://example.com/items/%d"}`, i, i, i)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}()

// serveUpstream is the service behind the tools.
func serveUpstream() error {
	return serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		writeJSON(w, answer)
	}))
}

// serveProxy is the floor: Go's reverse proxy with enough idle connections, and prepared bytes at /bytes?n=.
func serveProxy(target string) error {
	to, err := url.Parse(target)
	if err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 256
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport: transport,
	}
	mux := http.NewServeMux()
	mux.Handle("/", proxy)
	prepared := map[int][]byte{}
	mux.HandleFunc("/prepare", func(_ http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		prepared[n] = bytes.Repeat([]byte("x"), n)
	})
	mux.HandleFunc("/bytes", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		writeJSON(w, prepared[n])
	})
	return serve(mux)
}

// serve listens on a port of the kernel's choice and says it on standard output.
func serve(h http.Handler) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "http://%s\n", listener.Addr())
	return http.Serve(listener, h)
}

func writeJSON(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}
