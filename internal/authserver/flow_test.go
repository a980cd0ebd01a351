package authserver_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/authserver"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

func TestAPersonLetsAClientIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.register(loopback)
	answer := w.agree("ada", request(client, "redirect_uri", "http://127.0.0.1:4711/callback"))
	if answer.Get("state") != "the state" || answer.Get("iss") != origin || len(answer) != 3 {
		t.Errorf("the answer is %v", answer)
	}
	tokens, err := w.redeem(client, answer.Get("code"), "redirect_uri", "http://127.0.0.1:4711/callback")
	w.must(err)
	if tokens.Life != time.Hour || tokens.Scope != "tools" || tokens.Refresh.Empty() {
		t.Errorf("got %+v", tokens)
	}
	if who := w.opens(tokens.Access); who != "ada" {
		t.Errorf("the token opens the endpoint of %q", who)
	}
	grants, err := w.ListGrants(t.Context(), w.project, "ada")
	w.must(err)
	if len(grants) != 1 || grants[0].ClientName != "A client" || grants[0].ClientHost != "this computer" || grants[0].Resource != personal {
		t.Errorf("grants: %+v", grants)
	}

	w.pass(time.Hour)
	if who := w.opens(tokens.Access); who != "" {
		t.Error("an access token works after its end")
	}
	next, err := w.refresh(client, tokens.Refresh)
	w.must(err)
	if who := w.opens(next.Access); who != "ada" || next.Refresh == tokens.Refresh {
		t.Errorf("after a refresh it opens the endpoint of %q", who)
	}
	w.pass(30 * 24 * time.Hour)
	_, err = w.refresh(client, next.Refresh)
	wantSlug(t, "a refresh token after its end", err, fault.SlugOAuthInvalidGrant)
}

func TestNothingElseIsNeededThanOAuthSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.register("https://client.example/cb?own=1")
	answer := w.agree("ada", request(client, "redirect_uri", "", "state", "", "resource", "", "scope", ""))
	if answer.Get("own") != "1" || answer.Has("state") {
		t.Errorf("the answer is %v", answer)
	}
	tokens, err := w.redeem(client, answer.Get("code"), "redirect_uri", "", "resource", "")
	w.must(err)
	if who := w.opens(tokens.Access); who != "ada" {
		t.Errorf("without a resource the token opens the endpoint of %q", who)
	}
}

func TestACodeThatComesTwiceEndsEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.register(loopback)
	code := w.agree("ada", request(client)).Get("code")
	tokens, err := w.redeem(client, code)
	w.must(err)
	if w.opens(tokens.Access) != "ada" {
		t.Fatal("the token does not work")
	}
	_, err = w.redeem(client, code)
	wantSlug(t, "the second time", err, fault.SlugOAuthInvalidGrant)
	if w.opens(tokens.Access) != "" {
		t.Error("the access token works on")
	}
	_, err = w.refresh(client, tokens.Refresh)
	wantSlug(t, "the refresh token", err, fault.SlugOAuthInvalidGrant)
}

func TestARefreshTokenThatComesTwiceEndsEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.register(loopback)
	first := w.letIn(client)
	second, err := w.refresh(client, first.Refresh)
	w.must(err)
	_, err = w.refresh(client, first.Refresh)
	wantSlug(t, "the second time", err, fault.SlugOAuthInvalidGrant)
	for name, token := range map[string]secret.Value{"first": first.Access, "second": second.Access} {
		if w.opens(token) != "" {
			t.Errorf("the %s access token works on", name)
		}
	}
	_, err = w.refresh(client, second.Refresh)
	wantSlug(t, "the newest refresh token", err, fault.SlugOAuthInvalidGrant)
}

// meeting lets a code or a token be looked up by several before the first of them goes on.
type meeting struct {
	authserver.Store
	codes, tokens sync.WaitGroup
}

