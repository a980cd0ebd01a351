package connect

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Whoever has a link can pass it on, and the account of the person who follows it would then be the account of the user it was
// made for. The browser binding cannot see that: it is one browser from beginning to end. Only the application knows who sits
// there. So where the project names a verifier, a link ends there in place of the callback URL: the user's browser brings a
// claim to it, the application looks who is signed in at its own site, and redeems the claim for that user (CompleteAuth).
// Until then nothing is exchanged with the provider and the account holds nothing (docs/decisions/0105).

// claimPrefix makes a claim the URI that the contract speaks of (session_uri, section 10.5).
const claimPrefix = "urn:patchbay:connection:"

// waitingForApplication is the reason of an account whose user is still to be confirmed.
const waitingForApplication = "Signed in; waiting for the application to confirm who it was."

// heldAnswer is what came back from the provider and waits for the application's word. It is kept sealed as a whole.
type heldAnswer struct {
	Typed       bool           `json:"typed"` // nothing came back: the user typed fields, which are the request's Prefill
	Params      CallbackParams `json:"params"`
	State       string         `json:"state"`
	RedirectURI string         `json:"redirect_uri"`
	Verifier    string         `json:"verifier"`
}

func heldOf(h Handshake, p CallbackParams) heldAnswer {
	return heldAnswer{Params: p, State: h.State, RedirectURI: h.RedirectURI, Verifier: h.Verifier.Reveal()}
}

func (h heldAnswer) handshake() Handshake {
	return Handshake{State: h.State, RedirectURI: h.RedirectURI, Verifier: secret.Hide(h.Verifier)}
}

func (h heldAnswer) seal() (secret.Value, error) {
	text, err := json.Marshal(h)
	return secret.Hide(string(text)), err
}

func openHeld(v secret.Value) (h heldAnswer, err error) {
	if json.Unmarshal([]byte(v.Reveal()), &h) != nil {
		return h, errors.New("connect: what was held for a link cannot be read") // the cause would quote it
	}
	return h, nil
}

// verifier is where the user of a link goes to be recognised; empty where nobody asked for that.
func (s *Service) verifier(ctx context.Context, l link) (string, error) {
	if l.config.VerifierURL != "" {
		return l.config.VerifierURL, nil
	}
	chosen, err := s.o.Settings(ctx, l.request.ProjectID)
	return chosen.VerifierURL, err
}

// sendToVerifier keeps what the provider sent back and sends the browser to the application with a claim to it. The application has as
// long as a user has for a link.
func (s *Service) sendToVerifier(ctx context.Context, l link, verifier string, answer heldAnswer) (LinkStep, error) {
	sealed, err := answer.seal()
	if err != nil {
		return LinkStep{}, err
	}
	claim := id.NewSecret("cl")
	now := s.now().UTC()
	_, err = s.store.UpdateRequest(ctx, l.request.TokenHash, func(r *ConnectionRequest) error {
		if !r.FinishedAt.IsZero() || r.ClaimHash != "" {
			return linkUsed()
		}
		r.ClaimHash, r.Held, r.Prefill, r.ExpiresAt = secret.Hash(claim), sealed, l.values, now.Add(s.o.LinkLife)
		return nil
	})
	if err != nil {
		return LinkStep{}, err
	}
	_, err = s.change(ctx, l.account.ProjectID, l.account.ID, func(a *ConnectedAccount) error {
		if !a.pending() {
			return errSame
		}
		a.Status, a.StatusReason = Initiated, waitingForApplication
		return nil
	})
	return LinkStep{Redirect: withParam(verifier, "session_uri", claimPrefix+claim), View: s.waiting(ctx, l)}, err
}

// holdFields does the same with what the user typed, after the provider took it.
func (s *Service) holdFields(ctx context.Context, l link, verifier string) (LinkStep, error) {
	checking, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTimeout)
	defer cancel()
	tokens, err := issue(checking, l.scheme, l.grant)
	if err == nil {
		_, err = s.identify(checking, l.grant, l.scheme, l.account, over(l.values, tokens.Values), tokens.Who)
	}
	if faults := refusedFields(l, err); faults != nil {
		return LinkStep{Faults: faults, View: s.view(ctx, l)}, nil
	}
	if err != nil {
		return LinkStep{}, err
	}
	return s.sendToVerifier(ctx, l, verifier, heldAnswer{Typed: true})
}

// waiting is what the page shows until the application has said its word.
func (s *Service) waiting(ctx context.Context, l link) LinkView {
	v := s.view(ctx, l)
	v.Waiting, v.Fields, v.Status, v.Reason = true, nil, Initiated, ""
	return v
}

