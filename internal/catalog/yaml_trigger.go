package catalog

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// triggerDecl is a trigger type as declared: what depends on what the subscriber chooses waits as YAML.
type triggerDecl struct {
	at      *yaml.Node
	trigger *TriggerType
	aliases []string
	config  []*property
	payload []*property
	users   []inputUser // whatever may mention what the subscriber chooses

	scopes               Tool
	poll, webhook, event *yaml.Node
}

// readTrigger reads one trigger type of triggers.yaml.
func (l *loader) readTrigger(r *reader, v *yaml.Node) {
	d := &triggerDecl{at: v, trigger: &TriggerType{Toolkit: l.toolkit, Version: l.toolkit.Version}}
	r.object(v, "a trigger", l.triggerKeys(r, d))
	t := d.trigger
	if t.Slug == "" {
		return
	}
	l.nameTrigger(r, d)
	title := schemaTitle(strings.TrimPrefix(t.Slug, l.prefix()))
	t.Scopes = d.scopes.Scopes
	l.readWatch(r, d)
	l.checkTrigger(r, d)
	if t.Kind == KindPoll {
		d.config = append(d.config, interval)
	}
	t.Config, t.Payload = inputSchema(title+"Config", d.config), inputSchema(title+"Payload", d.payload)
	t.Settings = &Tool{Slug: t.Slug, Name: t.Name, Toolkit: l.toolkit, Held: &Detail{Input: t.Config}}
	l.toolkit.Triggers = append(l.toolkit.Triggers, t)
}

// interval is what a subscriber can choose for every poll.
var interval = &property{
	name: "interval", types: []string{"number"}, description: "Minutes between two looks; the server's own when absent.",
}

// triggerKeys are the keys of a trigger type.
func (l *loader) triggerKeys(r *reader, d *triggerDecl) []key {
	t := d.trigger
	note := func(to **yaml.Node) func(*yaml.Node) { return func(v *yaml.Node) { *to = v } }
	return []key{
		{"slug", true, r.text(&t.Slug), "upper case, without the toolkit's name"},
		{"aliases", false, r.texts(&d.aliases), "older slugs that keep working"},
		{"title", true, r.text(&t.Name), "for people"},
		{"description", true, r.text(&t.Description), "what happened when it fires"},
		{"instructions", false, r.text(&t.Instructions), "what has to be set up at the provider"},
		{"kind", true, oneOf(r, &t.Kind, KindPoll, KindWebhook), "how events come: `poll` or `webhook`"},
		{"scopes", false, l.toolScopes(r, &d.scopes), "list of the scopes that a grant must hold; a list within is one of these"},
		{"config", false, func(v *yaml.Node) { d.config = l.readMembers(r, v, true) }, "what a subscriber chooses, in the form of a tool's input; expressions see it as input"},
		{"payload", true, func(v *yaml.Node) { d.payload = l.readMembers(r, v, false) }, "members of an event, in the same form"},
		{"events", false, r.texts(&t.Events), "list of the provider's own names of the events: input.events when its webhook is made"},
		{"poll", false, note(&d.poll), "how the list is read, for kind `poll`"},
		{"webhook", false, note(&d.webhook), "how calls are proved and asked for, for kind `webhook`"},
		{"event", true, note(&d.event), "how an element of the list, or a call, becomes an event"},
		{"example", false, func(v *yaml.Node) { l.decode(r, v, &t.Example) }, "a good configuration; needed when something in it is required"},
	}
}

