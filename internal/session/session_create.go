package session

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// NewSession is what Create needs. Config is already in the domain's words, begun from DefaultConfig; unknown slugs,
// foreign ids and contradictions are all reported in one fault.
type NewSession struct {
	UserID       string
	Config       Config
	TTL          int // seconds; 0: never ends
	Custom       CustomTools
	ConfigID     string   // saved configuration; reserved
	WantsSandbox bool     // the request itself switched the sandbox on, rather than leaving it at its default
	KnownNoise   []string // keys of the request that were ignored, for the warnings
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

// maxTTL bounds a session's time to live, so that no date overflows.
const maxTTL = 10 * 365 * 24 * 60 * 60

// Create makes a session for a user.
func (s *Service) Create(ctx context.Context, c tenant.Caller, n NewSession) (Created, error) {
	if err := wholeProject(c); err != nil {
		return Created{}, err
	}
	return s.create(ctx, c, n, s.newID(id.Session))
}

// create makes the session of an id.
func (s *Service) create(ctx context.Context, c tenant.Caller, n NewSession, sessionID string) (Created, error) {
	if n.ConfigID != "" {
		// Never an unrestricted session in place of a template that cannot be had.
		return Created{}, noRetry(fault.New(fault.NotFound, fault.SlugNotFound, "Saved session configuration %q does not exist.", n.ConfigID).
			WithFix("Leave out experimental.session_config_id and send the configuration itself."))
	}
	check := s.newCheck(c, n.UserID, n.Config)
	check.user()
	check.ttl(n.TTL)
	check.sandbox(n.WantsSandbox)
	check.ignored(n.KnownNoise)
	custom := check.custom(n.Custom)
	config, warnings, err := check.finish(ctx)
	if err != nil {
		return Created{}, noRetry(err)
	}

	now := s.now().UTC()
	token := id.NewSecret(id.SessionToken)
	session := Session{
		ID: sessionID, ProjectID: c.ProjectID, UserID: n.UserID,
		Config: config, Version: 1, TokenHash: hashToken(token),
		CreatedAt: now, UpdatedAt: now, ExpiresAt: endOf(now, n.TTL),
	}
	mark := s.sessions.Mark()
	if err := s.store.CreateSession(ctx, session); err != nil {
		return Created{}, noRetry(err)
	}
	view := s.remember(mark, session).view
	return Created{
		Session: session, Token: token, View: view, Warnings: warnings, Custom: custom,
		Prompt: assistivePrompt(view, now),
	}, nil
}

// Attach answers the session with the echo of custom tools, storing nothing.
func (s *Service) Attach(ctx context.Context, c tenant.Caller, id string, custom CustomTools) (Created, error) {
	view, err := s.Open(ctx, c, id)
	if err != nil {
		return Created{}, err
	}
	final, faults := finalCustomTools(view.Catalog, custom)
	if len(faults) > 0 {
		return Created{}, noRetry(configFault(faults, 0))
	}
	return Created{Session: view.Session, View: view, Custom: final, Prompt: assistivePrompt(view, s.now().UTC())}, nil
}

func endOf(now time.Time, ttl int) time.Time {
	if ttl <= 0 {
		return time.Time{}
	}
	return now.Add(time.Duration(ttl) * time.Second)
}

// noRetry marks a failure as one that SDKs must not repeat by themselves (contract section 4.3).
func noRetry(err error) error {
	f := *fault.From(err)
	f.NoRetry = true
	return &f
}
