package event

import (
	"slices"
	"strings"
)

// Kind describes a type of event, for those who choose.
type Kind struct {
	Type        Type
	Description string
	Payloads    []Payload // the forms in which it is sent
}

// Kinds gives the types of event that there are.
func Kinds() []Kind {
	return []Kind{
		{TriggerMessage, "Something happened at a service that a trigger watches for.", []Payload{V1, V2, V3}},
		{AccountExpired, "A connected account stopped working and needs its user to connect it again.", []Payload{V3}},
		{TriggerDisabled, "A trigger was switched off by the server, with the reason.", []Payload{V3}},
		{ToolkitChanged, "An MCP server changed tools that were approved, or has new ones; they wait for approval.", []Payload{V3}},
	}
}

func kindOf(t Type) (Kind, bool) {
	kinds := Kinds()
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Type == t })
	if i < 0 {
		return Kind{}, false
	}
	return kinds[i], true
}

func knownTypes() string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, string(k.Type))
	}
	return strings.Join(names, ", ")
}
