package connect

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// How long a provider may take.
const (
	exchangeTimeout = 45 * time.Second // of everything that follows a callback
	probeTimeout    = 10 * time.Second
)

// linkTimedOut is the reason of an account whose link was not finished in time.
const linkTimedOut = "The link was not finished in time."

// sendToProvider notes what the way back needs and says where the browser goes.
func (s *Service) sendToProvider(ctx context.Context, l link, flow redirecting, origin string) (LinkStep, error) {
	h := Handshake{State: id.NewSecret("st"), RedirectURI: s.redirectURI(l.grant, origin)}
	target, err := flow.Begin(ctx, l.grant, &h)
	if err != nil {
		return LinkStep{Faults: map[string]string{"": transientText(err)}, View: s.view(ctx, l)}, nil
	}
	l.values = over(l.values, h.Kept)
	now := s.now().UTC()
	_, err = s.store.UpdateRequest(ctx, l.request.TokenHash, func(r *ConnectionRequest) error {
		if !r.FinishedAt.IsZero() {
			return linkUsed()
		}
		r.StateHash, r.RedirectURI, r.Verifier, r.Prefill = secret.Hash(h.State), h.RedirectURI, h.Verifier, l.values
		r.ExpiresAt = now.Add(s.o.LinkLife) // signing in, with a second factor, takes its own time
		return nil
	})
	if err != nil {
		return LinkStep{}, err
	}
	_, err = s.change(ctx, l.account.ProjectID, l.account.ID, func(a *ConnectedAccount) error {
		if !a.pending() {
			return errSame
		}
		a.Status, a.StatusReason = Initiated, "The user was sent to "+l.grant.Toolkit.Name+"."
		return nil
	})
	return LinkStep{Redirect: target}, err
}

// redirectURI is where the provider sends the user back to: the auth config's own, for projects with a domain of their own in
// front, or ours.
func (s *Service) redirectURI(g Grant, origin string) string {
	if own := g.Client["oauth_redirect_uri"]; !own.Empty() {
		return own.Reveal()
	}
	return s.origin(origin) + s.o.CallbackPath
}

// finishAtProvider turns what the provider sent back into a connected account, or a failed one.
func (s *Service) finishAtProvider(ctx context.Context, l link, h Handshake, p CallbackParams) (LinkStep, error) {
	flow, ok := l.scheme.(redirecting)
	if !ok {
		return LinkStep{}, stateUnknown()
	}
	if p.Error != "" {
		return s.failed(ctx, l, denial(l, p))
	}
	tokens, err := flow.Finish(ctx, l.grant, h, p)
	if err != nil {
		return s.failed(ctx, l, l.grant.Toolkit.Name+" did not complete the sign-in: "+err.Error())
	}
	a, err := s.complete(ctx, l, tokens)
	if errors.Is(err, errRejected) {
		return s.failed(ctx, l, l.grant.Toolkit.Name+" gave a token and then did not accept it.")
	}
	if fault.Is(err, fault.Invalid) {
		return s.failed(ctx, l, fault.From(err).Message)
	}
	if err != nil {
		return LinkStep{}, err
	}
	return s.ended(ctx, l, a, Active, a.StatusReason), nil
}

// denial says in words what the provider answered instead of a code (RFC 6749 section 4.1.2.1).
func denial(l link, p CallbackParams) string {
	if p.Error == "access_denied" {
		return "Access was not allowed at " + l.grant.Toolkit.Name + "."
	}
	return forPeople(l.grant.Toolkit.Name + " refused: " + strings.TrimSuffix(p.Error+": "+p.ErrorDescription, ": "))
}

// connectWithFields connects an account by what the user typed. A credential that the provider refuses is a fault beside its
// field, and the user may try again.
func (s *Service) connectWithFields(ctx context.Context, l link) (LinkStep, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTimeout)
	defer cancel()
	var a ConnectedAccount
	tokens, err := issue(ctx, l.scheme, l.grant)
	if err == nil {
		a, err = s.complete(ctx, l, tokens)
	}
	if faults := refusedFields(l, err); faults != nil {
		return LinkStep{Faults: faults, View: s.view(ctx, l)}, nil
	}
	if err != nil {
		return LinkStep{}, err
	}
	return s.ended(ctx, l, a, Active, a.StatusReason), nil
}

