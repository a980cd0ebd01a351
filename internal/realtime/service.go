package realtime

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Sealer encrypts with a key that all nodes share; a *secret.Sealer is one.
type Sealer interface {
	Seal(plain []byte, where string) ([]byte, error)
	Open(sealed []byte, where string) ([]byte, error)
}

// Options of a Service.
type Options struct {
	Events *event.Service   // required
	Sealer Sealer           // required
	Within time.Duration    // how soon a connection has to hear something, or it is closed: anybody may open one; 0: 30 seconds
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: nothing is logged
}

// Service serves realtime connections. It is safe for concurrent use.
type Service struct{ o Options }

// New checks the options and makes a service.
func New(o Options) (*Service, error) {
	if o.Events == nil || o.Sealer == nil {
		return nil, errors.New("realtime: Events and Sealer are required")
	}
	if o.Within <= 0 {
		o.Within = 30 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{o}, nil
}

// Credentials tell an SDK where to connect and what to listen to.
type Credentials struct {
	Key       string
	ProjectID string
	Cluster   string
}

// appKey stands where Pusher has the key of an app. It opens nothing: what counts is the permission to hear a channel.
const appKey = "patchbay"

// Path is where connections are taken, below the origin.
const Path = "/realtime"

// Credentials gives what an SDK needs to connect to a server at an origin.
//
// SDKs connect to wss://ws-<cluster>.pusher.com:443/app/<key>. The cluster that is given out turns that into an address of ours: all before
// the @ is a user name, all behind the question mark a query.
func (s *Service) Credentials(c tenant.Caller, origin string) (Credentials, error) {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" {
		f := fault.New(fault.Unsupported, fault.SlugUnsupported, "triggers.subscribe needs TLS, and this server is reached as %s.", origin).
			WithFix("Put TLS in front of it and set public_url to the https address. Without: follow GET /api/v3.1/events/stream, or run \"patchbay listen\".")
		f.NoRetry = true // SDKs repeat what is answered 5xx
		return Credentials{}, f
	}
	return Credentials{
		Key: appKey, ProjectID: c.ProjectID,
		Cluster: "@" + u.Host + strings.TrimSuffix(u.Path, "/") + Path + "?h=",
	}, nil
}

// channelOf names the channel of a project's trigger messages.
func channelOf(projectID string) string { return "private-" + projectID + "_triggers" }

// permissionLife is how long a permission may be used after it was given out: SDKs use it at once.
const permissionLife = time.Minute

// permission lets one connection hear one channel.
type permission struct {
	Socket    string    `json:"s"`
	Channel   string    `json:"c"`
	ProjectID string    `json:"p"`
	KeyID     string    `json:"k"`
	Until     time.Time `json:"u"`
}

// Authorize lets a connection of the caller's hear a channel. What it gives is for the SDK to pass on as it is.
func (s *Service) Authorize(c tenant.Caller, socketID, channel string) (string, error) {
	if channel != channelOf(c.ProjectID) {
		return "", fault.New(fault.Forbidden, fault.SlugForbidden, "This key does not open that channel.").
			WithFix("Subscribe to %s.", channelOf(c.ProjectID))
	}
	if !isSocketID(socketID) {
		return "", fault.New(fault.Invalid, fault.SlugInvalid, "socket_id is not one that this server gave out.")
	}
	plain, err := json.Marshal(permission{socketID, channel, c.ProjectID, c.KeyID, s.o.Now().Add(permissionLife)})
	if err != nil {
		return "", err
	}
	sealed, err := s.o.Sealer.Seal(plain, "realtime")
	if err != nil {
		return "", err
	}
	return appKey + ":" + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// admit reads a permission and gives the project that it is for.
func (s *Service) admit(auth, socketID, channel string) (tenant.Caller, error) {
	encoded, _ := strings.CutPrefix(auth, appKey+":")
	sealed, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return tenant.Caller{}, errRefused
	}
	plain, err := s.o.Sealer.Open(sealed, "realtime")
	if err != nil {
		return tenant.Caller{}, errRefused
	}
	var p permission
	if err := json.Unmarshal(plain, &p); err != nil {
		return tenant.Caller{}, err
	}
	if p.Socket != socketID || p.Channel != channel || s.o.Now().After(p.Until) {
		return tenant.Caller{}, errRefused
	}
	return tenant.Caller{ProjectID: p.ProjectID, KeyID: p.KeyID}, nil
}

var errRefused = errors.New("the permission is not for this connection and channel, or its time is over")

// newSocketID makes the name of a connection, in Pusher's form.
func newSocketID() string {
	var raw [16]byte
	rand.Read(raw[:])
	return fmt.Sprintf("%d.%d", binary.BigEndian.Uint64(raw[:8])>>1, binary.BigEndian.Uint64(raw[8:])>>1)
}

func isSocketID(text string) bool {
	return len(text) >= 3 && len(text) <= 64 && strings.Count(text, ".") == 1 &&
		!strings.ContainsFunc(text, func(c rune) bool { return c != '.' && (c < '0' || c > '9') })
}
