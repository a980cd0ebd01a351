package search

import (
	"slices"
	"strings"
)

// People and providers name the same thing differently: a ticket is an issue, a line of a table is a row. Each line below
// is one thing; a request that uses one of its words also looks for the others, at a discount. The words are general English
// and the common vocabulary of such apps.
var conceptLines = []string{
	"issue ticket bug defect story",
	"email mail message",
	"message dm chat post text note",
	"meeting event appointment booking call session",
	"event meeting appointment booking invite standup sync review",
	"contact person lead customer member people",
	"customer client buyer contact user",
	"user member person people teammate colleague account",
	"employee staff worker person",
	"company organization account business firm",
	"organization org company workspace",
	"document doc file page write-up",
	"page article document wiki write-up",
	"file document attachment pdf asset",
	"folder directory",
	"spreadsheet sheet workbook excel worksheet",
	"sheet tab worksheet spreadsheet",
	"row line record entry item",
	"record entry row item object",
	"column field property attribute",
	"table database base",
	"database table",
	"task todo item card action work",
	"card task item ticket",
	"project workstream initiative board stream workspace",
	"board kanban project",
	"comment note remark feedback reply annotation",
	"note comment memo",
	"channel conversation room space",
	"conversation thread chat discussion channel",
	"thread conversation discussion",
	"repository repo project codebase",
	"commit change revision",
	"pull merge",
	"invoice bill",
	"payment charge transaction",
	"refund reimbursement",
	"subscription plan membership",
	"price cost rate",
	"product item article",
	"order purchase sale",
	"deal opportunity sale",
	"stage step phase",
	"pipeline funnel",
	"campaign newsletter mailing broadcast",
	"list audience segment",
	"audience list subscriber",
	"subscriber member contact",
	"survey form questionnaire poll question",
	"form survey questionnaire",
	"response answer submission reply",
	"reminder alert notification",
	"notification alert message",
	"alert alarm warning monitor",
	"incident outage",
	"monitor alert watch",
	"log error event trace",
	"metric statistic stat measure figure number",
	"report summary analytics statistic",
	"dashboard report board",
	"calendar schedule agenda",
	"slot availability free",
	"availability available free slot busy",
	"schedule calendar plan",
	"time hour duration clock timer",
	"timer clock stopwatch",
	"label tag category",
	"tag label",
	"category tag topic",
	"permission access role right",
	"role permission",
	"secret credential key token password variable",
	"key token secret credential",
	"variable secret parameter",
	"webhook hook callback subscription",
	"workflow automation action pipeline build run job",
	"build run job workflow deployment",
	"job run task",
	"deployment deploy release build",
	"release version deployment",
	"version revision release",
	"website site webpage web url page",
	"url link address website",
	"link url",
	"image picture photo thumbnail screenshot",
	"photo picture image",
	"video clip movie recording",
	"recording video audio transcript",
	"transcript transcription caption",
	"audio sound voice recording",
	"voice speech audio",
	"song track music",
	"playlist album",
	"presentation deck slide slideshow",
	"slide presentation",
	"template boilerplate",
	"profile account bio me",
	"team group squad",
	"group team list",
	"workspace team organization",
	"place location venue",
	"location place address position",
	"address location",
	"direction route drive navigation",
	"route direction path",
	"weather forecast temperature",
	"news headline article",
	"stock share equity quote",
	"translation language",
	"favorite star bookmark",
	"star bookmark favorite favourite",
	"like reaction vote heart",
	"reaction emoji like",
	"vote poll",
	"pin stick",
	"draft unsent",
	"inbox mailbox email",
	"signature sign",
	"contract agreement document",
	"candidate applicant",
	"application submission candidate",
	"job position vacancy role",
	"vacancy job",
	"flag toggle switch feature",
	"experiment test",
	"connector arrow line connection",
	"shape item object",
	"dependency dependent blocker",
	"subtask child piece",
	"sprint iteration cycle",
	"cycle sprint iteration",
	"milestone goal target",
	"goal objective target",
	"epic initiative",
	"assignee owner responsible",
	"owner assignee",
	"status state condition",
	"state status",
	"detail information",
	"information detail info",
	"history log activity",
	"activity history event",
	"content text body paragraph",
	"text content paragraph",
	"paragraph block text content",
	"block paragraph",
	"setting configuration preference option",
	"configuration setting config",
	"quota limit usage",
	"balance funds amount",
	"warehouse inventory stock",
	"inventory stock",
	"shipment delivery parcel package tracking",
	"package parcel shipment",
	"domain website",
	"query sql search",
	"archive close",
	"occurrence mention instance",
	"mention occurrence",
	"attendee guest participant invitee",
	"participant attendee member",
	"expense cost receipt",
	"receipt expense",
	"tax vat",
	"coupon discount promotion code",
	"discount coupon",
	"server instance machine",
	"instance server machine",
	"chart graph plot",
	"definition schema structure",
	"schema structure",
	"step stage",
	"course class lesson",
	"student learner pupil",
	"grade mark score",
	"assignment homework",
}