// refusedFields says beside which field the form shows that the provider does not take what was typed; nil for other errors.
func refusedFields(l link, err error) map[string]string {
	var p *providerError
	switch {
	case fault.Is(err, fault.Invalid):
		return map[string]string{"": fault.From(err).Message}
	case errors.As(err, &p):
		return map[string]string{lastSecret(l): l.grant.Toolkit.Name + " does not accept this: " + p.text}
	case errors.Is(err, errRejected):
		return map[string]string{lastSecret(l): l.grant.Toolkit.Name + " does not accept this. Check it and try again."}
	}
	return nil
}

// lastSecret names the field beside which a refusal is shown; empty: the form as a whole.
func lastSecret(l link) string {
	at := ""
	for _, f := range asked(l) {
		if f.Secret {
			at = f.Name
		}
	}
	return at
}

// complete stores what was granted, makes the account ACTIVE and uses the link up.
func (s *Service) complete(ctx context.Context, l link, t Tokens) (ConnectedAccount, error) {
	values := over(l.values, t.Values)
	who, err := s.identify(ctx, l.grant, l.scheme, l.account, values, t.Who)
	if err != nil {
		return ConnectedAccount{}, err
	}
	note := s.sameElsewhere(ctx, l.account, who)
	if err := s.finishRequest(ctx, l.request); err != nil { // first: of the same form posted twice, one connects
		return ConnectedAccount{}, err
	}
	now := s.now().UTC()
	a, err := s.change(ctx, l.account.ProjectID, l.account.ID, func(a *ConnectedAccount) error {
		if a.Status == Inactive {
			return fault.New(fault.Conflict, fault.SlugAccountState, "This account was switched off meanwhile.")
		}
		if note == "" && a.Identity.ID != "" && who.ID != "" && a.Identity.ID != who.ID {
			note = "Now signed in as " + who.Label() + "; it was " + a.Identity.Label() + " before."
		}
		s.activate(a, l.grant, values, t, who, now)
		a.StatusReason = note
		return nil
	})
	if err != nil {
		return ConnectedAccount{}, errors.Join(err, s.unfinishRequest(ctx, l.request))
	}
	s.troubles.over(a.ID)
	return a, nil
}

// activate puts a new grant on an account. A refresh token that the provider did not give again stays, if the same person
// signed in: Google gives it only the first time.
func (s *Service) activate(a *ConnectedAccount, g Grant, values Fields, t Tokens, who Identity, now time.Time) {
	if old := a.Values["refresh_token"]; !old.Empty() && values["refresh_token"].Empty() && who.ID != "" && who.ID == a.Identity.ID {
		values = over(values, Fields{"refresh_token": old})
	}
	a.Status, a.Values, a.Identity, a.TokenExpiry, a.ConnectedAt = Active, values, who, t.Expiry, now
	if a.Scopes = t.Scopes; a.Scopes == nil {
		a.Scopes = append(append([]string(nil), g.Scopes...), g.User...)
	}
}

// identify asks whose account it is. That it cannot be found out does not stop a connection; that the credential is refused
// does (errRejected).
func (s *Service) identify(ctx context.Context, g Grant, scheme Scheme, a ConnectedAccount, values Fields, claimed Identity) (Identity, error) {
	g.Values = over(g.Values, values)
	cred, err := newCredential(scheme, g, a.ID, a.Scheme)
	if err != nil {
		return Identity{}, err
	}
	if err := checkBase(g.Toolkit, cred.Fields); err != nil {
		return Identity{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	who, err := s.auth.whoIs(ctx, g.Toolkit, cred)
	if errors.Is(err, errRejected) {
		return Identity{}, err
	}
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "could not find out whose account was connected", slog.String("account", a.ID),
			slog.String("toolkit", a.Toolkit), slog.String("error", scrubbed(err, g, nil).Error()))
	}
	setDefault(&who.ID, forPeople(claimed.ID))
	setDefault(&who.Name, forPeople(claimed.Name))
	setDefault(&who.Email, forPeople(claimed.Email))
	setDefault(&who.Avatar, httpsOnly(claimed.Avatar))
	return who, nil
}

