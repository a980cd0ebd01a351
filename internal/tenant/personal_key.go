package tenant

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
)

// Person is a user of a project who showed that they are. It is not a Caller: a person reaches their own sessions only.
type Person struct {
	ProjectID string
	UserID    string
	KeyID     string // of the personal key that showed it; empty when something else did
}

// DefaultUser is the user of a server that has one: whose personal endpoint a project key opens when it names nobody, and whom the
// first personal key belongs to.
const DefaultUser = "default"

// longestUserID is as long as the user id of a session may be.
const longestUserID = 256

// CreatePersonalKey makes a key for one user of a project and returns it once, in the clear. With it a person signs in on
// this server's pages, and opens the personal endpoint.
func (s *Service) CreatePersonalKey(ctx context.Context, projectID, userID, name string) (Key, string, error) {
	if strings.TrimSpace(userID) == "" || utf8.RuneCountInString(userID) > longestUserID {
		return Key{}, "", fault.New(fault.Invalid, fault.SlugInvalid, "A user id has 1 to %d characters, and is not blank.", longestUserID).
			WithFix("Give the id by which your application knows the user, for example: --user ada")
	}
	text := id.NewSecret(id.PersonalKey)
	key := s.newKey(projectID, name, text)
	key.UserID = userID
	if err := s.store.CreateKey(ctx, key); err != nil {
		return Key{}, "", err
	}
	return key, text, nil
}

// AuthenticatePerson finds the person behind a personal key, as Authenticate finds the caller behind a project's.
func (s *Service) AuthenticatePerson(ctx context.Context, key string) (Person, error) {
	if !id.Has(id.PersonalKey, key) {
		return Person{}, noPerson()
	}
	caller, err := s.find(ctx, key)
	if fault.Is(err, fault.Unauthorized) || err == nil && caller.UserID == "" {
		return Person{}, noPerson()
	}
	return Person{ProjectID: caller.ProjectID, UserID: caller.UserID, KeyID: caller.KeyID}, err
}

func noPerson() error {
	return fault.New(fault.Unauthorized, fault.SlugUnauthorized, "The personal key is not valid.").
		WithFix("Ask whoever runs this server for one; it is made with: patchbay key create --user USER")
}
