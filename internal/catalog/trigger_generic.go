package catalog

import (
	"encoding/json"
	"strings"
)

// The ends of the slugs of the trigger types that every toolkit has.
const (
	webhookReceived = "_WEBHOOK_RECEIVED"
	listItemAdded   = "_LIST_ITEM_ADDED"
)

// GenericTriggers gives the trigger types that need no declaration: any webhook that the app can send, and anything that one of
// its reading tools lists. Package trigger knows how to watch for them; see GenericWebhookConfig and GenericPollConfig.
func (t *Toolkit) GenericTriggers() []*TriggerType {
	prefix := strings.ToUpper(t.Slug)
	webhook := &TriggerType{
		Slug: prefix + webhookReceived, Kind: KindWebhook, Name: "Any webhook",
		Description: "Whatever " + t.Name + " sends to a webhook address of its own.",
		Instructions: "Create the trigger; the answer carries webhook_url and webhook_secret. Enter both in the webhook settings of " + t.Name +
			", and say with verify and the other settings how it signs its calls.",
		Config: Schema{JSON: genericWebhookConfig}, Payload: Schema{JSON: genericWebhookPayload},
	}
	poll := &TriggerType{
		Slug: prefix + listItemAdded, Kind: KindPoll, Name: "Something new in a list",
		Description: "Something that was not in the answer of a listing tool of " + t.Name + " before.",
		Config:      Schema{JSON: genericPollConfig}, Payload: Schema{JSON: genericPollPayload},
	}
	for _, trigger := range []*TriggerType{webhook, poll} {
		trigger.Toolkit, trigger.Version, trigger.Generic = t, t.Version, true
		trigger.Settings = &Tool{Slug: trigger.Slug, Toolkit: t, Held: &Detail{Input: trigger.Config}}
	}
	return []*TriggerType{webhook, poll}
}

// GenericWebhookConfig is what a subscriber chooses for the webhook of any app.
type GenericWebhookConfig struct {
	Verify            string         `json:"verify"`
	SignatureHeader   string         `json:"signature_header"`
	SignaturePrefix   string         `json:"signature_prefix"`
	SignatureEncoding string         `json:"signature_encoding"`
	EventIDHeader     string         `json:"event_id_header"`
	EventIDPath       string         `json:"event_id_path"`
	Match             map[string]any `json:"match"`
}

// GenericPollConfig is what a subscriber chooses for a list of any app.
type GenericPollConfig struct {
	Tool      string         `json:"tool"`
	Arguments map[string]any `json:"arguments"`
	Items     string         `json:"items"`
	Key       string         `json:"key"`
	Changes   string         `json:"changes"`
	Interval  float64        `json:"interval"`
}

var (
	genericWebhookConfig = json.RawMessage(`{"type":"object","title":"WebhookReceivedConfig","properties":{` +
		`"verify":{"type":"string","description":"How calls prove where they come from: a digest of the body made with the secret, the secret itself in a header, or not at all.","enum":["hmac-sha256","hmac-sha1","hmac-sha512","token","none"],"default":"hmac-sha256"},` +
		`"signature_header":{"type":"string","description":"Header that holds the digest or the token, for example X-Hub-Signature-256.","default":"X-Signature"},` +
		`"signature_prefix":{"type":"string","description":"What stands before it, for example sha256= or Bearer."},` +
		`"signature_encoding":{"type":"string","description":"How the digest is written.","enum":["hex","base64"],"default":"hex"},` +
		`"event_id_header":{"type":"string","description":"Header that holds the id of the event, so that one sent twice is taken once, and two that are alike are two."},` +
		`"event_id_path":{"type":"string","description":"The same where the id is in the body: a path such as event.id."},` +
		`"match":{"type":"object","description":"Paths in the body and the values they must have; other calls are answered and dropped. For example {\"event.type\": \"invoice.paid\"}."}}}`)
	genericWebhookPayload = json.RawMessage(`{"type":"object","title":"WebhookReceivedPayload","properties":{` +
		`"body":{"type":"object","description":"What was sent: the decoded JSON or form, or a text."},` +
		`"headers":{"type":"object","description":"The headers of the call, names in lower case, without those that carry proof."}}}`)
	genericPollConfig = json.RawMessage(`{"type":"object","title":"ListItemAddedConfig","properties":{` +
		`"tool":{"type":"string","description":"Slug of a tool that only reads and answers with a list."},` +
		`"arguments":{"type":"object","description":"Arguments of that tool."},` +
		`"items":{"type":"string","description":"Path of the list in the tool's data; the first list in it when absent."},` +
		`"key":{"type":"string","description":"Path in an element of what identifies it.","default":"id"},` +
		`"changes":{"type":"string","description":"Path in an element, for example updated_at: when this changes, the element counts as new again."},` +
		`"interval":{"type":"number","description":"Minutes between two looks; the server's own when absent."}},"required":["tool"]}`)
	genericPollPayload = json.RawMessage(`{"type":"object","title":"ListItemAddedPayload","properties":{` +
		`"item":{"type":"object","description":"The element as the tool answered it."}}}`)
)