// checkBase refuses connection fields of which no address of the toolkit's API can be made: the account would be ACTIVE, and no
// call with it could ever be sent.
func checkBase(t *catalog.Toolkit, fields map[string]string) error {
	if t.BaseURL == nil {
		return nil
	}
	if _, err := t.BaseURL.ExpandFields(fields); err != nil {
		f := fault.From(err)
		return fault.New(fault.Invalid, fault.SlugAccountInvalid, "The connection data for %s is not right: %s", t.Name, f.Message).
			WithFix("Mend that field.").Because(err)
	}
	return nil
}

// sameElsewhere notes that the user connected the same account of the provider before, under the same auth config. Both are
// kept (docs/decisions/0043).
func (s *Service) sameElsewhere(ctx context.Context, a ConnectedAccount, who Identity) string {
	if who.ID == "" {
		return ""
	}
	others, err := s.AccountsOf(ctx, tenant.Caller{ProjectID: a.ProjectID}, a.UserID)
	if err != nil {
		return ""
	}
	for _, o := range others {
		if o.ID != a.ID && o.Status == Active && o.AuthConfigID == a.AuthConfigID && o.Identity.ID == who.ID {
			return "The same account is also connected as " + o.ID + "."
		}
	}
	return ""
}

// failed ends a link and says why.
func (s *Service) failed(ctx context.Context, l link, reason string) (LinkStep, error) {
	if err := s.failLink(ctx, l, reason); err != nil {
		return LinkStep{}, err
	}
	return s.ended(ctx, l, l.account, Failed, reason), nil
}

// failLink uses a link up without connecting. An account that worked before goes on working.
func (s *Service) failLink(ctx context.Context, l link, reason string) error {
	_, err := s.change(ctx, l.account.ProjectID, l.account.ID, func(a *ConnectedAccount) error {
		if !a.pending() {
			return errSame
		}
		a.Status, a.StatusReason = Failed, reason
		return nil
	})
	if err != nil {
		return err
	}
	return s.finishRequest(ctx, l.request)
}

// finishRequest uses a link up. One that somebody else used up meanwhile is a fault.
func (s *Service) finishRequest(ctx context.Context, r ConnectionRequest) error {
	_, err := s.store.UpdateRequest(ctx, r.TokenHash, func(r *ConnectionRequest) error {
		if !r.FinishedAt.IsZero() {
			return linkUsed()
		}
		r.FinishedAt = s.now().UTC()
		r.Verifier, r.Prefill = secret.Value{}, nil
		r.ClaimHash, r.Held = "", secret.Value{}
		return nil
	})
	return err
}

// unfinishRequest gives a link back whose account could not be stored.
func (s *Service) unfinishRequest(ctx context.Context, r ConnectionRequest) error {
	_, err := s.store.UpdateRequest(ctx, r.TokenHash, func(now *ConnectionRequest) error {
		now.FinishedAt, now.Prefill = time.Time{}, r.Prefill
		return nil
	})
	return err
}

func linkUsed() error {
	return fault.New(fault.Gone, fault.SlugLinkUsed, "A link works once, and this one was used.").
		WithFix("If the account is not connected, ask for a new link where you got this one.")
}

func linkExpired() error {
	return fault.New(fault.Gone, fault.SlugLinkExpired, "The link was not used in time.").
		WithFix("Ask for a new link where you got this one.")
}

func stateUnknown() error {
	return fault.New(fault.NotFound, fault.SlugLinkNotFound, "This sign-in is not known here, or it was finished already.").
		WithFix("If you only reloaded the page, nothing more is needed. Otherwise ask for a new link.")
}

func wrongBrowser() error {
	return fault.New(fault.Forbidden, fault.SlugLinkWrongBrowser, "This sign-in was begun in another browser.").
		WithFix("Ask for a new link and open it in the browser in which you want to sign in, from beginning to end.")
}
