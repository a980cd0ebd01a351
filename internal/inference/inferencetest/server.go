// Package inferencetest plays a model endpoint for tests: it speaks the format of OpenAI's API, and its "model" knows a text by the
// words in it, so that what it says is the same in every run.
package inferencetest

import (
	"encoding/json"
	"hash/fnv"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// Server is the endpoint. Its zero value answers embeddings; it is an http.Handler, and sends requests to itself without a network.
type Server struct {
	Dimensions int                                                      // 0: 64
	Same       map[string]string                                        // words that its model takes for others
	Reply      string                                                   // what its chat model says
	Instead    func(w http.ResponseWriter, r *http.Request) (done bool) // answers in its place

	mu       sync.Mutex
	requests []Request
}

// Request is one that came in.
type Request struct {
	Path, Authorization string
	Model               string
	Input               []string  // of /embeddings
	Messages            []Message // of /chat/completions
}

// Message is one of a chat.
type Message struct{ Role, Content string }

// Do answers a request as ServeHTTP does.
func (s *Server) Do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

// Requests gives what has come in so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Last gives the newest.
func (s *Server) Last() Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[len(s.requests)-1]
}

// Texts gives all texts that vectors were asked for.
func (s *Server) Texts() []string {
	var texts []string
	for _, r := range s.Requests() {
		texts = append(texts, r.Input...)
	}
	return texts
}

// ServeHTTP answers /embeddings and /chat/completions, below any path.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Model      string
		Input      []string
		Messages   []Message
		Dimensions int
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Model == "" {
		http.Error(w, `{"error":{"message":"not a request of this API","type":"invalid_request_error"}}`, http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.requests = append(s.requests, Request{r.URL.Path, r.Header.Get("Authorization"), body.Model, body.Input, body.Messages})
	instead := s.Instead
	s.mu.Unlock()
	if instead != nil && instead(w, r) {
		return
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/embeddings"):
		s.embeddings(w, body.Model, body.Input, body.Dimensions)
	case strings.HasSuffix(r.URL.Path, "/chat/completions"):
		reply(w, map[string]any{
			"id": "chatcmpl-1", "object": "chat.completion", "model": body.Model,
			"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": s.Reply}}},
		})
	default:
		http.Error(w, `{"error":{"message":"no such path"}}`, http.StatusNotFound)
	}
}

// Switch changes what answers in its place, while requests may be on their way.
func (s *Server) Switch(instead func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Instead = instead
}

func (s *Server) embeddings(w http.ResponseWriter, model string, input []string, dimensions int) {
	data := make([]any, len(input))
	for i, text := range input {
		data[i] = map[string]any{"object": "embedding", "index": i, "embedding": s.Vector(text, dimensions)}
	}
	slices.Reverse(data) // clients have to go by the index
	reply(w, map[string]any{"object": "list", "model": model, "data": data, "usage": map[string]int{"prompt_tokens": 1, "total_tokens": 1}})
}

// Vector is what its model makes of a text: each word points somewhere.
func (s *Server) Vector(text string, dimensions int) []float32 {
	if dimensions == 0 {
		dimensions = s.Dimensions
	}
	if dimensions == 0 {
		dimensions = 64
	}
	v := make([]float32, dimensions)
	v[0] = 0.01 // a text without words has a direction, too
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
		if word = strings.TrimSuffix(word, "s"); len(word) < 4 {
			continue
		}
		if other, ok := s.Same[word]; ok {
			word = other
		}
		h := fnv.New64a()
		h.Write([]byte(word))
		bits := h.Sum64()
		for i := range v {
			bits = bits*6364136223846793005 + 1442695040888963407
			v[i] += float32(int64(bits)>>40) / (1 << 23)
		}
	}
	return v
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(err) // what is written here always encodes
	}
}
