package connect

import (
	"net/url"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// setProxy puts a proxy on an auth config, through which all requests of its accounts go: token, revocation and identity
// requests as well as tool calls. User and password of the address become the key, because the address is shown. A key that
// comes back as it was shown stays, for the same address: it must not be sent to another one by whoever cannot read it.
func setProxy(cfg *AuthConfig, address, key string) error {
	if key == Redacted {
		if address != cfg.ProxyURL {
			return badProxy("proxy_auth_key", "A new proxy_url needs its proxy_auth_key again.")
		}
		key = cfg.ProxyKey.Reveal()
	}
	if address == "" {
		cfg.ProxyURL, cfg.ProxyKey = "", secret.Value{}
		return nil
	}
	p, err := outbound.ParseProxy(address, secret.Hide(key))
	if err != nil {
		return badProxy("proxy_url", fault.From(err).Message)
	}
	if u, err := url.Parse(address); err == nil && u.User != nil && key == "" {
		password, _ := u.User.Password()
		key = u.User.Username() + ":" + password
	}
	cfg.ProxyURL, cfg.ProxyKey = p.Address(), secret.Hide(key)
	return nil
}

func badProxy(field, problem string) error {
	return fault.New(fault.Invalid, fault.SlugAuthConfigInvalid, "The proxy_config of the auth config is not right.").
		WithFix("Mend this field of proxy_config: %s.", field).WithDetails(field + ": " + problem)
}

func deref[T any](v *T) (none T) {
	if v == nil {
		return none
	}
	return *v
}
