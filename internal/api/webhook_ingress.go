package api

import (
	"context"
	"io"
	"net/http"
	"reflect"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/trigger"
)

// receivedResponse tells a provider what became of its call. Nothing in it says whose events they were.
type receivedResponse struct {
	Status string `json:"status"`
}

// receiveWebhookRequest says which parameters the route has. The rest of the call is the provider's own.
type receiveWebhookRequest struct {
	Toolkit  string `path:"toolkit" json:"-"`
	Endpoint string `path:"we_id" json:"-"`
}

func (a *api) ingress() endpoint {
	return endpoint{binding: bindingOf(reflect.TypeFor[receiveWebhookRequest]()), open: a.receiveWebhook}
}

// receiveWebhook takes a provider's call (API contract section 12.3). It carries no key: the proof is in the call itself, which is
// why its body is read as it was sent. The answer comes when what it tells is stored.
func (a *api) receiveWebhook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, min(a.maxBody, trigger.MaxCall)))
	if err != nil {
		if err = bodyFault(err); fault.Is(err, fault.TooLarge) {
			a.triggers.Refuse(trigger.TooLarge)
		}
		a.writeFault(w, r, err, false)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), a.timeout)
	defer cancel()
	answer, err := a.triggers.Receive(ctx, trigger.Call{
		Toolkit: r.PathValue("toolkit"), Endpoint: r.PathValue("we_id"), Header: r.Header, Body: body,
	})
	switch {
	case err != nil:
		a.writeFault(w, r, err, false)
	case answer.Text != "":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		io.WriteString(w, answer.Text) // the provider may be gone; there is nobody left to tell
	default:
		a.writeValue(w, r, http.StatusOK, receivedResponse{answer.Outcome})
	}
}