// stillWaiting answers a browser that comes back from the provider again.
func (s *Service) stillWaiting(ctx context.Context, r ConnectionRequest, browser string) (LinkStep, error) {
	l, err := s.loadLink(ctx, r)
	if err != nil {
		return LinkStep{}, err
	}
	if !l.begunBy(browser) {
		return LinkStep{}, wrongBrowser()
	}
	return LinkStep{View: s.waiting(ctx, l)}, nil
}

// Completed is a connection that the application confirmed.
type Completed struct {
	Account   ConnectedAccount
	ReturnURL string // where the link's maker wanted the browser afterwards, with the outcome; empty: nowhere
}

// CompleteAuth redeems the claim that a user's browser brought to the project's verifier: the account becomes userID's if the
// link was made for them. A claim works once, whoever redeems it. Faults: NotFound for one that is unknown, used, too old or
// another project's; Forbidden when the link was made for somebody else, which ends it; Unprocessable when the provider does
// not complete the sign-in.
func (s *Service) CompleteAuth(ctx context.Context, c tenant.Caller, sessionURI, userID string) (Completed, error) {
	claim, ok := strings.CutPrefix(strings.TrimSpace(sessionURI), claimPrefix)
	if !ok {
		return Completed{}, claimUnknown()
	}
	found, err := s.store.RequestByClaim(ctx, c.ProjectID, secret.Hash(claim))
	if fault.Is(err, fault.NotFound) || err == nil && (!s.now().Before(found.ExpiresAt) || found.ExpiresAt.Sub(s.now()) > s.longestLink()) {
		return Completed{}, claimUnknown()
	}
	if err != nil {
		return Completed{}, err
	}
	// From here on the claim is used up, and the caller may leave without disturbing what it has begun.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTimeout)
	defer cancel()
	var sealed secret.Value
	r, err := s.store.UpdateRequest(ctx, found.TokenHash, func(r *ConnectionRequest) error {
		if r.ClaimHash != found.ClaimHash || !r.FinishedAt.IsZero() {
			return claimUnknown()
		}
		sealed = r.Held
		r.ClaimHash, r.Held = "", secret.Value{}
		return nil
	})
	if err != nil {
		return Completed{}, err
	}
	l, err := s.loadLink(ctx, r)
	if err != nil {
		return Completed{}, err
	}
	if userID != r.UserID {
		if err := s.failLink(ctx, l, "IDENTITY_VERIFICATION_FAILED: somebody else than the user this link was made for signed in."); err != nil {
			return Completed{}, err
		}
		return Completed{}, fault.New(fault.Forbidden, fault.SlugLinkWrongUser, "The connection was begun for another user than %q; it was ended, and nothing was connected.", userID).
			WithFix("Have the user start a connection of their own. If this was the right user, make links and call complete_auth with the same user_id.")
	}
	return s.completeHeld(ctx, l, sealed)
}

// completeHeld goes on where the link was held.
func (s *Service) completeHeld(ctx context.Context, l link, sealed secret.Value) (Completed, error) {
	answer, err := openHeld(sealed)
	if err != nil {
		return Completed{}, err
	}
	var step LinkStep
	if answer.Typed {
		step, err = s.connectWithFields(ctx, l)
	} else {
		step, err = s.finishAtProvider(ctx, l, answer.handshake(), answer.Params)
	}
	if err != nil {
		return Completed{}, err
	}
	if len(step.Faults) > 0 { // the credential worked a moment ago
		if step, err = s.failed(ctx, l, cmp.Or(step.Faults[lastSecret(l)], step.Faults[""], "The credential is not accepted any more.")); err != nil {
			return Completed{}, err
		}
	}
	if step.View.Status != Active {
		return Completed{}, fault.New(fault.Unprocessable, fault.SlugAccountState, "The account was not connected: %s", step.View.Reason).
			WithFix("Make a new link for the user.")
	}
	a, err := s.store.Account(ctx, l.account.ProjectID, l.account.ID)
	return Completed{Account: a, ReturnURL: step.Redirect}, err
}

func claimUnknown() error {
	return fault.New(fault.NotFound, fault.SlugLinkNotFound, "This session_uri is not known here, was redeemed already, or is more than ten minutes old.").
		WithFix("Redeem it once, as soon as the user's browser brings it, with a key of the project that made the link. Otherwise make a new link.")
}

// withParam adds one query parameter to a URL and leaves the rest untouched.
func withParam(whole, name, value string) string {
	separator := "?"
	if strings.Contains(whole, "?") {
		separator = "&"
	}
	return whole + separator + name + "=" + url.QueryEscape(value)
}
