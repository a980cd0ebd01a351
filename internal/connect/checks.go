package connect

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// checkCallback lets through only where the browser may be sent: a URL that every browser reads as we do, at an origin that the
// project or the operator lists, if they list any. Origins are the same or not; nothing is matched by its end or beginning.
func checkCallback(callback string, allowed []string) error {
	if callback == "" {
		return nil
	}
	u, err := tenant.ParseURL(callback)
	if err != nil {
		return fault.New(fault.Invalid, fault.SlugAccountInvalid, "callback_url must be a whole http or https URL with a plain host name.").
			WithFix("Give a URL such as https://your-app.example/connected; write names in other scripts in Punycode (xn--…).")
	}
	if origin := tenant.Origin(u); len(allowed) > 0 && !slices.Contains(allowed, origin) {
		return fault.New(fault.Invalid, fault.SlugAccountInvalid, "callback_url leads to %s, and links of this project may not lead there.", origin).
			WithFix("Use a URL at an origin that callback_origins lists, or add this one to it: PATCH /api/v3.1/org/project/config, or connect.callback_origins in the server's settings.")
	}
	return nil
}

// CheckCallback refuses a callback URL to which links of the caller's project may not lead back (Invalid).
func (s *Service) CheckCallback(ctx context.Context, c tenant.Caller, callback string) error {
	settings, err := s.o.Settings(ctx, c.ProjectID)
	if err != nil {
		return err
	}
	return checkCallback(callback, settings.CallbackOrigins)
}

func checkUserID(userID string) error {
	if strings.TrimSpace(userID) == "" || utf8.RuneCountInString(userID) > 256 {
		return fault.New(fault.Invalid, fault.SlugAccountInvalid, "user_id must have 1 to 256 characters, not all of them blank.").
			WithFix("Give the id under which your application knows the user.")
	}
	return nil
}

func checkAlias(alias string) error {
	if utf8.RuneCountInString(alias) > 128 || strings.ContainsFunc(alias, func(r rune) bool { return r < ' ' }) {
		return fault.New(fault.Invalid, fault.SlugAccountInvalid, "An alias has at most 128 characters, on one line.")
	}
	return nil
}

// maxACL bounds each list of an ACL.
const maxACL = 1000

func (l ACL) check() error {
	for _, list := range [][]string{l.Allowed, l.Denied} {
		if len(list) > maxACL {
			return fault.New(fault.Invalid, fault.SlugAccountInvalid, "An access list holds at most %d user ids.", maxACL)
		}
		for _, userID := range list {
			if err := checkUserID(userID); err != nil {
				return err
			}
		}
	}
	return nil
}

// aclOnPrivate has the words by which the TypeScript SDK knows this error (API contract section 4.2).
func aclOnPrivate() error {
	return fault.New(fault.Invalid, fault.SlugAccountInvalid, "acl_config_for_shared is only valid on SHARED connected accounts.").
		WithFix(`Set account_type to "SHARED", or leave acl_config_for_shared out.`)
}
