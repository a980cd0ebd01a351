package session

import (
	"context"
	"encoding/json"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Service is the one door to sessions.
type Service struct{}

// NewSession is what Create needs. Config is already in the domain's words; unknown slugs, foreign ids and contradictions
// are all reported in one fault.
type NewSession struct {
	UserID     string
	Config     Config
	TTL        int // seconds; 0: never ends
	Custom     CustomTools
	ConfigID   string   // saved configuration; reserved
	KnownNoise []string // keys of the request that were ignored, for the warnings
}

// Created is a session as create and attach answer it.
type Created struct {
	Session  Session
	Token    string // the session's own bearer; only known now
	View     *View
	Warnings []Warning
	Custom   CustomTools // as echoed, with final slugs
	Prompt   string      // assistive prompt
}

// Warning tells of something that was accepted but may surprise.
type Warning struct {
	Code    string
	Message string
}

func (s *Service) Create(ctx context.Context, c tenant.Caller, n NewSession) (Created, error) {
	panic("being written")
}

// Open gives the view of a session: what its user may see and call right now. Warm calls read memory only. A session token
// opens only its own session.
func (s *Service) Open(ctx context.Context, c tenant.Caller, id string) (*View, error) {
	panic("being written")
}

// Authenticate finds the caller behind a session token.
func (s *Service) Authenticate(ctx context.Context, token string) (tenant.Caller, error) {
	panic("being written")
}

// Optional tells an absent member from null and from a value (PATCH).
type Optional[T any] struct {
	Set, Null bool
	Value     T
}

// Patch changes a session (contract section 6.3): absent keeps, null clears, maps replace whole, blocks merge field by field.
type Patch struct {
	ExpectedVersion   int // 0: whatever it is
	Toolkits          Optional[*ToolkitFilter]
	Tools             Optional[map[string]ToolFilter]
	Tags              Optional[*TagFilter]
	AuthConfigs       Optional[map[string]string]
	ConnectedAccounts Optional[map[string][]string]
	ToolkitVersions   Optional[map[string]string]
	ManageConnections Optional[ManageConnectionsPatch]
	Workbench         Optional[WorkbenchPatch]
	MultiAccount      Optional[MultiAccountPatch]
	Preload           Optional[Preload]
	Search            Optional[bool]
	MultiExecute      Optional[bool]
	Timezone          Optional[string]
	LinkURLOverwrite  Optional[string]
	Permissions       Optional[json.RawMessage]
	Experimental      Optional[struct{}] // only its Null is looked at: clears timezone, overwrite and permissions
	TTL               Optional[int]
}

// The field-by-field patches of the merged blocks; nil keeps.
type (
	ManageConnectionsPatch struct {
		Enable, Wait, AllowRemoval *bool
		CallbackURL                Optional[string]
	}
	WorkbenchPatch struct {
		Enable, ProxyExecution *bool
		OffloadThreshold       *int
		Size                   *string
	}
	MultiAccountPatch struct {
		Enable, RequireExplicit *bool
		Max                     *int
	}
)

func (s *Service) Update(ctx context.Context, c tenant.Caller, id string, p Patch) (*View, []Warning, error) {
	panic("being written")
}
func (s *Service) Delete(ctx context.Context, c tenant.Caller, id string) error {
	panic("being written")
}
func (s *Service) List(ctx context.Context, c tenant.Caller, f Filter) ([]Session, connect.Page, error) {
	panic("being written")
}
func (s *Service) History(ctx context.Context, c tenant.Caller, id string, limit int, cursor string) ([]Revision, connect.Page, error) {
	panic("being written")
}

// CustomTools are tools that run in the application's own process (contract section 6.14). They come along with each
// request that needs them and are never stored.
type CustomTools struct {
	Tools    []CustomTool
	Toolkits []CustomToolkit
}

// CustomTool is one of them. Slug is final (LOCAL_…), OriginalSlug as sent.
type CustomTool struct {
	Slug, OriginalSlug, Name, Description string
	InputSchema, OutputSchema             json.RawMessage
	ExtendsToolkit                        string
	Preload                               bool
}

// CustomToolkit groups custom tools.
type CustomToolkit struct {
	Slug, Name, Description string
	Preload                 bool
	Tools                   []CustomTool
}

// Attach answers the session with the echo of custom tools, storing nothing.
func (s *Service) Attach(ctx context.Context, c tenant.Caller, id string, custom CustomTools) (Created, error) {
	panic("being written")
}

// ToolCall is a call inside a session: an app tool or a meta tool.
type ToolCall struct {
	Slug           string
	Arguments      map[string]any
	Account        string
	Custom         CustomTools
	Offload        bool // the caller lets large answers be stored and previewed
	IdempotencyKey string
	Origin         string // scheme and host under which links are made
	Via            string // "session", "mcp", "meta", "direct"
}

// Outcome is what a call came to. Links are connections that were started for the user during the call.
type Outcome struct {
	execute.Result
	Links []connect.Link
}

// Execute runs a tool or a meta tool under the session's policy.
func (s *Service) Execute(ctx context.Context, c tenant.Caller, id string, call ToolCall) (Outcome, error) {
	panic("being written")
}

// ExecuteMeta runs a meta tool outside any session (contract section 7.5): in the session named in the arguments, else the
// user's newest, else a passing default one.
func (s *Service) ExecuteMeta(ctx context.Context, c tenant.Caller, userID string, call ToolCall) (Outcome, error) {
	panic("being written")
}

// SearchRequest is the body of POST …/search.
type SearchRequest struct {
	Queries  []SearchQuery
	Model    string
	Toolkits []string
	Custom   CustomTools
	Workflow WorkflowRef
}

// SearchQuery is one sub-task.
type SearchQuery struct{ UseCase, KnownFields string }

// WorkflowRef is the search's own session id: a new one is asked for, or an earlier one goes on.
type WorkflowRef struct {
	ID       string
	Generate bool
}

// Search answers POST …/search; the meta tool COMPOSIO_SEARCH_TOOLS answers the same content in its own shape.
func (s *Service) Search(ctx context.Context, c tenant.Caller, id string, r SearchRequest) (SearchAnswer, error) {
	panic("being written")
}

// SearchAnswer is what a search found; the owner of meta_search.go gives it its fields (contract section 6.8).
type SearchAnswer struct{}

// LinkRequest is the body of POST …/link.
type LinkRequest struct {
	Toolkit, CallbackURL, Alias, Origin string
	AccountType                         string
	ACL                                 *connect.ACL
}

// Link starts a connection for the session's user.
func (s *Service) Link(ctx context.Context, c tenant.Caller, id string, r LinkRequest) (connect.Link, error) {
	panic("being written")
}

// ToolkitQuery filters Toolkits.
type ToolkitQuery struct {
	Slugs     []string
	Connected *bool
	Search    string
	Limit     int
	Cursor    string
}

// ToolkitState is a toolkit as the session's user stands to it.
type ToolkitState struct {
	Toolkit        *catalog.Toolkit
	Enabled        bool
	ManagedSchemes []string
	Account        *connect.ConnectedAccount // the one that would be used; nil when there is none
	AuthConfig     *connect.AuthConfig
	Problem        string // why a pinned account cannot be used, and how to mend it
}

// Toolkits lists the toolkits of a session with the account each would use.
func (s *Service) Toolkits(ctx context.Context, c tenant.Caller, id string, q ToolkitQuery) ([]ToolkitState, connect.Page, error) {
	panic("being written")
}

// Proxy sends a raw request to a toolkit's API with the account the session would use. call.Select is filled in here.
func (s *Service) Proxy(ctx context.Context, c tenant.Caller, id, toolkit string, call execute.ProxyCall) (execute.ProxyResult, error) {
	panic("being written")
}
