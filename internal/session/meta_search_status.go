package session

import (
	"fmt"
	"unicode/utf8"

	"github.com/patchbay-dev/patchbay/internal/connect"
)

// statuses describes the connections of all toolkits that were found, in the order found.
func (f *finder) statuses(found []findings) []ConnectionStatus {
	out := []ConnectionStatus{}
	seen := make(map[string]bool)
	for _, one := range found {
		for _, slug := range one.toolkits {
			if seen[slug] {
				continue
			}
			seen[slug] = true
			if st, ok := f.standings[slug]; ok {
				out = append(out, f.view.status(st))
			} else {
				out = append(out, ConnectionStatus{Toolkit: slug, Description: localDescription, Active: true, Message: "Needs no connection."})
			}
		}
	}
	return out
}

func (v *View) status(st standing) ConnectionStatus {
	status := ConnectionStatus{Toolkit: st.toolkit.Slug, Description: st.toolkit.Description, Active: st.ready()}
	usable := st.usable()
	switch {
	case st.toolkit.NoAuth():
		status.Message = "Needs no connection."
	case len(usable) == 0:
		status.Message = st.problem() + " " + v.modelsWay(st.toolkit)
	case st.mustChoose():
		status.Message = fmt.Sprintf("%d accounts are connected; name one of them in account.", len(usable))
		status.Selection = "required"
	default:
		used := usable[0]
		if st.Used != nil {
			used = *st.Used
		}
		status.Details = ConnectionDetails{used.ID, used.WordID, used.Alias, used.AuthConfigID, used.Status}
		status.User, status.AccountType = identity(used), used.Type
		status.Message = "Connected" + as(used) + "."
	}
	if v.Session.Config.MultiAccount.Enable && !st.toolkit.NoAuth() {
		status.Accounts = st.infos()
	}
	return status
}

// as says whose account it is, where that is known.
func as(a connect.ConnectedAccount) string {
	if label := label(a); label != "" {
		return " as " + label
	}
	return ""
}

func label(a connect.ConnectedAccount) string {
	switch {
	case a.Alias != "" && a.Identity.Email != "":
		return a.Alias + " (" + a.Identity.Email + ")"
	case a.Alias != "":
		return a.Alias
	case a.Identity.Email != "":
		return a.Identity.Email
	case a.Identity.Name != "":
		return a.Identity.Name
	default:
		return a.WordID
	}
}

// clip shortens a text for display.
func clip(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	runes := []rune(text)
	return string(runes[:most]) + "…"
}