func (m *meeting) GrantByCode(ctx context.Context, hash string) (authserver.Grant, error) {
	g, err := m.Store.GrantByCode(ctx, hash)
	m.codes.Done()
	m.codes.Wait()
	return g, err
}

func (m *meeting) TokenByHash(ctx context.Context, hash string) (authserver.Token, authserver.Grant, error) {
	token, g, err := m.Store.TokenByHash(ctx, hash)
	m.tokens.Done()
	m.tokens.Wait()
	return token, g, err
}

// TestWhatComesTwiceAtOnceEndsEverything: of those who come together with one code, or one refresh token, none keeps what they get.
func TestWhatComesTwiceAtOnceEndsEverything(t *testing.T) {
	t.Parallel()
	const visitors = 4
	var m *meeting
	w := newWorld(t, func(w *world, o *authserver.Options) {
		m = &meeting{Store: w.store}
		o.Store = m
	})
	client := w.register(loopback)
	together := func(exchange func() (authserver.Tokens, error)) (got []authserver.Tokens) {
		t.Helper()
		var mu sync.Mutex
		var all sync.WaitGroup
		for range visitors {
			all.Go(func() {
				tokens, err := exchange()
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					got = append(got, tokens)
				} else {
					wantSlug(t, "whoever comes too late", err, fault.SlugOAuthInvalidGrant)
				}
			})
		}
		all.Wait()
		if len(got) > 1 {
			t.Errorf("%d of %d got tokens", len(got), visitors)
		}
		return got
	}
	check := func(got []authserver.Tokens) {
		t.Helper()
		m.tokens.Add(len(got))
		for _, tokens := range got {
			if w.opens(tokens.Access) != "" {
				t.Error("an access token works on")
			}
		}
	}
	code := w.agree("ada", request(client)).Get("code")
	m.codes.Add(visitors)
	check(together(func() (authserver.Tokens, error) { return w.redeem(client, code) }))

	m.codes.Add(1)
	first := w.letIn(client)
	m.tokens.Add(visitors)
	check(together(func() (authserver.Tokens, error) { return w.refresh(client, first.Refresh) }))
}

func TestCodesAreBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client, thief := w.register(loopback), w.register(loopback)
	for name, tc := range map[string]struct {
		client  authserver.Client
		changes []string
		after   time.Duration
		slug    string
	}{
		"another verifier":         {changes: []string{"code_verifier", strings.Repeat("x", 43)}, slug: fault.SlugOAuthInvalidGrant},
		"no verifier":              {changes: []string{"code_verifier", ""}, slug: fault.SlugOAuthInvalidGrant},
		"the challenge as such":    {changes: []string{"code_verifier", challenge()}, slug: fault.SlugOAuthInvalidGrant},
		"another client":           {client: thief, slug: fault.SlugOAuthInvalidGrant},
		"another redirect URI":     {changes: []string{"redirect_uri", "http://127.0.0.1:1/callback"}, slug: fault.SlugOAuthInvalidGrant},
		"another resource":         {changes: []string{"resource", sessions}, slug: fault.SlugOAuthInvalidTarget},
		"another server":           {changes: []string{"resource", "https://other.example/mcp"}, slug: fault.SlugOAuthInvalidTarget},
		"too late":                 {after: time.Minute, slug: fault.SlugOAuthInvalidGrant},
		"a client that is not one": {client: authserver.Client{ID: "oc_none", RedirectURIs: []string{loopback}}, slug: fault.SlugOAuthInvalidClient},
		"another grant type":       {changes: []string{"grant_type", "password"}, slug: fault.SlugOAuthUnsupportedGrantType},
	} {
		code := w.agree("ada", request(client)).Get("code")
		w.pass(tc.after)
		by := tc.client
		if by.ID == "" {
			by = client
		}
		_, err := w.redeem(by, code, tc.changes...)
		wantSlug(t, name, err, tc.slug)
		if tc.after == 0 { // whoever guessed gains nothing, and does no harm either
			if _, err := w.redeem(client, code); err != nil {
				t.Errorf("%s: then the client itself: %v", name, err)
			}
		}
	}
	_, err := w.redeem(client, "oco_made-up")
	wantSlug(t, "a made-up code", err, fault.SlugOAuthInvalidGrant)
}

