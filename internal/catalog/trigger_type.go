package catalog

import (
	"slices"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// TriggerType is a kind of event that an account can be watched for. Package trigger watches; what is asked of the provider and
// how an answer or a webhook becomes events is declared here.
//
// Expressions see what the subscriber chose as input, with these members beside it where they are there: input.since (a text),
// input.page and input.mark while a list is read; input.webhook_url, input.signing_secret and input.events while a webhook is
// made; input.hook, what making or probing it answered, from then on.
type TriggerType struct {
	Slug         string // GMAIL_NEW_GMAIL_MESSAGE
	Aliases      []string
	Name         string
	Description  string
	Instructions string
	Kind         string // "webhook" or "poll"
	Toolkit      *Toolkit
	Config       Schema // what a subscriber chooses
	Payload      Schema // of an event
	Version      string
	Scopes       Scopes // that the account's grant must hold
	Example      map[string]any
	Events       []string // the provider's own names of the events, for making its webhook

	Settings *Tool    // carries Config where a tool is wanted, to have a configuration checked like arguments; never run
	Poll     *Poll    // only for "poll"
	Webhook  *Webhook // only for "webhook"
	Event    EventRule
	Generic  bool // made for any toolkit rather than declared in its files
}

// The kinds of trigger types.
const (
	KindPoll    = "poll"
	KindWebhook = "webhook"
)

// Poll says how a list at the provider is watched.
type Poll struct {
	// List reads one page. Its data is {items, next, mark}: the elements, what input.page must be for the next page (nothing at
	// the end), and the provider's own name for "up to here", which is input.mark in later looks.
	List        *Tool
	NewestFirst bool          // reading stops at the first element that is older than what is looked for
	Overlap     time.Duration // input.since lies this much before the newest element that was seen: clocks and indexes lag
	Emit        bool          // what is there at the first look are events too; else only what comes later
	Pages       int           // read in one look at most; the rest is read in the next
}

// DefaultPages is how many pages one look reads at most where nothing else is declared.
const DefaultPages = 5

// EventRule makes events of elements of a list, or of a webhook's content.
type EventRule struct {
	Each *mapping.Expr // webhooks only: the list of which each element, as item, is an event; nil: the webhook is one event
	When *mapping.Expr // nil: always
	Key  *mapping.Expr // what never changes about the event and is no other's within the instance
	Seen *mapping.Expr // polls only: what tells known elements from new ones, if it is not the key
	At   *mapping.Expr // when it happened; nil: when it was found
	Data *mapping.Tree // the event's payload
}

// Webhook says how a provider's calls are told apart, proved and asked for.
type Webhook struct {
	Signature  *Signature // nil: the calls carry no proof
	Handshakes []Handshake
	Create     *Tool // makes the webhook at the provider; its data is kept as input.hook, but for secret, which is the signing secret
	Remove     *Tool // removes it again
	About      *Tool // for webhooks of a whole app: what tells the account's events from others', kept as input.hook
	// Mine tells whether a call to a whole app's webhook concerns an account, which is known by input.hook.
	Mine *mapping.Expr
}

// Signature says how a call proves that it comes from the provider.
type Signature struct {
	HMAC      string            // sha1, sha256 or sha512; empty: the header holds the secret itself
	Header    string            // lower case
	Prefix    string            // before the digest: "sha256="
	Pairs     map[string]string // the header is a list of name=value; which of them are "signature" and "timestamp"
	Base64    bool              // the digest is base64 rather than hexadecimal
	Signed    []SignedPart      // what is signed; empty: the body
	Timestamp *mapping.Expr     // when the call was made, in seconds or milliseconds; nil: not said, or said in Pairs
	Tolerance time.Duration     // how far the timestamp may be from now
	Delivery  string            // header with the id of the call, lower case, where bodies may be alike; empty: the same body is the same call
	AlikeFor  time.Duration     // for how long the same call is told to have come before; 0: for as long as that is known at all
}

// DefaultTolerance is how far a call's timestamp may be from now where nothing else is declared.
const DefaultTolerance = 5 * time.Minute

// SignedPart is a piece of the text that is signed.
type SignedPart struct {
	Literal   string
	Timestamp bool // the timestamp as it was sent
	Body      bool // the body as it was sent
}

// Handshake is a call by which a provider tries a webhook before it uses it.
type Handshake struct {
	When   *mapping.Expr
	Answer *mapping.Expr // the body of the answer; nil: none
	Secret *mapping.Expr // the provider says the signing secret in it: it is kept, and this call carries no signature
}

// NeedsEndpoint reports whether somebody has to enter the address of a webhook endpoint at the provider before instances can
// be made (requires_webhook_endpoint_setup).
func (t *TriggerType) NeedsEndpoint() bool {
	return t.Kind == KindWebhook && !t.Generic && (t.Webhook == nil || t.Webhook.Create == nil)
}

// requests gives the tools inside a trigger type.
func (t *TriggerType) requests() []**Tool {
	all := []**Tool{&t.Settings}
	if t.Poll != nil {
		all = append(all, &t.Poll.List)
	}
	if t.Webhook != nil {
		all = append(all, &t.Webhook.Create, &t.Webhook.Remove, &t.Webhook.About)
	}
	return all
}

// of gives the trigger type as another copy of its toolkit has it.
func (t *TriggerType) of(tk *Toolkit) *TriggerType {
	out := *t
	out.Toolkit = tk
	if t.Poll != nil {
		poll := *t.Poll
		out.Poll = &poll
	}
	if t.Webhook != nil {
		webhook := *t.Webhook
		out.Webhook = &webhook
	}
	for _, tool := range out.requests() {
		if *tool != nil {
			copied := **tool
			copied.Toolkit = tk
			*tool = &copied
		}
	}
	return &out
}

// TriggerType finds a trigger type of the toolkit by slug or older name, in any case; the generic ones are there too.
func (t *Toolkit) TriggerType(slug string) (*TriggerType, bool) {
	for _, list := range [][]*TriggerType{t.Triggers, t.GenericTriggers()} {
		for _, trigger := range list {
			if strings.EqualFold(trigger.Slug, slug) || slices.ContainsFunc(trigger.Aliases, func(a string) bool { return strings.EqualFold(a, slug) }) {
				return trigger, true
			}
		}
	}
	return nil, false
}

// TriggerType finds a trigger type by slug or older name, in any case.
func (s *Snapshot) TriggerType(slug string) (*TriggerType, bool) {
	for _, tk := range s.Toolkits() {
		if len(slug) > len(tk.Slug) && strings.EqualFold(slug[:len(tk.Slug)], tk.Slug) && slug[len(tk.Slug)] == '_' {
			if t, ok := tk.TriggerType(slug); ok {
				return t, true
			}
		}
	}
	return nil, false
}
