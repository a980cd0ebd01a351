package trigger

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/job"
)

// Store keeps instances and webhook endpoints. A missing row, or one of another project, is a fault of kind NotFound. Events that
// are handed over are stored in the same step as the change that they tell of, or not at all.
type Store interface {
	// CreateInstance stores an instance, and the endpoint that is its own if there is one. Conflict when the account has an
	// instance of this type with this configuration.
	CreateInstance(ctx context.Context, i Instance, own *Endpoint) error
	Instance(ctx context.Context, projectID, id string) (Instance, error)
	// InstanceLike finds the instance of an account by type and configuration.
	InstanceLike(ctx context.Context, projectID, accountID, trigger, fingerprint string) (Instance, error)
	// UpdateInstance reads, changes and writes in one step: update may run again when somebody else wrote in between. It gives
	// the events that tell of the change.
	UpdateInstance(ctx context.Context, projectID, id string, update func(*Instance) ([]event.Event, error)) (Instance, error)
	DeleteInstance(ctx context.Context, projectID, id string) error // with the endpoint that is its own
	ListInstances(ctx context.Context, projectID string, f Filter) ([]Instance, connect.Page, error)
	// EndpointInstances gives the instances whose calls arrive at an endpoint, but for DISABLED ones.
	EndpointInstances(ctx context.Context, projectID, endpointID string) ([]Instance, error)

	// ClaimPolls leases polls of all projects that are due and that nobody holds, the longest due first.
	ClaimPolls(ctx context.Context, l job.Lease, n int) ([]Instance, error)
	RenewPoll(ctx context.Context, l job.Lease, i Instance) (bool, error)
	// NextPoll gives when the earliest poll that nobody holds is due; zero when there is none.
	NextPoll(ctx context.Context, now time.Time) (time.Time, error)
	// FinishPoll stores where a poll stands now (Position, Failures, DueAt, LookedAt) with the events that it found, and gives
	// the lease up. Nothing is stored, and false given, when the lease was lost or the instance changed its status meanwhile.
	FinishPoll(ctx context.Context, l job.Lease, i Instance, found []event.Event) (bool, error)

	// CreateEndpoint stores an endpoint. Conflict when the project has one for this toolkit and client.
	CreateEndpoint(ctx context.Context, e Endpoint) error
	Endpoint(ctx context.Context, projectID, id string) (Endpoint, error)
	// EndpointCalled finds an endpoint of any project by its id, which is all that a provider's call says.
	EndpointCalled(ctx context.Context, id string) (Endpoint, error)
	// EndpointFor finds the endpoint of a whole app.
	EndpointFor(ctx context.Context, projectID, toolkit, clientID string) (Endpoint, error)
	UpdateEndpoint(ctx context.Context, projectID, id string, update func(*Endpoint) error) (Endpoint, error)
	ListEndpoints(ctx context.Context, projectID, toolkit string) ([]Endpoint, error) // of whole apps only
	// Receive stores that a call came, and its events. False, and nothing stored, when it came before.
	Receive(ctx context.Context, e Endpoint, r Receipt, events []event.Event) (bool, error)
	// DeleteReceiptsBefore forgets calls that came before a time, and gives how many.
	DeleteReceiptsBefore(ctx context.Context, t time.Time) (int, error)
}

// Filter narrows ListInstances; zero values do not filter.
type Filter struct {
	IDs           []string
	Triggers      []string // slugs
	UserIDs       []string
	AccountIDs    []string
	AuthConfigIDs []string
	ShowStopped   bool // PAUSED and DISABLED ones too
	Limit         int
	Cursor        string
}
