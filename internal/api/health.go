package api

import (
	"context"
	"net/http"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

type healthResponse struct {
	Status string `json:"status"`
}

// healthz says that the process runs and answers.
func (a *api) healthz(w http.ResponseWriter, r *http.Request) {
	a.writeValue(w, r, http.StatusOK, healthResponse{Status: "ok"})
}

// readyTimeout is how long a store that neither answers nor refuses is waited for.
const readyTimeout = 5 * time.Second

// readyz says whether requests can be served: 503 while the store cannot be reached.
func (a *api) readyz(w http.ResponseWriter, r *http.Request) {
	if a.ready != nil {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := a.ready(ctx); err != nil {
			a.log.WarnContext(r.Context(), "not ready", "error", err)
			a.writeFault(w, r, fault.New(fault.Unavailable, fault.SlugUnavailable, "The server is not ready.").
				WithFix("The log says what is missing.").Because(err), false)
			return
		}
	}
	a.writeValue(w, r, http.StatusOK, healthResponse{Status: "ready"})
}
