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
		if hits := x.Search(Query{Text: tc.query}); len(hits) > 0 {
			t.Errorf("%q is answered with %v, of other apps", tc.query, slugs(hits))
		}
		if got := x.Elsewhere(tc.query); got != tc.names {
			t.Errorf("Elsewhere(%q) = %q, want %q", tc.query, got, tc.names)
		}
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
