package connect

import "context"

// The browser's side of a connection, used by the Connect pages and the OAuth callback. It needs no Caller: the link token
// or the state is the credential, and the browser cookie ties both to one person.

// LinkView is what the page at /link/{token} shows.
type LinkView struct {
	Toolkit     string
	ToolkitName string
	ProjectName string
	Scheme      string
	Fields      []LinkField // to be typed by the user; empty for a plain OAuth toolkit
	Scopes      []string
	Status      Status
	Reason      string
	AccountID   string
	ReturnURL   string // where "back" goes once it is over; empty without a callback URL
}

// LinkField is one input of the page.
type LinkField struct {
	Name, Title, Description, Type, Default, Help string
	Required, Secret                              bool
}

// LinkStep says where the browser goes next: a redirect, or the page again with faults by field name.
type LinkStep struct {
	Redirect string
	Faults   map[string]string
	View     LinkView
}

// OpenLink shows a link's page: 404 unknown, 410 expired or used.
func (s *Service) OpenLink(ctx context.Context, token, browser string) (LinkView, error) {
	panic("being written")
}

// SubmitLink takes the page's form. An OAuth toolkit yields a redirect to the provider.
func (s *Service) SubmitLink(ctx context.Context, token, browser, origin string, form map[string]string) (LinkStep, error) {
	panic("being written")
}

// CallbackParams are what the provider sent back.
type CallbackParams struct {
	State, Code, Error, ErrorDescription, Issuer string
}

// FinishCallback exchanges the code, labels the account and says where the browser goes.
func (s *Service) FinishCallback(ctx context.Context, p CallbackParams, browser, origin string) (LinkStep, error) {
	panic("being written")
}