// nameTrigger makes the full slugs and refuses those that are taken.
func (l *loader) nameTrigger(r *reader, d *triggerDecl) {
	for i, slug := range append([]string{d.trigger.Slug}, d.aliases...) {
		full := l.fullSlug(slug)
		switch {
		case !toolSlug.MatchString(slug):
			r.problem(d.at, "slug %q: use upper case letters, digits and _", slug)
		case strings.HasSuffix(full, webhookReceived) || strings.HasSuffix(full, listItemAdded):
			r.problem(d.at, "slug %q: this name belongs to a trigger type that every toolkit has", slug)
		}
		if _, taken := l.toolkit.TriggerType(full); taken {
			r.problem(d.at, "slug %q is already used", slug)
		}
		if i == 0 {
			d.trigger.Slug = full
		} else {
			d.trigger.Aliases = append(d.trigger.Aliases, full)
		}
	}
}

// readWatch reads how the provider is watched, now that what a subscriber chooses is known.
func (l *loader) readWatch(r *reader, d *triggerDecl) {
	t := d.trigger
	switch {
	case t.Kind == KindPoll && d.poll == nil:
		r.problem(d.at, "a trigger of kind poll needs poll")
	case t.Kind == KindPoll && d.webhook != nil:
		r.problem(d.webhook, "a trigger of kind poll has no webhook")
	case t.Kind == KindPoll:
		l.readPoll(r, d)
	case t.Kind == KindWebhook && d.webhook == nil:
		r.problem(d.at, "a trigger of kind webhook needs webhook")
	case t.Kind == KindWebhook && d.poll != nil:
		r.problem(d.poll, "a trigger of kind webhook has no poll")
	case t.Kind == KindWebhook:
		l.readWebhook(r, d)
	}
	if d.event != nil {
		l.readEvent(r, d)
	}
}

// scope is what expressions of a trigger type see, with more members of input.
func (l *loader) scope(d *triggerDecl, more ...string) mapping.Scope {
	return mapping.Scope{Input: append(namesOf(d.config), more...), Fields: l.shared.fields}
}

// Members of input beside what the subscriber chooses.
var (
	whileListing = []string{"since", "page", "mark"}
	whileMaking  = []string{"webhook_url", "signing_secret", "events"}
	afterwards   = []string{"hook"}
)

// hidden reads a request that is sent for a trigger as if it were a tool. Result is the data that it makes.
func (l *loader) hidden(r *reader, d *triggerDecl, v *yaml.Node, hints Hints, more []string, keys ...key) *Tool {
	t := &Tool{
		Slug: d.trigger.Slug, Name: d.trigger.Name, Toolkit: l.toolkit, Hints: hints, NoAuth: l.toolkit.NoAuth(),
		Scopes: d.trigger.Scopes, Held: &Detail{},
	}
	scope := l.scope(d, more...)
	var steps, request, result *yaml.Node
	note := func(to **yaml.Node) func(*yaml.Node) { return func(v *yaml.Node) { *to = v } }
	r.object(v, "this", append(hiddenKeys(note(&steps), note(&request), note(&result), r.advice(&t.Held.Advice)), keys...))
	if steps != nil {
		var users []inputUser
		t.Held.Request.Steps, users = l.readSteps(r, steps, scope)
		d.users = append(d.users, users...)
		for _, s := range t.Held.Request.Steps {
			scope.Steps = append(scope.Steps, s.Name)
		}
	}
	if request != nil {
		main := l.readRequest(r, request, scope)
		t.Held.Request.HTTP, t.Held.Request.GraphQL = main.http, main.graphql
		d.users = append(d.users, main)
		scope.Answer = true
	}
	if steps == nil && request == nil {
		r.problem(v, "this needs a request, or steps")
	}
	if members := listMembers(v); len(members.Content) > 0 {
		result = members
	}
	if result != nil {
		r.tree(&t.Held.Result.Data, scope)(result)
		d.users = append(d.users, t.resultUsers()...)
	}
	t.Held.Input = inputSchema(schemaTitle(strings.TrimPrefix(t.Slug, l.prefix())), slices.Concat(d.config, anyProperties(more)))
	return t
}

