package authserver

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// What pages hand to a browser and want back unchanged is sealed for a place: a kind of form and the secret of the browser that it
// was shown to. So a form that another site sends, or one that was shown to somebody else, does not open.

// sealed is what travels.
type sealed[T any] struct {
	Value T         `json:"v"`
	Until time.Time `json:"u"`
}

// sealFor seals a value for a place, and for a while.
func sealFor[T any](s *Service, value T, where string, life time.Duration) (string, error) {
	plain, err := json.Marshal(sealed[T]{value, s.now().Add(life)})
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", where, err)
	}
	text, err := s.sealer.Seal(plain, "oauth/"+where)
	return base64.RawURLEncoding.EncodeToString(text), err
}

// openFor gives back what was sealed for the place.
func openFor[T any](s *Service, text, where string) (T, error) {
	var content sealed[T]
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		raw, err = s.sealer.Open(raw, "oauth/"+where)
	}
	if err == nil {
		err = json.Unmarshal(raw, &content)
	}
	if err != nil || !s.now().Before(content.Until) {
		var none T
		return none, fault.New(fault.Forbidden, fault.SlugForbidden, "This form is not one that was shown to you here, or it was open for too long.").
			WithFix("Go back to the program, and begin again there.").Because(err)
	}
	return content.Value, nil
}

// Form gives the text that a form carries to show that it was shown here, to the browser with this secret.
func (s *Service) Form(kind, browser string) (string, error) {
	return sealFor(s, kind, "form/"+kind+"/"+browser, consentLife)
}

// CheckForm refuses a form that was not shown here to this browser.
func (s *Service) CheckForm(kind, browser, text string) error {
	_, err := openFor[string](s, text, "form/"+kind+"/"+browser)
	return err
}
