package search

import (
	"fmt"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// appFixture is a catalog such as ours in small: the vocabulary of the apps, most used first.
var appFixture = `
gmail|Gmail|google mail|Read, search and send mail.
 SEND_EMAIL|Send email|Sends a message from the connected account.|create
 FETCH_EMAILS|Fetch emails|Lists messages, newest first, that fit a search.|read
 CREATE_EMAIL_DRAFT|Create email draft|Writes a message and leaves it unsent.|create
 REPLY_TO_THREAD|Reply to thread|Answers the last message of a conversation.|create
 ADD_LABEL_TO_EMAIL|Add label to email|Tags a message.|update
 MOVE_TO_TRASH|Move to trash|Puts a message into the trash.|destructive
 GET_ATTACHMENT|Get attachment|Downloads a file that came with a message.|read
github|GitHub|gh|Repositories, issues, pull requests and reviews.
 CREATE_AN_ISSUE|Create an issue|Opens an issue in a repository.|create
 CREATE_AN_ISSUE_COMMENT|Create an issue comment|Adds a comment to an issue or a pull request.|create
 LIST_REPOSITORY_ISSUES|List repository issues|Issues of a repository, newest first.|read
 CREATE_A_PULL_REQUEST|Create a pull request|Proposes the changes of a branch.|create
 MERGE_A_PULL_REQUEST|Merge a pull request|Brings the changes of a pull request into its base branch.|update
 DELETE_A_REPOSITORY|Delete a repository|Deletes a repository for good.|destructive
 GET_A_REPOSITORY|Get a repository|Facts about a repository.|read
 STAR_A_REPOSITORY_FOR_THE_AUTHENTICATED_USER|Star a repository|Stars a repository.|update
googlecalendar|Google Calendar|gcal|Events and free time.
 CREATE_EVENT|Create event|Puts an event on a calendar.|create
 DELETE_EVENT|Delete event|Takes an event off a calendar.|destructive
 EVENTS_LIST|List events|Events of a calendar between two times.|read
 FIND_FREE_SLOTS|Find free slots|Times at which nobody of a group is busy.|read
slack|Slack||Channels and messages.
 SEND_MESSAGE|Send message|Posts a message to a channel or a person.|create
 LIST_ALL_CHANNELS|List all channels|Channels of the workspace.|read
 FETCH_CONVERSATION_HISTORY|Fetch conversation history|Messages of a channel, newest first.|read
 FIND_USERS|Find users|People of the workspace by name or address.|read
linear|Linear||Issues, projects and cycles.
 CREATE_LINEAR_ISSUE|Create issue|Creates an issue for a team.|create
 LIST_LINEAR_ISSUES|List issues|Issues, newest first.|read
 LIST_LINEAR_TEAMS|List teams|Teams of the workspace.|read
notion|Notion||Pages and databases.
 CREATE_NOTION_PAGE|Create page|Creates a page below another one.|create
 QUERY_DATABASE|Query database|Rows of a database that fit a filter.|read
 SEARCH_NOTION_PAGE|Search pages|Pages by their title.|read
stripe|Stripe||Payments.
 CREATE_CUSTOMER|Create customer|Creates a customer.|create
 CREATE_REFUND|Create refund|Pays a charge back.|create
 LIST_INVOICES|List invoices|Invoices, newest first.|read
box|Box||Files and folders.
 CREATE_FOLDER|Create folder|Creates a folder.|create
 UPLOAD_FILE|Upload file|Uploads a file.|create
 LIST_FOLDER_ITEMS|List folder items|Files and folders in a folder.|read
`

// parseFixture reads toolkits ("slug|name|aliases|description") and their tools ("SLUG|title|description|hint", indented).
func parseFixture(text string) []*catalog.Toolkit {
	var toolkits []*catalog.Toolkit
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		f := strings.Split(line, "|")
		switch {
		case len(f) < 4:
		case line[0] != ' ':
			tk := &catalog.Toolkit{Slug: f[0], Name: f[1], Description: f[3]}
			if f[2] != "" {
				tk.Aliases = []string{f[2]}
			}
			toolkits = append(toolkits, tk)
		default:
			tk := toolkits[len(toolkits)-1]
			t := &catalog.Tool{Slug: strings.ToUpper(tk.Slug) + "_" + f[0][1:], Name: f[1], Description: f[2], Toolkit: tk}
			t.Hints = catalog.Hints{Read: f[3] == "read", Create: f[3] == "create", Update: f[3] == "update", Destructive: f[3] == "destructive"}
			tk.Tools = append(tk.Tools, t)
		}
	}
	return toolkits
}

func fixtureIndex() *Index { return build(parseFixture(appFixture), true, nil) }

// bigFixture makes n plain documents of many apps, for benchmarks.
func bigFixture(n int) []Document {
	verbs := strings.Fields("create list get update delete search send archive assign upload download merge add remove find")
	nouns := strings.Fields("issue contact invoice event message channel file folder page record task project comment label report user team webhook campaign order")
	ways := strings.Fields("for_user in_workspace by_id with_filter for_team in_project on_behalf bulk by_name for_account")
	docs := make([]Document, 0, n)
	for i := range n {
		app := fmt.Sprintf("app%d", i/80)
		noun, verb, way := nouns[i%len(nouns)], verbs[i/len(nouns)%len(verbs)], ways[i/7%len(ways)]
		name := verb + "_" + noun + "_" + way
		docs = append(docs, Document{
			ID: app + "." + name, Toolkit: app, Name: name,
			Description: fmt.Sprintf("Use this to %s the %s of one workspace (%s). Returns the %s with its owner, status and times. Needs the id of the %s.",
				verb, noun, strings.ReplaceAll(way, "_", " "), noun, nouns[(i+3)%len(nouns)]),
			Parameters: []string{noun + "_id", "workspace", "limit", "cursor"},
		})
	}
	return docs
}
