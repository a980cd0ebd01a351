package mcpserver

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/patchbay-dev/patchbay/internal/connect"
)

// When a call has started a connection, the link is in the text of its answer, always. A client that can, is asked besides
// to have its person open it (URL mode elicitation).
//
// Since 2026-07-28 a server asks by answering "input required"; the client repeats the call with the person's reaction.
// The call must not run twice for that, and the repeat may reach another node, so the answer itself travels with the client
// in the meantime, sealed. Before, a server asks by a request of its own in the stream of the answer. Nothing here
// depends on the reaction (the account's state does), so that stream goes on with the answer at once, and no node has to
// wait for a message that another node will get.

// elicits says how a client can be asked to have its person open a link.
type elicits uint8

const (
	elicitsNothing elicits = iota
	elicitsByState         // 2026-07-28: input required, then a repeat
	elicitsInStream
)

// ask is one link to be opened.
type ask struct{ id, url, message string }

// Sealer encrypts so that only this server, on any node, can read it, and only for the same place. *secret.Sealer is one.
type Sealer interface {
	Seal(plain []byte, where string) ([]byte, error)
	Open(sealed []byte, where string) ([]byte, error)
}

// carried is an answer on its way through the client.
type carried struct {
	Body    json.RawMessage `json:"body"`
	Content json.RawMessage `json:"content,omitempty"`
	Failed  bool            `json:"failed,omitempty"`
	Until   int64           `json:"until"` // Unix seconds
}

const (
	carriedFor  = time.Hour // a person may take their time; the link itself ends sooner
	carriedMost = 32 << 10  // larger answers are given at once, with the link in their text only
)

// ask adds to an answer that the person be asked to open the links that its call has made.
func (h *Handler) ask(v *visit, c toolCall, a answer, links []connect.Link) (answer, error) {
	if len(links) == 0 || c.elicits == elicitsNothing || c.replies != nil {
		return a, nil
	}
	if c.elicits == elicitsByState {
		if h.sealer == nil || len(a.body)+len(a.content) > carriedMost {
			return a, nil
		}
		plain, err := json.Marshal(carried{a.body, a.content, a.failed, h.now().Add(carriedFor).Unix()})
		if err != nil {
			return answer{}, fmt.Errorf("encode an answer: %w", err)
		}
		sealed, err := h.sealer.Seal(plain, carriedBy(v, c))
		if err != nil {
			return answer{}, fmt.Errorf("seal an answer: %w", err)
		}
		a.state = base64.RawURLEncoding.EncodeToString(sealed)
	}
	for _, l := range links {
		a.asks = append(a.asks, ask{
			id:      l.Account.ID,
			url:     l.URL,
			message: fmt.Sprintf("Open this link to connect your %s account. You sign in there, not here.", l.Account.Toolkit),
		})
	}
	return a, nil
}

// resume ends a call whose answer was with the client while the person was asked.
func (h *Handler) resume(v *visit, c toolCall) (answer, error) {
	spoilt := &jsonrpc.Error{
		Code:    jsonrpc.CodeInvalidParams,
		Message: "requestState: not made by this server for this call, changed on the way, or too old. Call the tool again without it.",
	}
	sealed, err := base64.RawURLEncoding.DecodeString(c.state)
	if err != nil || h.sealer == nil {
		return answer{}, spoilt
	}
	plain, err := h.sealer.Open(sealed, carriedBy(v, c))
	if err != nil {
		return answer{}, spoilt
	}
	var was carried
	if err := json.Unmarshal(plain, &was); err != nil || was.Until < h.now().Unix() {
		return answer{}, spoilt
	}
	return answer{body: was.Body, content: was.Content, failed: was.Failed, note: reaction(c.replies)}, nil
}

// carriedBy names the place a sealed answer is for: one tool of one session.
func carriedBy(v *visit, c toolCall) string {
	return "mcp/" + v.caller.ProjectID + "/" + v.sessionID + "/" + c.name
}

// reaction tells the model what became of asking.
func reaction(replies map[string]string) string {
	agreed := 0
	for _, action := range replies {
		if action == "accept" {
			agreed++
		}
	}
	switch {
	case len(replies) == 0:
		return ""
	case agreed == len(replies):
		return "The person was shown the link and agreed to open it. The account is connected once they have finished there."
	default:
		return "The person was shown the link and did not open it. Ask them before you try again."
	}
}

// A client of the older era says once, at initialize, what it can do, and its later requests come alone, to any node. So
// what it said is given to it to carry: as the session id of the protocol, which it sends with every request. The id means
// nothing else.
const (
	sessionIDHeader   = "Mcp-Session-Id"
	canOpenURLsSuffix = "-url"
)

func rememberCanOpenURLs(header http.Header) {
	header.Set(sessionIDHeader, rand.Text()+canOpenURLsSuffix)
}

func canOpenURLs(header http.Header) bool {
	return strings.HasSuffix(header.Get(sessionIDHeader), canOpenURLsSuffix)
}
