package app

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/embedding"
	"github.com/patchbay-dev/patchbay/internal/inference"
	"github.com/patchbay-dev/patchbay/internal/planner"
)

// models asks the endpoints that searches ask, as far as there are any.
func (d *doctor) models() {
	d.model(d.config.Embeddings, d.embeddings)
	d.model(d.config.Chat, d.chat)
}

func (d *doctor) model(set config.Model, look func(context.Context, config.Model, inference.Endpoint)) {
	if set.URL == "" {
		return
	}
	endpoint, err := endpointOf(set, d.config.OutboundAllow, nil)
	if err != nil {
		d.sayError("search", err)
		return
	}
	ctx, cancel := context.WithTimeout(d.ctx, 2*probeTimeout)
	defer cancel()
	look(ctx, set, endpoint)
}

func (d *doctor) embeddings(ctx context.Context, set config.Model, endpoint inference.Endpoint) {
	const check = "search.embeddings"
	found, err := embedding.Look(ctx, endpoint, set.Dimensions)
	switch {
	case err != nil:
		d.say(check, Warning, "Check search.embeddings in the settings, and the endpoint. Searches go on without it meanwhile.", "%s at %s cannot be used: %v", set.Model, set.URL, err)
	case found.Poor:
		d.say(check, Warning, "Name a model for retrieval, such as text-embedding-3-small, all-minilm or nomic-embed-text.",
			"%s at %s does not tell what belongs together from what does not, and is not used", set.Model, set.URL)
	case found.Took > set.Timeout:
		d.say(check, Warning, "Raise search.embeddings.timeout, or take an endpoint that is nearer.",
			"%s at %s took %d ms for one request; searches wait %d ms", set.Model, set.URL, found.Took.Milliseconds(), set.Timeout.Milliseconds())
	default:
		d.say(check, Fine, "", "%s at %s answers in %d ms with %d dimensions", set.Model, set.URL, found.Took.Milliseconds(), found.Dimensions)
	}
}

func (d *doctor) chat(ctx context.Context, set config.Model, endpoint inference.Endpoint) {
	const check = "search.chat"
	began := time.Now()
	useful, err := planner.Look(ctx, endpoint)
	took := time.Since(began)
	switch {
	case err != nil:
		d.say(check, Warning, "Check search.chat in the settings, and the endpoint. Plans are made of what tools declare meanwhile.", "%s at %s cannot be used: %v", set.Model, set.URL, err)
	case !useful:
		d.say(check, Warning, "Name a model that answers in JSON when it is told to.", "%s at %s gives no plan that can be used", set.Model, set.URL)
	case took > set.Timeout:
		d.say(check, Warning, "Raise search.chat.timeout, or name a faster model.",
			"%s at %s took %d ms for a small plan; searches wait %d ms", set.Model, set.URL, took.Milliseconds(), set.Timeout.Milliseconds())
	default:
		d.say(check, Fine, "", "%s at %s makes a plan in %d ms", set.Model, set.URL, took.Milliseconds())
	}
}