// rewrites are expressions of several words, or abbreviations, and the plain words they stand for.
var rewriteLines = map[string]string{
	"pull request": "pull request", "merge request": "pull request", "pr": "pull request", "prs": "pull request",
	"to do": "todo task", "to dos": "todo task", "todo list": "task list", "action item": "task action item",
	"money back": "refund", "sign in": "login", "log in": "login", "free busy": "free busy slot",
	"work item": "task issue", "time off": "leave vacation", "on call": "oncall", "direct message": "message dm", "bug report": "issue bug",
	"phone number": "phone number", "phone call": "call", "web page": "webpage page url scrape",
	"slide deck": "presentation slide", "spread sheet": "spreadsheet", "time slot": "slot", "ci": "workflow build check",
	"api key": "key secret", "feature flag": "feature flag", "write up": "page document", "cc": "email",
	"kick off": "run start", "mark as read": "read unread", "faq": "article question", "kb": "knowledge article",
	"crm": "contact", "cv": "resume candidate", "oncall": "on call", "tweet": "post tweet", "dms": "message", "repo": "repository",
	"repos": "repository", "org": "organization", "orgs": "organization", "docs": "document", "doc": "document", "config": "configuration",
	"info": "information", "pic": "image", "pics": "image", "vid": "video", "msg": "message", "msgs": "message",
	"auth": "authentication", "db": "database", "env": "environment", "admin": "administrator", "app": "application",
	"apps": "application", "spec": "specification", "prod": "production", "dev": "development", "id": "identifier",
	"notify": "message notification", "tell": "message", "inform": "message", "who": "member user person",
	"whose": "owner", "where": "location", "how much": "cost amount balance", "how often": "frequency",
	"sub task": "subtask", "check in": "checkin", "how long": "time duration", "shut down": "archive close", "break down": "subtask split",
}

// concepts maps a stem to the stems of its line; rewrites maps an expression to stems.
var (
	concepts = conceptTable(slices.Concat(conceptLines, everydayLines))
	rewrites = rewriteTable(rewriteLines)
)

// A word heads the line it comes first in. A word that heads no line looks for the heads of the lines it is in.
func conceptTable(lines []string) map[string][]string {
	table := make(map[string][]string)
	headed := make(map[string]bool)
	for _, line := range lines {
		words := strings.Fields(line)
		head := stem(words[0])
		headed[head] = true
		for _, w := range words[1:] {
			table[head] = addOnce(table[head], stem(w), head)
		}
	}
	for _, line := range lines {
		words := strings.Fields(line)
		for _, w := range words[1:] {
			if s := stem(w); !headed[s] {
				table[s] = addOnce(table[s], stem(words[0]), s)
			}
		}
	}
	return table
}

func rewriteTable(lines map[string]string) map[string][]string {
	table := make(map[string][]string, len(lines))
	for from, to := range lines {
		for _, w := range strings.Fields(to) {
			table[from] = addOnce(table[from], stem(w), "")
		}
	}
	return table
}

func addOnce(list []string, s, except string) []string {
	if s == except {
		return list
	}
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}