// hiddenKeys are those of a request that is sent for a trigger.
func hiddenKeys(steps, request, result, advice func(*yaml.Node)) []key {
	return []key{
		{"steps", false, steps, "requests to send first, as in a tool"},
		{"request", false, request, "the request, as in a tool; arguments go nowhere by themselves"},
		{"result", false, result, "what is kept of the answer, as structure with expressions"},
		{"advice", false, advice, "from an upstream status to what it means here"},
	}
}

// listMembers gathers what a poll says about its answer into the one structure that the list's data is made of.
func listMembers(v *yaml.Node) *yaml.Node {
	members := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: v.Line}
	for _, name := range []string{"items", "next", "mark"} {
		if value := child(v, name); value != nil {
			members.Content = append(members.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name, Line: value.Line}, value)
		}
	}
	return members
}

// anyProperties are members of input that the server fills in.
func anyProperties(names []string) []*property {
	list := make([]*property, len(names))
	for i, name := range names {
		list[i] = &property{name: name}
	}
	return list
}

func (l *loader) readPoll(r *reader, d *triggerDecl) {
	p := &Poll{Pages: DefaultPages}
	var overlap string
	ignore := func(*yaml.Node) {}
	p.List = l.hidden(r, d, d.poll, Hints{Read: true, Idempotent: true}, whileListing, pollKeys(r, p, &overlap, ignore)...)
	if overlap != "" {
		var err error
		if p.Overlap, err = time.ParseDuration(overlap); err != nil || p.Overlap < 0 {
			r.problem(child(d.poll, "overlap"), "%q is not a length of time such as 10m", overlap)
		}
	}
	if child(d.poll, "items") == nil {
		r.problem(d.poll, "a poll needs items: where the elements are")
	}
	if child(d.poll, "result") != nil {
		r.problem(d.poll, "the result of a poll is said by items, next and mark")
	}
	if p.Pages < 1 || p.Pages > maxRounds {
		r.problem(d.poll, "pages is 1 to %d", maxRounds)
	}
	d.trigger.Poll = p
}

// pollKeys are those that a poll has beside the request's.
func pollKeys(r *reader, p *Poll, overlap *string, compiled func(*yaml.Node)) []key {
	return []key{
		{"items", false, compiled, "expression: the list of the elements, each of them `item` in event"},
		{"next", false, compiled, "expression: what input.page must be for the next page; nothing at the end"},
		{"mark", false, compiled, "expression: the provider's own name for what was read so far; input.mark in later looks, nothing in the first"},
		{"newest_first", false, r.flag(&p.NewestFirst), "true: reading stops at the first element that is older than input.since"},
		{"overlap", false, r.text(overlap), "how far before the newest known element input.since lies: 10m, because clocks and indexes lag"},
		{"first", false, func(v *yaml.Node) {
			var word string
			oneOf(r, &word, "skip", "emit")(v)
			p.Emit = word == "emit"
		}, "what is there when watching begins: `skip` (when absent) or `emit`"},
		{"pages", false, r.count(&p.Pages), "how many pages are read in one look, 5 when absent; the rest follows in the next"},
	}
}

func (l *loader) readWebhook(r *reader, d *triggerDecl) {
	w := &Webhook{}
	d.trigger.Webhook = w
	part := func(to **Tool, hints Hints, more ...string) func(*yaml.Node) {
		return func(v *yaml.Node) { *to = l.hidden(r, d, v, hints, more) }
	}
	call := l.scope(d, afterwards...)
	call.Answer = true
	r.object(d.webhook, "webhook", l.webhookKeys(r, w,
		part(&w.Create, Hints{Create: true}, whileMaking...),
		part(&w.Remove, Hints{Destructive: true, Idempotent: true}, append(slices.Clone(afterwards), "webhook_url")...),
		part(&w.About, Hints{Read: true, Idempotent: true}), call))
	if w.Mine != nil {
		d.users = append(d.users, w.Mine)
	}
	if w.Create != nil && w.Remove == nil {
		r.problem(d.webhook, "what create makes at the provider needs remove")
	}
	if w.Create == nil && w.Mine == nil {
		r.problem(d.webhook, "a webhook that nothing creates belongs to a whole app: it needs mine, which tells whose events they are")
	}
}

