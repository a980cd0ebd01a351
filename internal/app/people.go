package app

import (
	"context"
	"sync"

	"github.com/patchbay-dev/patchbay/internal/authserver"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// wirePeople makes what lets people in, and programs for them.
func (p *parts) wirePeople() error {
	a, c := p.app, p.app.config
	issuer, err := p.issuer()
	if err != nil {
		return err
	}
	p.people, err = authserver.New(authserver.Options{
		Store:        p.store,
		Bus:          p.bus,
		Sealer:       p.store.Keyring().Server(),
		Keys:         p.tenants.AuthenticatePerson,
		SessionOwner: p.sessionOwner,
		HTTP:         p.outbound,
		Registration: c.Registration,
		Issuer:       issuer,
		Now:          a.now,
		Log:          a.log,
	})
	return err
}

// issuer is where the settings let people sign in; nil for nowhere.
func (p *parts) issuer() (*authserver.Issuer, error) {
	s := p.app.config.SignIn
	if s.Issuer == "" {
		return nil, nil
	}
	return authserver.NewIssuer(authserver.IssuerOptions{
		URL: s.Issuer, ClientID: s.ClientID, ClientSecret: s.ClientSecret, UserClaim: s.UserClaim, Users: s.Users,
		Tokens: s.Tokens, Audiences: s.Audience, Project: p.defaultProjectID(), HTTP: p.outbound.HTTP(), Now: p.app.now,
	})
}

// defaultProjectID finds the project that people who sign in elsewhere belong to, once.
func (p *parts) defaultProjectID() func(context.Context) (string, error) {
	var mu sync.Mutex
	var known string
	return func(ctx context.Context) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if known == "" {
			project, err := p.tenants.EnsureProject(ctx, defaultProject)
			if err != nil {
				return "", err
			}
			known = project.ID
		}
		return known, nil
	}
}

// sessionOwner gives the user of a session.
func (p *parts) sessionOwner(ctx context.Context, projectID, sessionID string) (string, error) {
	view, err := p.sessions.Open(ctx, tenant.Caller{ProjectID: projectID}, sessionID)
	if err != nil {
		return "", err
	}
	return view.Session.UserID, nil
}
