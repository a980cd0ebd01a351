package app

import (
	"fmt"
	"time"
)

// condition looks at what is stored and waits for somebody to look after it.
func (d *doctor) condition() {
	const check = "stored"
	conditions, err := d.openCondition()
	if err != nil {
		d.sayError(check, err)
		return
	}
	defer conditions.Close()
	c, err := conditions.Condition(d.ctx)
	if err != nil {
		d.sayError(check, err)
		return
	}
	d.leftOut(c)
	d.rotation(c)
	d.deadLetters(c)
	d.overdue(c)
}

func (d *doctor) leftOut(c Condition) {
	const check = "added toolkits"
	for _, left := range c.LeftOut {
		if left.ProjectID == "" {
			d.say(check, Problem, "Correct it and add it again, or take it away with: patchbay toolkit remove "+left.Slug,
				"%s (version %s) is left out: %s", left.Slug, left.Version, left.Reason)
			continue
		}
		d.say(check, Problem, "Have the project store it corrected (PUT /api/v3.1/custom/toolkits/upsert) or take it away.",
			"%s (version %s) of project %s is left out: %s", left.Slug, left.Version, left.ProjectID, left.Reason)
	}
	if len(c.LeftOut) == 0 {
		d.say(check, Fine, "", "all can be used")
	}
}

func (d *doctor) rotation(c Condition) {
	const check = "key rotation"
	keys := c.Keys
	switch {
	case keys.Began != nil && keys.Finished == nil:
		d.say(check, Warning, "If nobody is at it, let it go on with: patchbay secrets rotate",
			"began at %s and is not done: some of what is stored is still sealed with old keys", said(*keys.Began))
	case keys.Retirable != nil:
		d.say(check, Warning, "Take them away, from "+said(*keys.Retirable)+" on, with: patchbay secrets retire",
			"done at %s; the old keys still open what copies of the database hold", said(*keys.Finished))
	default:
		d.say(check, Fine, "", "none is under way")
	}
}

func said(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func (d *doctor) deadLetters(c Condition) {
	const check = "webhooks"
	if c.DeadLetters == 0 {
		d.say(check, Fine, "", "no delivery was given up since %s", said(c.DeadSince))
		return
	}
	last := c.LastDead
	why := last.Error
	if why == "" {
		why = fmt.Sprintf("the receiver answered %d", last.Response)
	}
	d.say(check, Warning, fmt.Sprintf("Mend the receiver, then send again: POST /api/v3.1/webhook_subscriptions/%s/replay with dead_only.", last.SubscriptionID),
		"%d deliveries were given up since %s, last %s of subscription %s in project %s: %s", c.DeadLetters, said(c.DeadSince),
		last.EventID, last.SubscriptionID, last.ProjectID, why)
}

func (d *doctor) overdue(c Condition) {
	const check = "due work"
	for _, o := range c.Overdue {
		switch {
		case c.Running:
			d.say(check, Problem, "Look for \"due work could not be claimed\" in the log; if there is nothing, the server is overloaded.",
				"%s wait since %s although the server runs", o.Work, said(o.Since))
		case d.config.Database.Reveal() == "sqlite":
			d.say(check, Fine, "", "%s wait since %s for the server to start", o.Work, said(o.Since))
		default:
			d.say(check, Warning, "Start a node, or look for \"due work could not be claimed\" in the logs of those that run.",
				"%s wait since %s", o.Work, said(o.Since))
		}
	}
	if len(c.Overdue) == 0 {
		d.say(check, Fine, "", "nothing waits for more than %s", c.OverdueAfter)
	}
}