// webhookKeys are the keys of a webhook.
func (l *loader) webhookKeys(r *reader, w *Webhook, create, remove, about func(*yaml.Node), call mapping.Scope) []key {
	return []key{
		{"signature", false, func(v *yaml.Node) { w.Signature = l.readSignature(r, v) }, "how a call proves that it comes from the provider"},
		{"handshakes", false, func(v *yaml.Node) {
			r.elements(v, "handshakes", func(e *yaml.Node) {
				var h Handshake
				r.object(e, "a handshake", handshakeKeys(r, &h))
				w.Handshakes = append(w.Handshakes, h)
			})
		}, "list of the calls by which the provider tries the address"},
		{"create", false, create, "request that makes the webhook; input.webhook_url, input.signing_secret and input.events are there. Its result becomes input.hook; a member secret replaces the signing secret"},
		{"remove", false, remove, "request that removes it"},
		{"about", false, about, "request whose result tells the account's events from others', as input.hook, when the webhook belongs to a whole app"},
		{"mine", false, r.expr(&w.Mine, call), "expression over a call to a whole app's webhook: true when it concerns the account"},
	}
}

// onlyCall is what expressions see that do not know for whom a call is.
var onlyCall = mapping.Scope{Answer: true}

func handshakeKeys(r *reader, h *Handshake) []key {
	return []key{
		{"when", true, r.expr(&h.When, onlyCall), "expression over the call"},
		{"answer", false, r.expr(&h.Answer, onlyCall), "expression: the body of the answer"},
		{"secret", false, r.expr(&h.Secret, onlyCall), "expression: the signing secret, which the provider says in a call that is not signed; it is kept"},
	}
}

func (l *loader) readSignature(r *reader, v *yaml.Node) *Signature {
	s := &Signature{Tolerance: DefaultTolerance}
	var encoding, signed, tolerance string
	r.object(v, "signature", signatureKeys(r, s, &encoding, &signed, &tolerance))
	s.Header, s.Delivery, s.Base64 = strings.ToLower(s.Header), strings.ToLower(s.Delivery), encoding == "base64"
	if tolerance != "" {
		var err error
		if s.Tolerance, err = time.ParseDuration(tolerance); err != nil || s.Tolerance <= 0 {
			r.problem(child(v, "tolerance"), "%q is not a length of time such as 5m", tolerance)
		}
	}
	s.Signed = signedParts(signed)
	for name := range s.Pairs {
		if name != "signature" && name != "timestamp" {
			r.problem(child(v, "pairs"), "pairs names signature and timestamp, not %q", name)
		}
	}
	says := func(part SignedPart) bool { return part.Timestamp }
	if slices.ContainsFunc(s.Signed, says) && s.Timestamp == nil && s.Pairs["timestamp"] == "" {
		r.problem(v, "the signed text has a timestamp: say where it is")
	}
	return s
}

func signatureKeys(r *reader, s *Signature, encoding, signed, tolerance *string) []key {
	return []key{
		{"hmac", false, oneOf(r, &s.HMAC, "sha1", "sha256", "sha512"), "`sha1`, `sha256` or `sha512`; when absent the header holds the secret itself"},
		{"header", true, r.text(&s.Header), "header that holds the digest"},
		{"prefix", false, r.text(&s.Prefix), "what stands before the digest, for example sha256="},
		{"pairs", false, r.words(&s.Pairs, "pairs"), "when the header is a list of name=value: the names of signature and timestamp"},
		{"encoding", false, oneOf(r, encoding, "hex", "base64"), "of the digest: `hex` (when absent) or `base64`"},
		{"signed", false, r.text(signed), "what is signed, with {timestamp} and {body} in it; {body} when absent"},
		{"timestamp", false, r.expr(&s.Timestamp, onlyCall), "expression: when the call was made, in seconds or milliseconds"},
		{"tolerance", false, r.text(tolerance), "how far from now that may be; 5m when absent"},
		{"delivery", false, r.text(&s.Delivery), "header that holds the id of the call, where two calls may have the same body; when absent, the same body is the same call"},
	}
}

