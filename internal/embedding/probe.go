package embedding

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/inference"
)

// Probe is what a look at an endpoint found.
type Probe struct {
	Dimensions int
	Took       time.Duration // for the vector of one request
	Poor       bool          // the model does not tell what belongs together from what does not
}

// Look asks an endpoint twice, for the texts by which a model is known and for one request, and keeps nothing.
func Look(ctx context.Context, e inference.Endpoint, dimensions int) (Probe, error) {
	a := asker{e, dimensions, func(string, string) {}}
	vectors, err := a.ask(ctx, pairTexts())
	if err != nil {
		return Probe{}, err
	}
	began := time.Now()
	if _, err := a.ask(ctx, []string{"list what is new"}); err != nil {
		return Probe{}, err
	}
	return Probe{Dimensions: len(vectors[0]), Took: time.Since(began), Poor: newScale(vectors) == nil}, nil
}
