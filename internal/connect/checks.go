package connect

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// checkCallback lets only http and https through: the browser is sent there.
func checkCallback(callback string) error {
	if callback == "" {
		return nil
	}
	u, err := url.Parse(callback)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(callback) > 4096 {
		return fault.New(fault.Invalid, fault.SlugAccountInvalid, "callback_url must be a whole http or https URL.").
			WithFix("Give a URL such as https://your-app.example/connected.")
	}
	return nil
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
