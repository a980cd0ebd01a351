package embedding

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/patchbay-dev/patchbay/internal/inference"
)

// patient is how long the work in the background waits for one answer.
const patient = 60 * time.Second

// work makes the vectors that are missing, table by table, and looks after the endpoint when it fails.
func (s *Service) work(ctx context.Context) {
	for ctx.Err() == nil {
		if t := s.next(); t != nil {
			s.cover(ctx, t)
			continue
		}
		var again <-chan time.Time
		if s.outage.Reason() != nil {
			again = time.After(s.outage.Wait())
		}
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-again: // no search tries an endpoint that fails: it is tried here
			_, _ = s.ask(ctx, pairTexts()[:1])
		}
	}
}

// cover makes the vectors that a table's tools lack. It fills the table at once with what there is, and is only done when the context
// ends or everything is there.
func (s *Service) cover(ctx context.Context, t *Table) {
	if !s.know(ctx) {
		return
	}
	keys := make([]key, len(t.tools))
	var missing []int // tools, each text once
	seen := make(map[key]bool)
	for d, tool := range t.tools {
		keys[d] = keyOf(textOf(tool))
		if _, ok := s.file.row(keys[d]); !ok && !seen[keys[d]] {
			seen[keys[d]] = true
			missing = append(missing, d)
		}
	}
	s.without.Store(int64(len(missing)))
	for len(missing) > 0 && ctx.Err() == nil {
		some := missing[:min(batch, len(missing))]
		s.make(ctx, t, keys, some)
		s.without.Add(-int64(len(some)))
		missing = missing[len(some):]
	}
	if ctx.Err() != nil {
		return
	}
	if !s.shrunk {
		s.shrink(keys)
	}
	t.fill(keys)
}

// shrink clears the file of vectors that nobody has asked for in a long time: those of texts that have changed since. It is done once,
// after the first table, because what is filled later remembers places in the file.
func (s *Service) shrink(keys []key) {
	s.shrunk = true
	wanted := make(map[key]bool, len(keys)+2*len(pairs))
	for _, of := range keys {
		wanted[of] = true
	}
	for _, text := range pairTexts() {
		wanted[keyOf(text)] = true
	}
	if err := s.file.shrink(wanted); err != nil {
		s.log.Error("the file of vectors cannot be made smaller", "error", err)
	}
}

// know makes the scale of the model, from the file where it was used before. It gives false when the context ended or the model is
// of no use.
func (s *Service) know(ctx context.Context) bool {
	if s.scale.Load() != nil || s.poor.Load() {
		return !s.poor.Load()
	}
	texts := pairTexts()
	keys := make([]key, len(texts))
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		keys[i] = keyOf(text)
		vectors[i] = s.kept(keys[i])
	}
	if slices.ContainsFunc(vectors, func(v []float32) bool { return v == nil }) {
		fresh, err := s.insist(ctx, texts)
		if err != nil {
			return false
		}
		vectors = fresh
		if err := s.file.add(keys, vectors); err != nil {
			s.log.Error("vectors of tools cannot be kept; searches go on without them", "error", err)
			return false
		}
	}
	made := newScale(vectors)
	if made == nil {
		s.poor.Store(true)
		s.log.Error("the embeddings model does not tell what belongs together from what does not, and is not used", "model", s.asker.endpoint.Model)
		return false
	}
	s.scale.Store(made)
	return true
}

// kept gives a vector out of the file; nil when it is not there.
func (s *Service) kept(of key) []float32 {
	row, ok := s.file.row(of)
	stored := make([]byte, s.file.size())
	if !ok || !s.file.read(row, stored) {
		return nil
	}
	vector, length := make([]float32, len(stored)), norm(stored)
	for i, n := range stored {
		vector[i] = float32(float64(int8(n)) / length)
	}
	return vector
}

// make makes the vectors of some of a table's tools and keeps them. A text that the endpoint does not take is left out: it is found by
// halving what it refuses.
func (s *Service) make(ctx context.Context, t *Table, keys []key, some []int) {
	texts, of := make([]string, len(some)), make([]key, len(some))
	for i, d := range some {
		texts[i], of[i] = textOf(t.tools[d]), keys[d]
	}
	vectors, err := s.insist(ctx, texts)
	switch {
	case err == nil:
		if err := s.file.add(of, vectors); err != nil && ctx.Err() == nil {
			s.log.Error("vectors of tools cannot be kept", "error", err)
		}
	case ctx.Err() != nil:
	case len(some) == 1:
		s.log.Warn("the embeddings endpoint does not take the text of a tool", "tool", t.tools[some[0]].Slug, "error", err)
	default:
		half := len(some) / 2
		s.make(ctx, t, keys, some[:half])
		s.make(ctx, t, keys, some[half:])
	}
}

// insist asks until the endpoint answers, the context ends, or it says that it will never take these texts.
func (s *Service) insist(ctx context.Context, texts []string) ([][]float32, error) {
	for {
		if err := pause(ctx, max(s.pace, s.outage.Wait())); err != nil {
			return nil, err
		}
		vectors, err := s.ask(ctx, texts)
		if err == nil || ctx.Err() != nil || s.refuses(err) {
			return vectors, err
		}
	}
}

// refuses reports whether an error is about the texts that were sent, and not about how the endpoint is or is set up: that would have
// shown with the texts by which the model became known.
func (s *Service) refuses(err error) bool {
	refused, ok := errors.AsType[*inference.RefusedError](err)
	return ok && s.scale.Load() != nil && (refused.Status == http.StatusBadRequest || refused.Status == http.StatusRequestEntityTooLarge || refused.Status == http.StatusUnprocessableEntity)
}

func (s *Service) ask(ctx context.Context, texts []string) ([][]float32, error) {
	limited, cancel := context.WithTimeout(ctx, patient)
	defer cancel()
	vectors, err := s.asker.embed(limited, forTools, texts)
	if err == nil {
		err = s.alike(vectors)
	}
	if ctx.Err() == nil && !s.refuses(err) {
		s.outage.Note(err)
	}
	return vectors, err
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
