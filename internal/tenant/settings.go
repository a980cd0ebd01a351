package tenant

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// Settings are what a project chose for itself: how its Connect pages look, where they lead, and who may read credentials.
// The zero value is a project that chose nothing.
type Settings struct {
	DisplayName string `json:"display_name,omitempty"` // on the Connect pages; empty: the project's name
	LogoURL     string `json:"logo_url,omitempty"`     // https, shown on the Connect pages; empty: letters on a tile
	AccentColor string `json:"accent_color,omitempty"` // "#rrggbb"; empty: ours

	// LinkURL is put in front of /link/{token} in place of this server's own address. Whatever is there sends the browser on
	// to this server.
	LinkURL string `json:"link_url,omitempty"`
	// VerifierURL is where users come back to after signing in, for the application to say who they are before the account is
	// theirs; empty: nobody is asked.
	VerifierURL string `json:"verifier_url,omitempty"`
	// CallbackOrigins are the only places that a link may lead back to: scheme, host and port. None: anywhere.
	CallbackOrigins []string `json:"callback_origins,omitempty"`

	// ShowSecrets lets project keys read the credentials of accounts, except of those under the operator's own OAuth app.
	ShowSecrets bool `json:"show_secrets,omitempty"`
}

// Over gives the settings with those of base where nothing was chosen. The origins that base lists bind everybody: what both
// list is left, and base's own where the project lists none.
func (s Settings) Over(base Settings) Settings {
	orBase := func(own *string, otherwise string) {
		if *own == "" {
			*own = otherwise
		}
	}
	orBase(&s.DisplayName, base.DisplayName)
	orBase(&s.LogoURL, base.LogoURL)
	orBase(&s.AccentColor, base.AccentColor)
	orBase(&s.LinkURL, base.LinkURL)
	orBase(&s.VerifierURL, base.VerifierURL)
	switch {
	case len(base.CallbackOrigins) == 0:
	case len(s.CallbackOrigins) == 0:
		s.CallbackOrigins = base.CallbackOrigins
	default:
		s.CallbackOrigins = slices.DeleteFunc(slices.Clone(s.CallbackOrigins), func(origin string) bool {
			return !slices.Contains(base.CallbackOrigins, origin)
		})
		if len(s.CallbackOrigins) == 0 { // an empty list would allow everything
			s.CallbackOrigins = []string{nowhere}
		}
	}
	return s
}

// nowhere is an origin that no URL has.
const nowhere = "none:"

// maxOrigins bounds the list of origins.
const maxOrigins = 100

var color = regexp.MustCompile(`^#(?:[0-9a-f]{3}|[0-9a-f]{6})$`)

// Checked gives the settings as they are kept, or a fault that lists everything that is wrong with them by name.
func (s Settings) Checked() (Settings, error) {
	var faults []string
	s.DisplayName = strings.TrimSpace(s.DisplayName)
	if utf8.RuneCountInString(s.DisplayName) > 80 || strings.ContainsFunc(s.DisplayName, func(r rune) bool { return !unicode.IsPrint(r) }) {
		faults = append(faults, "display_name: has at most 80 characters, on one line")
	}
	if s.LogoURL != "" {
		if u, err := ParseURL(s.LogoURL); err != nil || u.Scheme != "https" {
			faults = append(faults, "logo_url: must be a whole https URL of a picture")
		}
	}
	s.AccentColor = strings.ToLower(strings.TrimSpace(s.AccentColor))
	switch {
	case s.AccentColor == "":
	case !color.MatchString(s.AccentColor):
		faults = append(faults, "accent_color: must be a colour such as #1d4ed8")
	case len(s.AccentColor) == 4:
		c := s.AccentColor
		s.AccentColor = string([]byte{'#', c[1], c[1], c[2], c[2], c[3], c[3]})
	}
	for name, text := range map[string]string{"link_url": s.LinkURL, "verifier_url": s.VerifierURL} {
		if text == "" {
			continue
		}
		if u, err := ParseURL(text); err != nil || u.Fragment != "" || name == "link_url" && u.RawQuery != "" {
			faults = append(faults, name+": must be a whole http or https URL")
		}
	}
	origins := make([]string, 0, len(s.CallbackOrigins))
	for _, text := range s.CallbackOrigins {
		origin, err := ParseOrigin(text)
		if err != nil {
			faults = append(faults, "callback_origins: "+err.Error())
			continue
		}
		if !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	if len(origins) > maxOrigins {
		faults = append(faults, "callback_origins: has at most 100 entries")
	}
	s.CallbackOrigins = origins
	if len(faults) > 0 {
		slices.Sort(faults)
		return Settings{}, fault.New(fault.Invalid, fault.SlugInvalid, "The project settings are not right.").
			WithFix("Mend what errors lists.").WithDetails(faults...)
	}
	return s, nil
}

// Settings gives what a project chose over what the operator chose for all. Warm calls read memory only.
func (s *Service) Settings(ctx context.Context, projectID string) (Settings, error) {
	return s.settings.Load(projectID, func() (Settings, error) {
		own, err := s.store.Settings(ctx, projectID)
		if err != nil {
			return Settings{}, err
		}
		return own.Over(s.defaults), nil
	})
}

// UpdateSettings changes what a project chose, and gives its settings as they are in force. A session token may not do it.
func (s *Service) UpdateSettings(ctx context.Context, caller Caller, change func(*Settings)) (Settings, error) {
	if caller.Restricted() {
		return Settings{}, fault.New(fault.Forbidden, fault.SlugForbidden, "A session token cannot change the project's settings.").
			WithFix("Use a project key.")
	}
	own, err := s.store.UpdateSettings(ctx, caller.ProjectID, func(stored *Settings) error {
		changed := *stored
		change(&changed)
		changed, err := changed.Checked()
		if err == nil {
			*stored = changed
		}
		return err
	})
	return own.Over(s.defaults), err
}
