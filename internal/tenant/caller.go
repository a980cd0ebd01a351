package tenant

// Caller is whoever made a request, after its credential was checked. It is passed as an argument, never through a
// context, so that a signature shows who a method acts for. Every query is scoped by Project.
type Caller struct {
	ProjectID string
	KeyID     string // which project key was used; empty for a session token
	SessionID string // set when the credential opens this one session and nothing else
	UserID    string // set when the credential is one person's, besides SessionID: the session must be this user's
	RequestID string // for logs and error envelopes
}

// Restricted reports whether the caller may reach one session only.
func (c Caller) Restricted() bool { return c.SessionID != "" || c.UserID != "" }
