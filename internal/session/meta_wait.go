package session

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

const (
	// longestWait keeps a call below the deadline of any call (55 s) and the clients' patience (60 s).
	longestWait = 50 * time.Second
	// lookAgain is how often a waiting call looks by itself, in case word of the change is lost between nodes.
	lookAgain = 2 * time.Second
)

// How a toolkit stands that is waited for.
const (
	waitActive     = "active"
	waitWaiting    = "waiting"
	waitFailed     = "failed"
	waitNotStarted = "not_started"
)

// waitAnswer is the data of COMPOSIO_WAIT_FOR_CONNECTIONS.
type waitAnswer struct {
	Done    bool                  `json:"done"`
	Message string                `json:"message"`
	Results map[string]waitResult `json:"results"`
	Waited  float64               `json:"waited_seconds"`
	Session *workflowEcho         `json:"session,omitempty"`
}

type waitResult struct {
	Toolkit   string            `json:"toolkit"`
	Status    string            `json:"status"`
	Active    bool              `json:"has_active_connection"`
	AccountID string            `json:"connected_account_id,omitempty"`
	User      *connect.Identity `json:"current_user_info,omitempty"`
	Error     string            `json:"error_message,omitempty"`
}

// waitForConnections is COMPOSIO_WAIT_FOR_CONNECTIONS.
func (s *Service) waitForConnections(ctx context.Context, call metaCall) (metaAnswer, error) {
	w, err := s.newWait(call)
	if err != nil {
		return metaAnswer{}, err
	}
	started := s.now()
	deadline := time.NewTimer(w.timeout)
	defer deadline.Stop()
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for {
		changed := s.changed.wait() // before looking, so that no change falls in between
		answer, over, err := w.look(ctx)
		if err != nil {
			return metaAnswer{}, err
		}
		if over {
			return w.finish(answer, s.now().Sub(started)), nil
		}
		select {
		case <-ctx.Done():
			return metaAnswer{}, ctx.Err()
		case <-deadline.C:
			answer.Message = fmt.Sprintf("Not connected yet after %d seconds. If the user is still at it, call %s again.", int(w.timeout.Seconds()), slugWaitForConnections)
			return w.finish(answer, s.now().Sub(started)), nil
		case <-changed:
		case <-ticker.C:
		}
	}
}

// wait is one call that waits.
type wait struct {
	service *Service
	call    metaCall
	kits    []*catalog.Toolkit
	any     bool
	timeout time.Duration
}

func (s *Service) newWait(call metaCall) (*wait, error) {
	w := &wait{service: s, call: call, any: strings.EqualFold(call.arguments.text("mode"), "any")}
	slugs := call.arguments.texts([]string{"name", "toolkit", "slug"}, "toolkits", "toolkit")
	for _, slug := range slugs {
		kit, err := call.view.toolkit(slug)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(w.kits, kit) {
			w.kits = append(w.kits, kit)
		}
	}
	if len(w.kits) == 0 || len(w.kits) > maxConnections {
		return nil, fault.New(fault.Invalid, fault.SlugInvalid, "toolkits must name 1 to %d toolkits, and it names %d.", maxConnections, len(w.kits)).
			WithFix("Send toolkits as a list of slugs, for example [\"github\"].")
	}
	seconds := call.arguments.number(longestWait.Seconds(), "timeout_seconds", "timeout")
	w.timeout = min(max(time.Duration(seconds*float64(time.Second)), time.Second), longestWait)
	return w, nil
}

// look sees how things stand and whether waiting is over: everything wanted is there, or what is missing cannot come.
func (w *wait) look(ctx context.Context) (waitAnswer, bool, error) {
	answer := waitAnswer{Results: make(map[string]waitResult, len(w.kits))}
	active, hopeless := 0, 0
	for _, kit := range w.kits {
		st, err := w.service.standing(ctx, w.call.caller, w.call.view, kit)
		if err != nil {
			return waitAnswer{}, false, err
		}
		r := waitFor(st)
		answer.Results[kit.Slug] = r
		switch r.Status {
		case waitActive:
			active++
		case waitFailed, waitNotStarted:
			hopeless++
		}
	}
	switch {
	case active == len(w.kits), w.any && active > 0:
		answer.Done, answer.Message = true, "Connected: "+w.with(answer, waitActive)+". Go on with the task."
	case !w.any && hopeless > 0, hopeless == len(w.kits)-active:
		answer.Message = "Not connected: " + w.with(answer, waitFailed, waitNotStarted) + ". Read error_message; make a new link with " + slugManageConnections + "."
	default:
		return answer, false, nil
	}
	return answer, true, nil
}

// waitFor says how a toolkit stands. Only a link that is open is worth waiting for.
func waitFor(st standing) waitResult {
	r := waitResult{Toolkit: st.toolkit.Slug, Active: st.ready()}
	last, begun := st.last()
	r.AccountID = last.ID
	switch {
	case r.Active:
		r.Status = waitActive
		if usable := st.usable(); len(usable) > 0 {
			r.AccountID, r.User = usable[0].ID, identity(usable[0])
		}
	case slices.ContainsFunc(st.All, func(choice connect.Choice) bool { return pending(choice.Account.Status) }):
		r.Status = waitWaiting
	case begun:
		r.Status, r.Error = waitFailed, st.problem()
	default:
		r.Status, r.Error = waitNotStarted, "No link was made for "+st.toolkit.Name+" yet."
	}
	return r
}

// last gives the account that changed last.
func (st standing) last() (connect.ConnectedAccount, bool) {
	var last connect.ConnectedAccount
	for _, choice := range st.All {
		if a := choice.Account; a.Status != "" && !a.UpdatedAt.Before(last.UpdatedAt) {
			last = a
		}
	}
	return last, last.ID != ""
}

func (w *wait) with(a waitAnswer, statuses ...string) string {
	var slugs []string
	for _, kit := range w.kits {
		if slices.Contains(statuses, a.Results[kit.Slug].Status) {
			slugs = append(slugs, kit.Slug)
		}
	}
	return enumerate(slugs)
}

func (w *wait) finish(answer waitAnswer, waited time.Duration) metaAnswer {
	answer.Waited = waited.Round(100 * time.Millisecond).Seconds()
	answer.Session = echoWorkflow(w.call.workflow())
	return metaAnswer{data: answer}
}