// signedParts cuts "v0:{timestamp}:{body}" into its pieces.
func signedParts(text string) []SignedPart {
	var parts []SignedPart
	for text != "" {
		at := strings.IndexByte(text, '{')
		switch {
		case strings.HasPrefix(text, "{timestamp}"):
			parts, text = append(parts, SignedPart{Timestamp: true}), text[len("{timestamp}"):]
		case strings.HasPrefix(text, "{body}"):
			parts, text = append(parts, SignedPart{Body: true}), text[len("{body}"):]
		case at <= 0:
			return append(parts, SignedPart{Literal: text})
		default:
			parts, text = append(parts, SignedPart{Literal: text[:at]}), text[at:]
		}
	}
	return parts
}

func (l *loader) readEvent(r *reader, d *triggerDecl) {
	e := &d.trigger.Event
	scope := l.scope(d)
	each := mapping.Scope{}
	if d.trigger.Kind == KindWebhook {
		scope = l.scope(d, afterwards...)
		scope.Answer = true
		each = scope
		scope.Item = child(d.event, "each") != nil
	} else {
		scope.Item = true
	}
	r.object(d.event, "event", eventKeys(r, e, each, scope))
	if d.trigger.Kind == KindPoll && e.Each != nil {
		r.problem(d.event, "a poll says with items what there is; each is for webhooks")
	}
	if d.trigger.Kind == KindWebhook && e.Seen != nil {
		r.problem(d.event, "seen is for polls")
	}
	for _, expr := range []*mapping.Expr{e.Each, e.When, e.Key, e.Seen, e.At} {
		if expr != nil {
			d.users = append(d.users, expr)
		}
	}
	if e.Data != nil {
		d.users = append(d.users, e.Data)
	}
}

func eventKeys(r *reader, e *EventRule, each, scope mapping.Scope) []key {
	return []key{
		{"each", false, r.expr(&e.Each, each), "webhooks: expression that yields a list in the call; each element is an event, as `item`"},
		{"when", false, r.expr(&e.When, scope), "expression: other elements or calls are no events of this type"},
		{"key", true, r.expr(&e.Key, scope), "expression: what never changes about the event; the same key is never two events"},
		{"seen", false, r.expr(&e.Seen, scope), "polls: expression that tells known elements from new ones, where that is not the key"},
		{"at", false, r.expr(&e.At, scope), "expression: when it happened (a time, RFC 3339 or seconds)"},
		{"data", true, r.tree(&e.Data, scope), "the payload, as structure with expressions"},
	}
}

// checkTrigger reports what would silently have no effect, and examples that do not fit.
func (l *loader) checkTrigger(r *reader, d *triggerDecl) {
	mentioned := map[string]bool{}
	for _, u := range d.users {
		names, whole := u.Inputs()
		if whole {
			mentioned = nil
			break
		}
		for _, name := range names {
			mentioned[name] = true
		}
	}
	for _, p := range d.config {
		if mentioned != nil && !mentioned[p.name] {
			r.problem(child(d.at, "config"), "%q has no effect: no request and no expression mentions it", p.name)
		}
		if slices.Contains(slices.Concat(whileListing, whileMaking, afterwards, []string{"interval"}), p.name) {
			r.problem(child(d.at, "config"), "%q is a name that the server uses itself", p.name)
		}
	}
	checked := &toolDecl{tool: &Tool{Held: &Detail{Example: d.trigger.Example}}, inputs: d.config, at: d.at}
	l.checkExample(r, checked)
}
