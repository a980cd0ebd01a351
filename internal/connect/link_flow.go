package connect

import (
	"context"
	"crypto/subtle"
	"slices"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// The browser's side of a connection, used by the Connect pages and the OAuth callback. It needs no Caller: the link token
// or the state is the credential, and the browser cookie ties both to one person.

// LinkView is what the page at /link/{token} shows, and what is shown when it is over.
type LinkView struct {
	Toolkit     string
	ToolkitName string
	Brand       Brand
	ProjectName string
	UserID      string // the application's name for whoever the link is for
	Scheme      string
	Redirects   bool        // the user goes to the provider to agree
	Fields      []LinkField // to be typed by the user; empty for a plain OAuth toolkit
	Guide       string      // how to find what the fields ask for; Markdown
	Scopes      []string
	Status      Status // Active or Failed once it is over
	Reason      string
	AccountID   string
	Identity    Identity // whose account was connected, or is to be connected anew
	ReturnURL   string   // where the application wants the browser once it is over; empty: nowhere
	Verifier    string   // where the browser goes before that, for the application to say who the user is; empty: nowhere
	Waiting     bool     // signed in, and the application has yet to say who that was
}

// LinkField is one input of the page.
type LinkField struct {
	Name, Title, Description, Type, Default, Help string
	Required, Secret                              bool
}

// LinkStep says where the browser goes next: a redirect, or the page again with faults by field name ("" for the form as a
// whole), or the page of how it ended.
type LinkStep struct {
	Redirect string
	Faults   map[string]string
	View     LinkView
}

// CallbackParams are what the provider sent back.
type CallbackParams struct {
	State, Code, Error, ErrorDescription, Issuer string
	Verifier                                     string // of OAuth 1, whose State is the temporary token
}

// OpenLink shows a link's page: 404 unknown, 410 expired or used, 403 when another browser has begun.
func (s *Service) OpenLink(ctx context.Context, token, browser string) (LinkView, error) {
	l, err := s.openLink(ctx, token)
	if err != nil {
		return LinkView{}, err
	}
	if l.request.Browser != "" && !l.begunBy(browser) {
		return LinkView{}, wrongBrowser()
	}
	if l.request.ClaimHash != "" {
		return s.waiting(ctx, l), nil
	}
	if l.account.Status == Initializing {
		l.account, err = s.change(ctx, l.account.ProjectID, l.account.ID, func(a *ConnectedAccount) error {
			if a.Status != Initializing {
				return errSame
			}
			a.Status, a.StatusReason = Initiated, "The user opened the link."
			return nil
		})
		if err != nil {
			return LinkView{}, err
		}
	}
	return s.view(ctx, l), nil
}

// SubmitLink takes the page's form. An OAuth toolkit yields a redirect to the provider. From here on the link belongs to this
// browser: opening alone does not count, because chat programs and mail filters open links before people do.
func (s *Service) SubmitLink(ctx context.Context, token, browser, origin string, form map[string]string) (LinkStep, error) {
	l, err := s.openLink(ctx, token)
	if err != nil {
		return LinkStep{}, err
	}
	if browser == "" {
		return LinkStep{}, wrongBrowser()
	}
	if l.request.ClaimHash != "" && l.begunBy(browser) {
		return LinkStep{View: s.waiting(ctx, l)}, nil
	}
	fields, faults := checkFields(asked(l), onlyAsked(l, form))
	if len(faults) > 0 {
		return LinkStep{Faults: faults, View: s.view(ctx, l)}, nil
	}
	l.request, err = s.store.UpdateRequest(ctx, l.request.TokenHash, func(r *ConnectionRequest) error {
		switch {
		case !r.FinishedAt.IsZero():
			return linkUsed()
		case r.Browser == "":
			r.Browser = secret.Hash(browser)
		case !same(r.Browser, secret.Hash(browser)):
			return wrongBrowser()
		}
		return nil
	})
	if err != nil {
		return LinkStep{}, err
	}
	l.values = over(over(unasked(l), l.request.Prefill), fields)
	l.grant.Values = over(l.grant.Values, l.values)
	if flow, ok := l.scheme.(redirecting); ok {
		return s.sendToProvider(ctx, l, flow, origin)
	}
	verifier, err := s.verifier(ctx, l)
	if err != nil {
		return LinkStep{}, err
	}
	if verifier != "" {
		return s.holdFields(ctx, l, verifier)
	}
	return s.connectWithFields(ctx, l)
}

// FinishCallback exchanges the code, labels the account and says where the browser goes. It changes nothing for a state that
// is unknown or was used, nor in another browser than the one that began, which can still finish.
func (s *Service) FinishCallback(ctx context.Context, p CallbackParams, browser, origin string) (LinkStep, error) {
	if p.State == "" {
		return LinkStep{}, stateUnknown()
	}
	found, err := s.store.RequestByState(ctx, secret.Hash(p.State))
	if fault.Is(err, fault.NotFound) {
		return LinkStep{}, stateUnknown()
	}
	if err != nil {
		return LinkStep{}, err
	}
	if found.ClaimHash != "" { // the way back was taken before
		return s.stillWaiting(ctx, found, browser)
	}
	if browser == "" || !same(found.Browser, secret.Hash(browser)) {
		return LinkStep{}, wrongBrowser()
	}
	// From here on the state is used up, and the browser may leave without disturbing what it has begun.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTimeout)
	defer cancel()
	h := Handshake{State: p.State}
	r, err := s.store.UpdateRequest(ctx, found.TokenHash, func(r *ConnectionRequest) error {
		if !r.FinishedAt.IsZero() || r.RedirectURI == "" || r.StateHash != found.StateHash {
			return linkUsed()
		}
		h.RedirectURI, h.Verifier = r.RedirectURI, r.Verifier
		r.RedirectURI, r.Verifier = "", secret.Value{}
		return nil
	})
	if err != nil {
		return LinkStep{}, err
	}
	l, err := s.loadLink(ctx, r)
	if err != nil {
		return LinkStep{}, err
	}
	verifier, err := s.verifier(ctx, l)
	if err != nil {
		return LinkStep{}, err
	}
	if verifier != "" && p.Error == "" {
		return s.sendToVerifier(ctx, l, verifier, heldOf(h, p))
	}
	return s.finishAtProvider(ctx, l, h, p)
}

// link is a request with everything that belongs to it.
type link struct {
	request ConnectionRequest
	account ConnectedAccount
	config  AuthConfig
	grant   Grant
	scheme  Scheme
	values  Fields // that the application and the user gave
}

func (l link) begunBy(browser string) bool {
	return browser != "" && same(l.request.Browser, secret.Hash(browser))
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// openLink finds a link by its token. It must not be over.
func (s *Service) openLink(ctx context.Context, token string) (link, error) {
	r, err := s.store.RequestByToken(ctx, secret.Hash(token))
	if err != nil {
		return link{}, err
	}
	return s.loadLink(ctx, r)
}

// loadLink reads what belongs to a request. A request that is over is a fault; one whose time is over ends its account too.
func (s *Service) loadLink(ctx context.Context, r ConnectionRequest) (link, error) {
	if !r.FinishedAt.IsZero() {
		return link{}, linkUsed()
	}
	if left := r.ExpiresAt.Sub(s.now()); left <= 0 || left > s.longestLink() {
		if err := s.expireLinks(ctx); err != nil {
			return link{}, err
		}
		return link{}, linkExpired()
	}
	l := link{request: r, values: r.Prefill}
	var err error
	if l.account, err = s.store.Account(ctx, r.ProjectID, r.AccountID); err != nil {
		return link{}, err
	}
	if l.config, err = s.config(ctx, r.ProjectID, l.account.AuthConfigID); err != nil {
		return link{}, err
	}
	l.grant, l.scheme, err = s.grant(tenant.Caller{ProjectID: r.ProjectID}, l.config, l.account.Scheme, r.Prefill)
	return l, err
}

// expireLinks ends the links whose time is over, with their accounts.
func (s *Service) expireLinks(ctx context.Context) error {
	now := s.now()
	expired, err := s.store.ExpireRequests(ctx, now, now.Add(s.longestLink()), linkTimedOut)
	if s.o.StatusChanged == nil {
		return err
	}
	for _, e := range expired {
		a, readErr := s.store.Account(ctx, e.ProjectID, e.AccountID)
		if readErr == nil && a.Status == Expired { // or somebody was quicker, and told of that
			s.o.StatusChanged(ctx, e.Before, a)
		}
	}
	return err
}

// longestLink is the longest that a link can have to live. More is left only when the clock was turned back since it was made,
// and then it is over: it must not live on for as long as the clock went back.
func (s *Service) longestLink() time.Duration { return 2 * s.o.LinkLife }

// view is what the page shows of a link.
func (s *Service) view(ctx context.Context, l link) LinkView {
	_, redirects := l.scheme.(redirecting)
	v := LinkView{
		Toolkit: l.grant.Toolkit.Slug, ToolkitName: l.grant.Toolkit.Name, UserID: l.account.UserID,
		Brand: s.brand(ctx, l.account.ProjectID), ProjectName: s.projectName(ctx, l.account.ProjectID), Scheme: l.account.Scheme, Redirects: redirects,
		Scopes: slices.Concat(l.grant.Scopes, l.grant.User), Status: l.account.Status, Reason: l.account.StatusReason,
		AccountID: l.account.ID, Identity: l.account.Identity, ReturnURL: l.request.CallbackURL,
	}
	v.Verifier, _ = s.verifier(ctx, l) // only to let the page go there; the form fails with the error
	if !redirects {
		v.Guide = l.grant.Declared.Guide
	}
	for _, f := range asked(l) {
		v.Fields = append(v.Fields, LinkField{
			Name: f.Name, Title: title(f), Description: f.Description, Type: f.Type, Default: f.Default, Help: f.Help,
			Required: f.Required, Secret: f.Secret,
		})
	}
	return v
}

// asked are the fields that the user has to fill in: those nobody gave yet, and that a user may give.
func asked(l link) []catalog.Field {
	only := projectOnly(l.config, l.scheme, l.grant)
	return slices.DeleteFunc(slices.Clone(l.grant.Declared.AccountFields), func(f catalog.Field) bool {
		return only[f.Name] || !l.request.Prefill[f.Name].Empty() || !l.config.Shared[f.Name].Empty() ||
			!ofConfig(l.scheme, l.grant)[f.Name].Empty()
	})
}

// unasked are the usual values of fields that only the project may give, and did not.
func unasked(l link) Fields {
	usual, only := Fields{}, projectOnly(l.config, l.scheme, l.grant)
	for _, f := range l.grant.Declared.AccountFields {
		if only[f.Name] && f.Default != "" && l.grant.Values[f.Name].Empty() && ofConfig(l.scheme, l.grant)[f.Name].Empty() {
			usual[f.Name] = secret.Hide(f.Default)
		}
	}
	return usual
}

// onlyAsked drops whatever the form was not asked for.
func onlyAsked(l link, form map[string]string) map[string]string {
	kept := make(map[string]string)
	for _, f := range asked(l) {
		if v, ok := form[f.Name]; ok {
			kept[f.Name] = v
		}
	}
	return kept
}

// ended is where the browser goes when a link is over: to the application, which is told how it went, or to our own page.
func (s *Service) ended(ctx context.Context, l link, a ConnectedAccount, status Status, reason string) LinkStep {
	l.account = a
	v := s.view(ctx, l)
	v.Status, v.Reason, v.Fields, v.ReturnURL = status, reason, nil, ""
	if l.request.CallbackURL == "" {
		return LinkStep{View: v}
	}
	word := "success"
	if status != Active {
		word = "failed"
	}
	v.ReturnURL = withOutcome(l.request.CallbackURL, word, a.ID)
	return LinkStep{Redirect: v.ReturnURL, View: v}
}

// withOutcome adds the outcome to a callback URL and leaves its own query untouched.
func withOutcome(callback, status, accountID string) string {
	whole, fragment, hasFragment := strings.Cut(callback, "#")
	separator := "?"
	if strings.Contains(whole, "?") {
		separator = "&"
		if strings.HasSuffix(whole, "?") || strings.HasSuffix(whole, "&") {
			separator = ""
		}
	}
	whole += separator + "status=" + status + "&connected_account_id=" + accountID
	if hasFragment {
		whole += "#" + fragment
	}
	return whole
}
