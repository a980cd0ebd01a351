package search

import (
	"slices"
	"strings"
)

// A request that names an app which is not here is not served by another app that does something like it: who wants a WhatsApp
// message sent does not want it on Slack. Such a name is known by the list below, which no catalog has to be complete for.

// markElsewhere marks the words that name well-known apps which are not here. Beside is the other of two indexes that are searched
// together, or nil.
func (x *Index) markElsewhere(words []word, beside *Index) {
	for n := min(longestApp, len(words)); n >= 1; n-- {
		for i := 0; i+n <= len(words); i++ {
			span := words[i : i+n]
			if _, begins := appBegins[span[0].text]; n > 1 && !begins || anyNamed(span) || anyElsewhere(span) {
				continue
			}
			if isApp(joined(span)) && !x.has(span) && (beside == nil || !beside.has(span)) {
				for j := range span {
					span[j].elsewhere = true
				}
			}
		}
	}
}

// has reports whether a toolkit goes by a name or by one of its words ("Cal" of "Cal.com"), or a tool speaks of it.
func (x *Index) has(name []word) bool {
	whole := joined(name)
	if _, spoken := x.terms[stem(whole)]; spoken || x.routes.knows(whole) {
		return true
	}
	return slices.ContainsFunc(name, func(w word) bool {
		return slices.ContainsFunc(x.routes.byName[singular(w.text)], func(to route) bool { return to.strength >= prunedName })
	})
}

// elsewhere finds the app among the marked ones at which something is wanted. There is none where the request names an app that is
// here as well, or where the missing one only belongs to the thing it is about: "email the Zoom link" is about e-mail.
func elsewhere(words []word) string {
	if anyNamed(words) {
		return ""
	}
	for i := range words {
		if !words[i].elsewhere {
			continue
		}
		end := i
		for end < len(words) && words[end].elsewhere {
			end++
		}
		if isPlace(words, i, end) {
			return spoken(words[i:end])
		}
	}
	return ""
}

// isPlace reports whether words say where something is to be done: they are led by a preposition, or nothing but verbs that
// are no things as well stands before them ("update a Salesforce deal", but not "email the Zoom link").
func isPlace(words []word, from, to int) bool {
	if from > 0 {
		led := words[from-1].text
		if _, place := appPlaces[led]; place || led == "with" && to == len(words) {
			return true
		}
	}
	for _, w := range words[:from] {
		verb := plainVerbs[w.stem] != 0 || nounVerbs[w.stem] != 0 && concepts[w.stem] == nil
		if !verb && !isStop(w.text) {
			return false
		}
	}
	return true
}

// appPlaces lead to where something is done or found.
var appPlaces = setOf("in on to from into via using through within inside of at")

func anyElsewhere(words []word) bool {
	return slices.ContainsFunc(words, func(w word) bool { return w.elsewhere })
}

func spoken(words []word) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w.text
	}
	return strings.Join(texts, " ")
}

func isApp(name string) bool { _, is := apps[singular(name)]; return is }

// appNames reads a list of names: all in the form of joined, and the words with which those of several words begin.
func appNames(list string) (names, begins map[string]struct{}) {
	names, begins = make(map[string]struct{}), make(map[string]struct{})
	for name := range strings.FieldsSeq(list) {
		if first, _, several := strings.Cut(name, "_"); several {
			begins[first] = struct{}{}
		}
		names[strings.ReplaceAll(name, "_", "")] = struct{}{}
	}
	return names, begins
}

// longestApp is how many words the names of apps have at most.
const longestApp = 3

// apps are well-known ones, lower case and singular, with _ for spaces. Those that are called by ordinary words alone are
// left out: nobody can tell whether "buffer" is one.
var apps, appBegins = appNames(`
	whatsapp telegram discord facebook facebook_messenger instagram linkedin twitter tiktok snapchat pinterest reddit youtube
	twitch tumblr mastodon bluesky wechat skype zoom webex google_meet google_chat microsoft_team ms_team teamspeak mattermost
	rocket_chat zulip
	jira confluence trello asana clickup basecamp bitbucket gitlab azure_devop todoist wrike smartsheet airtable coda evernote
	onenote obsidian roam_research google_keep google_task youtrack redmine bugzilla phabricator sourceforge opsgenie
	pagerduty statuspage servicenow zendesk freshdesk freshservice gorgia helpscout
	hubspot salesforce pipedrive zoho_crm zoho attio keap active_campaign mailchimp sendgrid mailgun postmark
	brevo sendinblue klaviyo convertkit mailerlite constant_contact campaign_monitor customerio braze iterable twilio vonage
	messagebird plivo aircall ringcentral dialpad calendly
	hotmail yahoo_mail protonmail fastmail icloud sharepoint onedrive google_drive dropbox google_doc google_sheet google_slide
	google_form google_photo google_map google_analytic google_adword google_ad google_search_console bigquery typeform jotform surveymonkey
	docusign hellosign pandadoc adobe_sign figma canva miro lucidchart photoshop webflow squarespace wordpress wix contentful
	strapi shopify woocommerce bigcommerce magento aliexpress instacart doordash uber_eat deliveroo
	tripadvisor opentable yelp zillow redfin
	paypal braintree adyen klarna venmo razorpay mollie chargebee recurly gumroad lemon_squeezy quickbook xero freshbook
	netsuite sap_concur expensify brex rippling bamboohr workday adp
	aws amazon_web ec2 dynamodb cloudfront cloudwatch azure gcp google_cloud firebase firestore supabase vercel netlify heroku
	digitalocean linode cloudflare fastly docker docker_hub kubernete terraform jenkin circle_ci travis_ci buildkite sonarqube snyk sentry
	datadog new_relic grafana prometheu splunk elasticsearch kibana loggly papertrail rollbar bugsnag amplitude mixpanel posthog
	hotjar fullstory logrocket tableau power_bi metabase snowflake databrick redshift clickhouse mongodb postgresql postgre
	mysql mariadb redis cassandra neo4j rabbitmq kafka
	spotify soundcloud apple_music deezer hulu disney_plus imdb letterboxd goodread audible kindle
	strava garmin fitbit oura peloton myfitnesspal google_fit apple_health duolingo coursera udemy khan_academy
	wikipedia quora stack_overflow product_hunt substack wolframalpha openai midjourney elevenlab anthropic
	huggingface pinecone weaviate qdrant zapier ifttt n8n
	coinbase binance robinhood etrade revolut
	google_home philips_hue home_assistant sonos ecobee roku`)
