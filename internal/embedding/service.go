package embedding

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-dev/patchbay/internal/cache"
	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/inference"
)

// Options of a Service.
type Options struct {
	Endpoint   inference.Endpoint
	Dimensions int           // to ask the model for; 0: the model's own
	Directory  string        // where the vectors are kept
	Patience   time.Duration // how long a search waits for the vectors of its requests; 0: DefaultPatience
	Pace       time.Duration // between two requests of the work in the background; 0: five a second
	Now        func() time.Time
	Log        *slog.Logger
	// Asked is told of each request to the endpoint: for what ("tools", "requests") and how it went ("ok", "failed"). Nil: nobody is.
	Asked func(purpose, outcome string)
}

// DefaultPatience is how long a search waits when nothing else is said.
const DefaultPatience = 400 * time.Millisecond

// Service has the vectors. Make it with New, start its work in the background with Start.
type Service struct {
	asker    asker
	patience time.Duration
	pace     time.Duration
	log      *slog.Logger
	outage   *inference.Outage
	file     *file
	known    *cache.Cache[string, []float32] // vectors of requests, by text
	places   chan struct{}                   // bounds how many searches ask at the same time

	scale atomic.Pointer[scale] // nil until the model is known
	poor  atomic.Bool           // the model does not tell what belongs together from what does not

	without atomic.Int64 // texts of the table at hand that have no vector yet
	shrunk  bool         // the file was looked through; of the work alone

	mu     sync.Mutex
	queue  []*Table // whose vectors are to be made
	wake   chan struct{}
	cancel context.CancelFunc
	done   sync.WaitGroup
}

const (
	batch       = 64  // texts in one request
	mostAtOnce  = 32  // searches that wait for the endpoint; others go on without it
	mostQueued  = 128 // indexes whose vectors are to be made
	defaultPace = 200 * time.Millisecond
)

// New opens the file of vectors for this model. Nothing is asked before Start.
func New(o Options) (*Service, error) {
	if o.Endpoint.URL == "" || o.Endpoint.Model == "" || o.Endpoint.HTTP == nil || o.Directory == "" {
		return nil, errors.New("embedding: Options need an Endpoint with URL, Model and HTTP, and a Directory")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Asked == nil {
		o.Asked = func(string, string) {}
	}
	if o.Patience <= 0 {
		o.Patience = DefaultPatience
	}
	if o.Pace <= 0 {
		o.Pace = defaultPace
	}
	kept, err := openFile(filepath.Join(o.Directory, fileName(o)), o.Dimensions)
	if err != nil {
		return nil, fmt.Errorf("open the vectors of tools: %w", err)
	}
	s := &Service{
		asker:    asker{o.Endpoint, o.Dimensions, o.Asked},
		patience: o.Patience, pace: o.Pace, log: o.Log, file: kept,
		known: cache.New[string, []float32](cache.Options{Limit: mostCached}), places: make(chan struct{}, mostAtOnce), wake: make(chan struct{}, 1),
	}
	s.outage = &inference.Outage{Now: o.Now, Changed: s.tellOutage}
	return s, nil
}

// fileName is made of what vectors depend on, so that those of another model are never mixed with these.
func fileName(o Options) string {
	sum := sha256.Sum256([]byte(o.Endpoint.URL + "\n" + o.Endpoint.Model + "\n" + strconv.Itoa(o.Dimensions)))
	return hex.EncodeToString(sum[:8]) + ".vectors"
}

// tellOutage is called when the endpoint stops to answer well and when it does so again, not for each request between.
func (s *Service) tellOutage(down bool, reason error) {
	if down {
		s.log.Warn("the embeddings endpoint fails; searches go on without it", "url", s.asker.endpoint.URL, "error", reason)
		s.rouse() // it looks after the endpoint from now on
		return
	}
	s.log.Info("the embeddings endpoint answers again", "url", s.asker.endpoint.URL)
}

// Start begins to make vectors in the background.
func (s *Service) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.done.Go(func() { s.work(ctx) })
}

// Stop ends the work and closes the file. What was not made yet is made after the next start.
func (s *Service) Stop() error {
	if s.cancel != nil {
		s.cancel()
	}
	s.done.Wait()
	return s.file.close()
}

// Status says how the endpoint and the work are.
type Status struct {
	Kept    int   // texts that have a vector
	Without int   // texts of tools that have none yet
	Outage  error // why the endpoint is left alone; nil when it answers
	Poor    bool  // the model does not tell what belongs together from what does not, and is not used
}

// Status gives the present state, for metrics.
func (s *Service) Status() Status {
	return Status{s.file.len(), int(s.without.Load()), s.outage.Reason(), s.poor.Load()}
}

// Table makes the table of an index's tools and has their vectors made. It does not wait for them.
func (s *Service) Table(tools []*catalog.Tool) *Table {
	t := &Table{service: s, tools: tools}
	s.mu.Lock()
	s.queue = append(s.queue, t)
	if len(s.queue) > mostQueued {
		s.queue = s.queue[1:] // the oldest index is the first that nobody needs any more
	}
	s.mu.Unlock()
	s.rouse()
	return t
}

// rouse wakes the work in the background.
func (s *Service) rouse() {
	select {
	case s.wake <- struct{}{}:
	default: // it is awake
	}
}

func (s *Service) next() *Table {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil
	}
	t := s.queue[0]
	s.queue = s.queue[1:]
	return t
}
