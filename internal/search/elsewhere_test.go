package search

import "testing"

func TestAppsThatAreNotHere(t *testing.T) {
	t.Parallel()
	x := fixtureIndex()
	for _, tc := range []struct{ query, names string }{
		{"send a WhatsApp message", "whatsapp"},
		{"post the news on LinkedIn", "linkedin"},
		{"create a Jira ticket", "jira"},
		{"add a contact in hubspot", "hubspot"},
		{"read rows of Google Sheets", "google sheets"},
		{"make a zoom meeting", "zoom"},
		{"start an EC2 instance", "ec2"},
	} {
		found := x.Find(Query{Text: tc.query})
		if len(found.Hits) > 0 {
			t.Errorf("%q is answered with %v, of other apps", tc.query, slugs(found.Hits))
		}
		if found.Elsewhere != tc.names {
			t.Errorf("%q wants something in %q, want %q", tc.query, found.Elsewhere, tc.names)
		}
	}
}

// A project that has the app itself is served by it, and not told that it is elsewhere.
func TestAppsThatOnlyTheProjectHas(t *testing.T) {
	t.Parallel()
	base := snapshotOf(t, parseFixture(appFixture)...)
	own := parseFixture("whatsapp|WhatsApp||Messages.\n SEND_MESSAGE|Send message|Sends a message to a person.|create\n")
	x := Build(base.Over(own...), Build(base, nil))
	found := x.Find(Query{Text: "send a WhatsApp message"})
	if got := slugs(found.Hits); len(got) == 0 || got[0] != "WHATSAPP_SEND_MESSAGE" || found.Elsewhere != "" {
		t.Errorf("found %v, elsewhere %q", got, found.Elsewhere)
	}
	if found := x.Find(Query{Text: "send a Telegram message"}); len(found.Hits) > 0 || found.Elsewhere != "telegram" {
		t.Errorf("found %v, elsewhere %q", slugs(found.Hits), found.Elsewhere)
	}
}

func TestAppsThatAreOnlySpokenOf(t *testing.T) {
	t.Parallel()
	x := fixtureIndex()
	for _, tc := range []struct{ query, want string }{
		{"email somebody the Zoom link", "GMAIL_SEND_EMAIL"},
		{"send an email with the Jira link", "GMAIL_SEND_EMAIL"},
		{"open a GitHub issue about the broken Salesforce login", "GITHUB_CREATE_AN_ISSUE"},
		{"create an event in Google Calendar for the Zoom call", "GOOGLECALENDAR_CREATE_EVENT"},
		{"write in Slack that Jira is down", "SLACK_SEND_MESSAGE"},
	} {
		if got := slugs(x.Search(Query{Text: tc.query})); len(got) == 0 || got[0] != tc.want {
			t.Errorf("Search(%q) = %v, want %s first", tc.query, got, tc.want)
		}
	}
}
