package session

import (
	"fmt"
	"strings"
	"time"
)

// assistivePrompt is a ready text for the system prompt of an agent that works in the session: what its tools are for and
// in which order to use them, in a few lines that mention only what the session has.
func assistivePrompt(v *View, now time.Time) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }

	c := v.Session.Config
	line("You act for one user in their own apps, with the tools of this session. Whatever you do there is done in the user's name.")
	if c.Search {
		line("- To find out what you can do, call %s with one entry per action. Never guess a tool slug.", slugSearchTools)
		line("- If you have a slug but not its schema, call %s.", slugGetToolSchemas)
	}
	if c.MultiExecute {
		line("- Run tools with %s. Put only calls together that do not need one another's results.", slugMultiExecute)
	}
	switch {
	case !c.ManageConnections.Enable:
		line("- If an app is not connected, say so; the application connects it, you cannot.")
	case c.ManageConnections.Wait:
		line("- If an app is not connected, call %s, show the link to the user as it is, and call %s.", slugManageConnections, slugWaitForConnections)
	default:
		line("- If an app is not connected, call %s, show the link to the user as it is, and wait until they say that they are done.", slugManageConnections)
	}
	if c.MultiAccount.Enable {
		line("- The user may have several accounts of one app. Say which one you use; ask when the task does not tell.")
	}
	line("- Ask before you send, change or delete something that the user has not plainly asked for.")
	line("- Read errors: they say what to mend. Do not repeat a call that changes something unless you know that it did not run.")
	line("%s", timeMessage(c.Timezone, now))
	return strings.TrimSuffix(b.String(), "\n")
}

// timeMessage tells a model the time, so that it does not guess dates.
func timeMessage(timezone string, now time.Time) string {
	text := "It is " + now.UTC().Format("Monday, 2 January 2006, 15:04") + " UTC"
	if timezone == "" {
		return text + "."
	}
	zone, err := time.LoadLocation(timezone)
	if err != nil { // checked when it was set; a machine without zone data must not break a search
		return text + "; the user lives in the time zone " + timezone + "."
	}
	local := now.In(zone)
	return fmt.Sprintf("%s; where the user lives (%s) it is %s.", text, timezone, local.Format("Monday, 2 January 2006, 15:04 (UTC-07:00)"))
}