// TestVerifiersAreLong: one that can be guessed protects nothing (RFC 7636 section 4.1).
func TestVerifiersAreLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.register(loopback)
	for verifier, long := range map[string]bool{
		strings.Repeat("v", 42): false, strings.Repeat("v", 43): true, strings.Repeat("v", 128): true, strings.Repeat("v", 129): false,
	} {
		code := w.agree("ada", request(client, "code_challenge", s256(verifier))).Get("code")
		if _, err := w.redeem(client, code, "code_verifier", verifier); (err == nil) != long {
			t.Errorf("%d characters: %v", len(verifier), err)
		}
	}
}

func TestTokensAreBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client, thief := w.register(loopback), w.register(loopback)
	tokens := w.letIn(client, "resource", sessions)
	ctx := t.Context()
	if person, err := w.Person(ctx, tokens.Access.Reveal(), origin, "/tool_router/trs_ada/mcp"); err != nil || person.UserID != "ada" {
		t.Errorf("at its own endpoint: %+v, %v", person, err)
	}
	for name, at := range map[string][2]string{
		"the personal endpoint":      {origin, "/mcp"},
		"another session":            {origin, "/tool_router/trs_other/mcp"},
		"another name of the server": {"https://other.example", "/tool_router/trs_ada/mcp"},
		"no MCP endpoint":            {origin, ""},
		"a server of the older API":  {origin, "/v3/mcp/x"},
	} {
		_, err := w.Person(ctx, tokens.Access.Reveal(), at[0], at[1])
		wantSlug(t, name, err, fault.SlugOAuthInvalidToken)
	}
	_, err := w.Person(ctx, tokens.Refresh.Reveal(), origin, "/tool_router/trs_ada/mcp")
	wantSlug(t, "a refresh token as access token", err, fault.SlugOAuthInvalidToken)
	_, err = w.Person(ctx, w.keys["ada"], origin, "/tool_router/trs_ada/mcp")
	wantSlug(t, "a personal key elsewhere", err, fault.SlugOAuthInvalidToken)
	if person, err := w.Person(ctx, w.keys["bob"], origin, "/mcp"); err != nil || person.UserID != "bob" {
		t.Errorf("a personal key: %+v, %v", person, err)
	}
	_, err = w.refresh(thief, tokens.Refresh)
	wantSlug(t, "another client", err, fault.SlugOAuthInvalidGrant)
	_, err = w.refresh(client, tokens.Refresh, "resource", personal)
	wantSlug(t, "another resource", err, fault.SlugOAuthInvalidTarget)
	_, err = w.refresh(client, tokens.Access)
	wantSlug(t, "an access token as refresh token", err, fault.SlugOAuthInvalidGrant)
	if _, err = w.refresh(client, tokens.Refresh); err != nil {
		t.Errorf("none of that was its use: %v", err)
	}
}

func TestAuthorizationRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.register("https://client.example/cb")
	ada, bob := w.signIn("ada").Person, w.signIn("bob").Person
	for name, tc := range map[string]struct {
		changes []string
		slug    string
		silent  bool // the client is not told
	}{
		"no client":              {changes: []string{"client_id", ""}, slug: fault.SlugOAuthInvalidRequest, silent: true},
		"an unknown client":      {changes: []string{"client_id", "oc_none"}, slug: fault.SlugOAuthInvalidClient, silent: true},
		"another place":          {changes: []string{"redirect_uri", "https://evil.example/cb"}, slug: fault.SlugOAuthInvalidRedirectURI, silent: true},
		"a place that looks so":  {changes: []string{"redirect_uri", "https://client.example.evil.example/cb"}, slug: fault.SlugOAuthInvalidRedirectURI, silent: true},
		"a longer path":          {changes: []string{"redirect_uri", "https://client.example/cb/../evil"}, slug: fault.SlugOAuthInvalidRedirectURI, silent: true},
		"a query more":           {changes: []string{"redirect_uri", "https://client.example/cb?x"}, slug: fault.SlugOAuthInvalidRedirectURI, silent: true},
		"a name before the host": {changes: []string{"redirect_uri", "https://client.example@evil.example/cb"}, slug: fault.SlugOAuthInvalidRedirectURI, silent: true},
		"the implicit flow":      {changes: []string{"response_type", "token"}, slug: fault.SlugOAuthUnsupportedResponseType},
		"a fragment":             {changes: []string{"response_mode", "fragment"}, slug: fault.SlugOAuthInvalidRequest},
		"no PKCE":                {changes: []string{"code_challenge", ""}, slug: fault.SlugOAuthInvalidRequest},
		"plain PKCE":             {changes: []string{"code_challenge_method", "plain"}, slug: fault.SlugOAuthInvalidRequest},
		"PKCE by default":        {changes: []string{"code_challenge_method", ""}, slug: fault.SlugOAuthInvalidRequest},
		"a challenge too short":  {changes: []string{"code_challenge", "abc"}, slug: fault.SlugOAuthInvalidRequest},
		"another resource":       {changes: []string{"resource", "https://other.example/mcp"}, slug: fault.SlugOAuthInvalidTarget},
		"a look-alike resource":  {changes: []string{"resource", origin + ".evil.example/mcp"}, slug: fault.SlugOAuthInvalidTarget},
		"the API as resource":    {changes: []string{"resource", origin + "/api/v3.1"}, slug: fault.SlugOAuthInvalidTarget},
		"nobody to be asked":     {changes: []string{"prompt", "none"}, slug: fault.SlugOAuthLoginRequired},
		"a request as token":     {changes: []string{"request", "eyJ"}, slug: fault.SlugOAuthInvalidRequest},
		"a session of nobody":    {changes: []string{"resource", origin + "/tool_router/trs_none/mcp"}, slug: fault.SlugOAuthAccessDenied},
		"a long state":           {changes: []string{"state", strings.Repeat("s", 3000)}, slug: fault.SlugOAuthInvalidRequest},
	} {
		_, back, err := w.Authorize(t.Context(), ada, origin, request(client, tc.changes...), "here")
		wantSlug(t, name, err, tc.slug)
		if tc.silent != (back == "") {
			t.Errorf("%s: the client is told by %q", name, back)
		}
		if back != "" && (!strings.HasPrefix(back, "https://client.example/cb?") || answerOf(t, back).Get("error") != tc.slug || answerOf(t, back).Get("iss") != origin) {
			t.Errorf("%s: the client is told by %q", name, back)
		}
	}
	twice := request(client)
	twice["redirect_uri"] = []string{"https://client.example/cb", "https://evil.example/cb"}
	_, back, err := w.Authorize(t.Context(), ada, origin, twice, "here")
	if wantSlug(t, "a parameter twice", err, fault.SlugOAuthInvalidRequest); back != "" {
		t.Errorf("the client is told by %q", back)
	}
	_, _, err = w.Authorize(t.Context(), bob, origin, request(client, "resource", sessions), "here")
	wantSlug(t, "another's session", err, fault.SlugOAuthAccessDenied)
	two := request(client)
	two.Add("resource", sessions)
	_, _, err = w.Authorize(t.Context(), ada, origin, two, "here")
	wantSlug(t, "two resources", err, fault.SlugOAuthInvalidTarget)
}

func TestWhatWasAgreedToIsWhatWasShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.register(loopback)
	ada, bob := w.signIn("ada"), w.signIn("bob")
	consent, _, err := w.Authorize(t.Context(), ada.Person, origin, request(client), "here")
	w.must(err)
	sealed, err := w.SealConsent(consent, ada)
	w.must(err)
	if _, err := w.Agree(t.Context(), bob, sealed); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a form that was shown to somebody else: %v", err)
	}
	if _, err := w.Agree(t.Context(), ada, sealed[:len(sealed)-4]+"AAAA"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a form that was changed: %v", err)
	}
	form, err := w.Form("signed-in", ada.Hash)
	w.must(err)
	if _, err := w.Agree(t.Context(), ada, form); !fault.Is(err, fault.Forbidden) {
		t.Errorf("another form: %v", err)
	}
	location, err := w.Decline(ada, sealed)
	if w.must(err); answerOf(t, location).Get("error") != fault.SlugOAuthAccessDenied || answerOf(t, location).Has("code") {
		t.Errorf("a no is told by %s", location)
	}
	w.pass(time.Hour)
	if _, err := w.Agree(t.Context(), ada, sealed); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a form that was open for long: %v", err)
	}
	if _, err := w.Decline(ada, sealed); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a no after long: %v", err)
	}
}

// TestASessionThatIsGoneCannotBeAgreedTo: what was shown may have ended while the person read it.
func TestASessionThatIsGoneCannotBeAgreedTo(t *testing.T) {
	t.Parallel()
	gone := false
	w := newWorld(t, func(_ *world, o *authserver.Options) {
		there := o.SessionOwner
		o.SessionOwner = func(ctx context.Context, projectID, sessionID string) (string, error) {
			if gone {
				sessionID = "trs_gone"
			}
			return there(ctx, projectID, sessionID)
		}
	})
	ada := w.signIn("ada")
	consent, _, err := w.Authorize(t.Context(), ada.Person, origin, request(w.register(loopback), "resource", sessions), "here")
	w.must(err)
	sealed, err := w.SealConsent(consent, ada)
	w.must(err)
	gone = true
	if location, err := w.Agree(t.Context(), ada, sealed); !fault.Is(err, fault.Forbidden) {
		t.Errorf("the answer is %q, %v", location, err)
	}
}

func TestTokensAreLookedUpOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tokens := w.letIn(w.register(loopback))
	before := w.store.lookups.Load()
	for range 5 {
		if w.opens(tokens.Access) != "ada" {
			t.Fatal("it does not work")
		}
	}
	if n := w.store.lookups.Load() - before; n != 1 {
		t.Errorf("%d look-ups for five requests", n)
	}
	w.pass(2 * time.Minute) // word of a change may have been lost
	w.opens(tokens.Access)
	if n := w.store.lookups.Load() - before; n != 2 {
		t.Errorf("%d look-ups, want one more after a while", n)
	}
	w.bus.Publish(notify.Change{Kind: notify.Grant, ID: "og_another"})
	w.opens(tokens.Access)
	if n := w.store.lookups.Load() - before; n != 2 {
		t.Errorf("%d look-ups after another grant changed", n)
	}
	w.bus.Publish(notify.Change{Kind: notify.Everything})
	w.opens(tokens.Access)
	if n := w.store.lookups.Load() - before; n != 3 {
		t.Errorf("%d look-ups after the link to other nodes was lost", n)
	}
}

