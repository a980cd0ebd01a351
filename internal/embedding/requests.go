package embedding

import (
	"context"
	"fmt"
)

// Requests gives the vectors of requests in plain words, in one request to the endpoint at most. A vector is nil where none could be
// had in time: the search then goes on without.
func (s *Service) Requests(ctx context.Context, texts []string) [][]float32 {
	vectors := make([][]float32, len(texts))
	if s.scale.Load() == nil {
		return vectors
	}
	var missing []string
	var places []int
	for i, text := range texts {
		if vectors[i], _ = s.known.Get(text); vectors[i] == nil && text != "" {
			missing, places = append(missing, text), append(places, i)
		}
	}
	if len(missing) == 0 || s.outage.Reason() != nil {
		return vectors
	}
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		return vectors
	}
	limited, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	fresh, err := s.asker.embed(limited, forRequests, missing)
	if err == nil {
		err = s.alike(fresh)
	}
	if ctx.Err() != nil { // the caller has gone; that says nothing about the endpoint
		return vectors
	}
	if !s.refuses(err) {
		s.outage.Note(err)
	}
	if err != nil {
		return vectors
	}
	for i, at := range places {
		vectors[at] = fresh[i]
		s.known.Put(missing[i], fresh[i], s.known.Mark())
	}
	return vectors
}

// alike refuses vectors of other dimensions than those before.
func (s *Service) alike(vectors [][]float32) error {
	if have := s.file.size(); have != 0 && len(vectors[0]) != have {
		return fmt.Errorf("it gives vectors of %d dimensions, and gave some of %d before", len(vectors[0]), have)
	}
	return nil
}

// mostCached bounds the requests whose vectors are remembered: agents repeat themselves, and so do many users of one application.
const mostCached = 512
