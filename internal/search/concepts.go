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
	"stock share equity quote inventory",
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
	"supplier vendor contact",
	"vendor supplier",
	"prospect lead contact",
	"colleague teammate member user person",
	"absence leave vacation",
	"vacation leave absence holiday",
	"timesheet time entry hour",
	"exception error issue",
	"crash error issue",
	"failure error log",
	"arrow connector line",
	"branch reference ref",
	"bulk batch multiple parallel",
	"batch bulk multiple parallel",
	"multiple bulk batch",
	"several multiple bulk batch",
	"top popular trending hot",
	"trending popular top",
	"performance analytics insight statistic metric report",
	"insight analytics statistic metric performance",
	"analytics insight statistic metric report",
	"payout payment transfer",
	"cart basket checkout",
	"cell range value",
	"range cell value",
	"revenue income sale profit",
	"profit income revenue",
	"machine instance server vm",
	"vm instance machine server",
	"function script lambda",
	"quote estimate",
	"estimate quote",
	"sms message text",
	"phone call telephone",
	"call phone meeting",
	"reply response comment answer message",
	"answer response reply",
	"diff change comparison",
	"blog post article",
	"article post page blog document",
	"post article message entry",
	"rating review score",
	"feedback review survey response comment",
	"license seat",
	"seat license",
	"trash bin deleted",
	"bin trash",
	"backup snapshot",
	"snapshot backup",
	"policy rule",
	"rule policy",
	"checklist list item",
	"watcher follower subscriber",
	"hostname domain dns",
	"dns domain record",
	"newsletter campaign list audience",
	"basket cart",
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

// concepts maps a stem to the stems that the lines it is in say; rewrites maps an expression to stems.
var (
	concepts = conceptTable(slices.Concat(conceptLines, everydayLines))
	rewrites = rewriteTable(rewriteLines)
)

// related is another word for what a word means.
type related struct {
	stem string
	near float32 // 1 where the word heads the other's line or the other is all it may mean, less where it is one of several
}

// A word looks for all words of the line it heads, and for the heads of the other lines it is in.
func conceptTable(lines []string) map[string][]related {
	table := make(map[string][]related)
	headed := make(map[string]bool)
	add := func(to, other string, near float32) {
		if to != other && !slices.ContainsFunc(table[to], func(have related) bool { return have.stem == other }) {
			table[to] = append(table[to], related{other, near})
		}
	}
	for _, line := range lines {
		words := strings.Fields(line)
		head := stem(words[0])
		headed[head] = true
		for _, w := range words[1:] {
			add(head, stem(w), 1)
		}
	}
	for _, line := range lines {
		words := strings.Fields(line)
		for _, w := range words[1:] {
			if s := stem(w); headed[s] {
				add(s, stem(words[0]), 0.6)
			} else {
				add(s, stem(words[0]), 1)
			}
		}
	}
	for _, line := range kinLines {
		words := strings.Fields(line)
		for _, w := range words {
			for _, other := range words {
				add(stem(w), stem(other), 1)
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

// kinLines are words of one family that the stemmer does not bring together.
var kinLines = []string{
	"react reaction",
	"subscribe subscription subscriber",
	"convert conversion",
	"transcribe transcript transcription",
	"respond response",
	"pay payment",
	"analyze analysis analytics",
	"summarize summary",
	"notify notification",
	"create creator creation",
	"depend dependency dependent",
	"extend extension",
	"expand expansion",
	"suspend suspension",
	"submit submission",
	"receive receipt recipient",
	"deliver delivery",
	"permit permission",
	"member membership",
	"authenticate authentication auth",
	"authorize authorization",
	"describe description",
	"register registration",
	"apply application applicant",
	"statistic stats",
	"configure configuration config",
	"admin administrator",
	"organization org",
	"specification spec",
	"environment env",
	"application app",
	"identify identity",
	"verify verification",
	"own owner ownership",
	"attend attendee attendance",
	"assign assignee assignment",
	"employee employ employment",
	"retain retention",
	"compare comparison",
	"publish publication",
	"remind reminder",
	"enroll enrollment",
	"sell sale",
	"buy purchase",
	"sign signature",
	"approve approval",
	"available availability",
	"locate location",
	"measure measurement",
	"price pricing",
	"ship shipping shipment",
	"fulfill fulfillment",
	"bill billing",
	"relate relation relationship",
	"connect connection connector",
	"collaborate collaborator",
	"contribute contributor contribution",
	"watch watcher",
	"edit editor",
	"rate rating",
	"rank ranking",
	"day daily",
	"week weekly",
	"month monthly",
	"year yearly annual",
	"history historical",
	"play playback player",
	"listen listener",
	"recommend recommendation",
	"escalate escalation",
	"moderate moderation moderator",
	"redeem redemption",
	"retry retries",
	"favorite favourite",
	"color colour",
	"center centre",
	"calculate calculator calculation",
	"optimize optimization",
	"extract extraction",
	"detect detection",
	"predict prediction",
	"classify classification",
	"generate generator generation",
	"estimate estimation",
	"investigate investigation",
	"certify certificate certification",
	"duplicate duplication",
	"migrate migration",
	"restore restoration",
	"revoke revocation",
	"install installation",
	"associate association",
	"synchronize sync synchronization",
}