func TestRevoking(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client, other := w.register(loopback), w.register(loopback)
	revoke := func(c authserver.Client, token secret.Value) error {
		return w.Revoke(t.Context(), authserver.ClientProof{ID: c.ID}, token.Reveal(), "here")
	}
	tokens := w.letIn(client)
	wantSlug(t, "another client's", revoke(other, tokens.Refresh), fault.SlugOAuthUnauthorizedClient)
	wantSlug(t, "an unknown client", revoke(authserver.Client{ID: "oc_none"}, tokens.Refresh), fault.SlugOAuthInvalidClient)
	for _, unknown := range []string{"oat_unknown", "ort_unknown", "nonsense"} {
		if err := revoke(client, secret.Hide(unknown)); err != nil {
			t.Errorf("%s: %v", unknown, err)
		}
	}
	if w.opens(tokens.Access) != "ada" {
		t.Fatal("that ended a token")
	}
	if err := revoke(client, tokens.Access); err != nil || w.opens(tokens.Access) != "" {
		t.Errorf("the access token works on: %v", err)
	}
	next, err := w.refresh(client, tokens.Refresh)
	if err != nil || w.opens(next.Access) != "ada" {
		t.Fatalf("an access token took the grant along: %v", err)
	}
	if err := revoke(client, next.Refresh); err != nil || w.opens(next.Access) != "" {
		t.Errorf("the grant works on: %v", err)
	}
	if grants, _ := w.ListGrants(t.Context(), w.project, ""); len(grants) != 0 {
		t.Errorf("it is still listed: %+v", grants)
	}
}

// Whoever found a person's key must not keep a client after the key was taken away.
func TestAKeyTakesItsGrantsAlong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.register(loopback)
	tokens := w.letIn(client)
	if w.opens(tokens.Access) != "ada" { // kept in memory from here on
		t.Fatal("not let in")
	}
	code := w.agree("ada", request(client)).Get("code")
	ofBob, err := w.redeem(client, w.agree("bob", request(client)).Get("code"))
	w.must(err)
	caller := tenant.Caller{ProjectID: w.project}
	keys, err := w.tenants.ListKeys(t.Context(), caller)
	w.must(err)
	for _, key := range keys {
		if key.UserID == "ada" {
			_, err := w.tenants.RevokeKey(t.Context(), caller, key.ID)
			w.must(err)
		}
	}
	if w.opens(tokens.Access) != "" {
		t.Error("the access token works on")
	}
	_, err = w.refresh(client, tokens.Refresh)
	wantSlug(t, "the refresh token", err, fault.SlugOAuthInvalidGrant)
	_, err = w.redeem(client, code)
	wantSlug(t, "a code that was not redeemed yet", err, fault.SlugOAuthInvalidGrant)
	if w.opens(ofBob.Access) != "bob" {
		t.Error("somebody else's grant was ended")
	}
}

func TestPeopleAndOperatorsEndGrants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	client := w.register(loopback)
	tokens := w.letIn(client)
	grants, err := w.ListGrants(ctx, w.project, "ada")
	w.must(err)
	if _, err := w.RevokeGrant(ctx, w.project, "bob", grants[0].ID, ""); !fault.Is(err, fault.NotFound) {
		t.Errorf("bob ends ada's: %v", err)
	}
	if _, err := w.RevokeGrant(ctx, "pr_other", "", grants[0].ID, ""); !fault.Is(err, fault.NotFound) {
		t.Errorf("another project: %v", err)
	}
	if w.opens(tokens.Access) != "ada" {
		t.Fatal("that ended it")
	}
	if _, err := w.RevokeGrant(ctx, w.project, "ada", grants[0].ID, "enough"); err != nil || w.opens(tokens.Access) != "" {
		t.Errorf("ada ends her own: %v", err)
	}

	tokens = w.letIn(client)
	login, cookie, err := w.SignIn(ctx, w.keys["ada"], "here")
	w.must(err)
	ended, err := w.RevokeGrants(ctx, w.project, "ada", "left")
	if err != nil || len(ended) != 1 || w.opens(tokens.Access) != "" {
		t.Errorf("all of ada's: %+v, %v", ended, err)
	}
	if _, err := w.Login(ctx, cookie.Reveal()); !fault.Is(err, fault.Unauthorized) {
		t.Errorf("%s is still signed in: %v", login.Person.UserID, err)
	}
}

func TestSigningIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	login, cookie, err := w.SignIn(ctx, w.keys["ada"], "here")
	w.must(err)
	again, err := w.Login(ctx, cookie.Reveal())
	if err != nil || again.Person.UserID != "ada" || again.Hash != login.Hash {
		t.Errorf("got %+v, %v", again, err)
	}
	for name, wrong := range map[string]string{"nothing": "", "a made-up one": "osi_made-up", "the key": w.keys["ada"], "the hash": login.Hash} {
		if _, err := w.Login(ctx, wrong); !fault.Is(err, fault.Unauthorized) {
			t.Errorf("%s as cookie: %v", name, err)
		}
	}
	w.must(w.SignOut(ctx, login))
	if _, err := w.Login(ctx, cookie.Reveal()); !fault.Is(err, fault.Unauthorized) {
		t.Errorf("after signing out: %v", err)
	}
	_, cookie, err = w.SignIn(ctx, w.keys["ada"], "here")
	w.must(err)
	w.pass(12 * time.Hour)
	if _, err := w.Login(ctx, cookie.Reveal()); !fault.Is(err, fault.Unauthorized) {
		t.Errorf("after half a day: %v", err)
	}
	_, project, err := w.tenants.CreateKey(ctx, w.project, "")
	w.must(err)
	if _, _, err := w.SignIn(ctx, project, "here"); !fault.Is(err, fault.Unauthorized) {
		t.Errorf("with a project's key: %v", err)
	}
}

func TestGuessingIsSlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refused := 0
	for range 20 {
		if _, _, err := w.SignIn(t.Context(), "ck_guess", "attacker"); fault.Is(err, fault.RateLimited) {
			refused++
		}
	}
	if refused != 10 {
		t.Errorf("%d of 20 guesses were refused", refused)
	}
	if _, _, err := w.SignIn(t.Context(), w.keys["ada"], "elsewhere"); err != nil {
		t.Errorf("that locked others out: %v", err)
	}
	for range 30 { // what succeeds does not count
		if _, _, err := w.SignIn(t.Context(), w.keys["ada"], "elsewhere"); err != nil {
			t.Fatal(err)
		}
	}
	w.pass(time.Minute)
	if _, _, err := w.SignIn(t.Context(), w.keys["ada"], "attacker"); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

func TestConfidentialClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client, text, err := w.Register(t.Context(), authserver.NewClient{RedirectURIs: []string{"https://client.example/cb"}}, "here")
	w.must(err)
	if client.AuthMethod != authserver.SecretBasic || text.Empty() || client.Refreshes {
		t.Fatalf("registered %+v", client)
	}
	exchange := func(proof authserver.ClientProof) (authserver.Tokens, error) {
		form := url.Values{"grant_type": {"authorization_code"}, "code": {w.agree("ada", request(client)).Get("code")}, "code_verifier": {verifier}}
		return w.Exchange(t.Context(), origin, proof, form, "here")
	}
	for name, proof := range map[string]authserver.ClientProof{
		"no secret": {ID: client.ID}, "a wrong one": {ID: client.ID, Secret: secret.Hide("ocs_wrong")}, "nobody": {},
		"a public client with one": {ID: w.register(loopback).ID, Secret: text}, "a document with one": {ID: "https://a.example/c", Secret: text},
	} {
		_, err := exchange(proof)
		wantSlug(t, name, err, fault.SlugOAuthInvalidClient)
	}
	tokens, err := exchange(authserver.ClientProof{ID: client.ID, Secret: text})
	if err != nil || w.opens(tokens.Access) != "ada" || !tokens.Refresh.Empty() {
		t.Errorf("with its secret: %+v, %v", tokens, err)
	}
	refused := 0
	for range 20 {
		_, err := w.Exchange(t.Context(), origin, authserver.ClientProof{ID: client.ID, Secret: secret.Hide("ocs_guess")}, url.Values{"grant_type": {"refresh_token"}}, "attacker")
		if fault.Is(err, fault.RateLimited) {
			refused++
		}
	}
	if refused != 10 {
		t.Errorf("%d of 20 guesses of a secret were refused", refused)
	}
}
