package embedding

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/patchbay-dev/patchbay/internal/inference"
)

// asker asks the endpoint for vectors and believes nothing that it answers.
type asker struct {
	endpoint   inference.Endpoint
	dimensions int // 0: the model's own
	asked      func(purpose, outcome string)
}

const (
	mostDimensions = 4096
	// maxAnswer bounds an answer: a batch of the longest vectors, in the longest way to write numbers.
	maxAnswer = batch * mostDimensions * 26
)

// What requests are for.
const (
	forTools    = "tools"
	forRequests = "requests"
)

// embed gives a vector of length 1 for each text.
func (a asker) embed(ctx context.Context, purpose string, texts []string) ([][]float32, error) {
	vectors, err := a.ask(ctx, texts)
	if err != nil {
		a.asked(purpose, "failed")
		return nil, err
	}
	a.asked(purpose, "ok")
	return vectors, nil
}

func (a asker) ask(ctx context.Context, texts []string) ([][]float32, error) {
	question := struct {
		Model      string   `json:"model"`
		Input      []string `json:"input"`
		Dimensions int      `json:"dimensions,omitempty"`
		Format     string   `json:"encoding_format"`
	}{a.endpoint.Model, texts, a.dimensions, "float"}
	var answer struct {
		Data []struct {
			Index     int       `json:"index"`
			Embedding []float32 `json:"embedding"`
		} `json:"data"`
	}
	if err := a.endpoint.Post(ctx, "/embeddings", question, &answer, maxAnswer); err != nil {
		return nil, err
	}
	if len(answer.Data) != len(texts) {
		return nil, fmt.Errorf("it gives %d vectors for %d texts", len(answer.Data), len(texts))
	}
	vectors := make([][]float32, len(texts))
	for _, one := range answer.Data {
		if one.Index < 0 || one.Index >= len(vectors) || vectors[one.Index] != nil {
			return nil, fmt.Errorf("it numbers its vectors wrongly: %d", one.Index)
		}
		vectors[one.Index] = one.Embedding
	}
	for _, v := range vectors {
		if err := a.check(v, len(vectors[0])); err != nil {
			return nil, err
		}
	}
	return vectors, nil
}

// check makes the length of a vector 1, and refuses one that cannot be compared.
func (a asker) check(v []float32, like int) error {
	switch {
	case a.dimensions > 0 && len(v) != a.dimensions:
		return fmt.Errorf("it gives vectors of %d dimensions, and search.embeddings.dimensions asks for %d", len(v), a.dimensions)
	case len(v) == 0 || len(v) > mostDimensions || len(v) != like:
		return fmt.Errorf("it gives vectors of %d dimensions, where %d to %d, all alike, can be used", len(v), 1, mostDimensions)
	}
	length := length(v)
	if !(length > 1e-12) || math.IsInf(length, 0) { // NaN too
		return errors.New("it gives a vector without a direction")
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / length)
	}
	return nil
}

func length(v []float32) float64 {
	var square float64
	for _, n := range v {
		square += float64(n) * float64(n)
	}
	return math.Sqrt(square)
}
