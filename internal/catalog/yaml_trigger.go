package catalog

import (
	"go.yaml.in/yaml/v3"
)

// readTrigger reads one trigger type of triggers.yaml.
func (l *loader) readTrigger(r *reader, v *yaml.Node) {
	t := &TriggerType{Toolkit: l.toolkit, Version: l.toolkit.Version}
	var config, payload []*property
	r.object(v, "a trigger", l.triggerKeys(r, t, &config, &payload))
	if t.Slug == "" {
		return
	}
	title := schemaTitle(t.Slug)
	t.Config = inputSchema(title+"Config", config)
	t.Payload = inputSchema(title+"Payload", payload)
	t.Slug = l.fullSlug(t.Slug)
	l.toolkit.Triggers = append(l.toolkit.Triggers, t)
}

// triggerKeys are the keys of a trigger type.
func (l *loader) triggerKeys(r *reader, t *TriggerType, config, payload *[]*property) []key {
	return []key{
		{"slug", true, r.text(&t.Slug), "upper case, without the toolkit's name"},
		{"title", true, r.text(&t.Name), "for people"},
		{"description", true, r.text(&t.Description), "what happened when it fires"},
		{"instructions", false, r.text(&t.Instructions), "what has to be set up at the provider"},
		{"kind", true, oneOf(r, &t.Kind, "poll", "webhook"), "how events come: `poll` or `webhook`"},
		{"config", false, func(v *yaml.Node) { *config = l.readMembers(r, v, false) }, "what a subscriber chooses, in the form of a tool's input"},
		{"payload", false, func(v *yaml.Node) { *payload = l.readMembers(r, v, false) }, "members of an event, in the same form"},
	}
}
