package connect

// Selection says for whom, and under which constraints, an account of a toolkit is to be chosen. Precedence: Pinned, then
// AuthConfigID, then any auth config of the project (the most recently connected ACTIVE account wins).
type Selection struct {
	UserID          string
	Toolkit         string
	AccountID       string   // exactly this one (tools/execute with connected_account_id)
	Account         string   // the caller's choice among several: id, word id or alias
	Pinned          []string // the session's accounts for this toolkit: used exactly, no fallback
	AuthConfigID    string   // the session's auth config for this toolkit
	RequireExplicit bool     // several ACTIVE accounts and no Account named is an error that lists them
	ForSession      bool     // the auth config must be enabled for sessions; SHARED accounts only when pinned
}
