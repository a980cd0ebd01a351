package search

import (
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// A request and a tool must agree on what is done: "raise a ticket" wants a tool that creates, and no amount of shared
// nouns makes a deleting one right. So verbs are not matched as words but as classes, and the class of a tool's verb is
// compared with the class the request asks for.

// verbClass is what a verb does to the things it is about.
type verbClass uint8

const (
	noVerb verbClass = iota
	verbCreate
	verbRead // one thing
	verbList // many things
	verbSearch
	verbUpdate
	verbDelete
	verbSend
	verbReply
	verbArchive
	verbFinish
	verbCancel
	verbAssign
	verbMove
	verbCopy
	verbMerge
	verbShare
	verbUpload
	verbDownload
	verbRun
	verbStop
	verbEnable
	verbDisable
	verbApprove
	verbReject
	verbRestore
	verbSubscribe
	verbUnsubscribe
	verbConvert
	verbCheck
	verbCount
	verbLock
	verbUnlock
	verbManage // any of creating, changing and deleting
	verbClasses

	verbFindsAny // beside another, of tools: searches whatever there is, as SEARCH_CONTENT does
)

// plainVerbs are verbs wherever they stand; nounVerbs may be nouns too ("file", "post", "book") and count as verbs only
// where a verb is expected: first in a request, first in a tool's name.
var (
	plainVerbs = verbTable(map[verbClass]string{
		verbCreate:      "create add new make insert generate register append build compose initiate establish introduce prepare spawn provision allocate upsert propose craft produce enroll enrol onboard construct",
		verbRead:        "get retrieve read fetch show view see obtain describe display inspect return analyze analyse examine explore investigate preview extract collect gather",
		verbList:        "list browse enumerate",
		verbSearch:      "search find lookup locate discover query",
		verbUpdate:      "update edit modify change patch rename revise alter adjust replace set configure amend reschedule rewrite correct fix swap substitute refine tweak postpone toggle",
		verbManage:      "manage handle administer maintain",
		verbDelete:      "delete remove erase destroy purge discard detach unlink clear wipe eliminate unassign unset",
		verbSend:        "send deliver notify inform tell announce broadcast dispatch",
		verbReply:       "reply respond",
		verbArchive:     "archive deactivate",
		verbFinish:      "finish resolve complete solve finalize finalise",
		verbCancel:      "cancel abort withdraw",
		verbAssign:      "assign delegate allocate",
		verbMove:        "move relocate transfer shift transition migrate",
		verbCopy:        "copy duplicate clone replicate",
		verbMerge:       "merge combine consolidate",
		verbShare:       "share invite grant",
		verbUpload:      "upload import attach",
		verbDownload:    "download export",
		verbRun:         "execute invoke trigger rerun launch",
		verbStop:        "stop terminate kill pause suspend halt",
		verbEnable:      "enable activate",
		verbDisable:     "disable",
		verbApprove:     "approve accept confirm",
		verbReject:      "reject decline refuse deny dismiss",
		verbRestore:     "restore recover undelete unarchive revert rollback reopen undo",
		verbSubscribe:   "subscribe follow",
		verbUnsubscribe: "unsubscribe unfollow",
		verbConvert:     "convert transform translate render transcribe",
		verbCheck:       "check verify validate determine ensure",
		verbCount:       "count",
		verbLock:        "lock",
		verbUnlock:      "unlock",
	})
	nounVerbs = verbTable(map[verbClass]string{
		verbCreate:   "file raise log record post start open schedule book draft write submit begin put save note store publish enter set design leave draw cut track",
		verbRead:     "look open pull grab review monitor track audit watch",
		verbUpdate:   "mark push turn flag tag label reset switch increase decrease pin bookmark react mute block ban",
		verbDelete:   "trash drop bin empty",
		verbSend:     "message email mail ping dm text post forward",
		verbReply:    "answer comment",
		verbArchive:  "close",
		verbFinish:   "close mark",
		verbAssign:   "hand",
		verbShare:    "publish",
		verbUpload:   "put",
		verbDownload: "grab pull save",
		verbRun:      "run test call",
		verbSearch:   "filter",
	})
)

func isVerb(stem string) bool { return plainVerbs[stem]|nounVerbs[stem] != 0 }

// toolVerb finds what a tool does: by its name, else by its hints.
func toolVerb(t *catalog.Tool, name []string) verbSet {
	for i, w := range name {
		v := plainVerbs[stem(w)]
		if i == 0 && v == 0 {
			v = nounVerbs[stem(w)]
		}
		if _, method := methodVerbs[w]; method && i == 0 {
			v |= laterVerb(name[1:])
		}
		if v != 0 {
			return v
		}
	}
	switch h := t.Hints; {
	case h.Read:
		return 1<<verbRead | 1<<verbList | 1<<verbSearch
	case h.Create:
		return 1 << verbCreate
	case h.Update:
		return 1 << verbUpdate
	case h.Destructive:
		return 1 << verbDelete
	}
	return 0
}

// methodVerbs say how a tool is called rather than what it does when another verb stands in its name: GET_SEARCH, POST_INVITE.
var methodVerbs = setOf("get post put patch")

func laterVerb(name []string) verbSet {
	for _, w := range name {
		if v := plainVerbs[stem(w)] & laterVerbs; v != 0 && !strings.HasSuffix(w, "ed") {
			return v
		}
	}
	return 0
}

// laterVerbs are those that are not also things in names.
const laterVerbs = 1<<verbSearch | 1<<verbCount

// findsAny reports whether the name of a tool that searches says nothing of what it finds: it finds anything there is. Own are the
// words of its toolkit.
func findsAny(name, own []string) bool {
	for _, w := range name {
		s := stem(w)
		if _, anything := anythings[s]; !anything && !isStop(w) && !contains(own, w) && plainVerbs[s]&readingVerbs == 0 {
			return false
		}
	}
	return true
}

const readingVerbs = 1<<verbRead | 1<<verbList | 1<<verbSearch

var anythings = stemsOf("content item object record entity resource everything all any data global universal")

// questionVerbs are how a request asks for something to be read without any verb.
var questionVerbs = verbTable(map[verbClass]string{
	verbList: "which what",
	verbRead: "who when where how whose",
})

// verbPhrases are what several words say together. The longest that fits wins.
var verbPhrases = map[string]verbClass{
	"set up": verbCreate, "sign up": verbCreate, "write up": verbCreate, "write down": verbCreate, "note down": verbCreate,
	"jot down": verbCreate, "put in": verbCreate, "put on": verbCreate, "kick off": verbRun,
	"look up": verbSearch, "look for": verbSearch, "look through": verbSearch, "search for": verbSearch, "hunt for": verbSearch,
	"go through": verbList, "catch up": verbList, "catch me up": verbList, "show me": verbList, "tell me": verbRead,
	"give me": verbRead, "pull up": verbRead, "find out": verbRead, "check out": verbRead, "how many": verbCount,
	"how much": verbCount, "get rid of": verbDelete, "take off": verbDelete, "take down": verbDelete, "throw away": verbDelete,
	"throw out": verbDelete, "take out": verbDelete, "call off": verbCancel, "shut down": verbArchive, "close off": verbFinish,
	"mark done": verbFinish, "turn on": verbEnable, "switch on": verbEnable, "turn off": verbDisable, "switch off": verbDisable,
	"turn down": verbReject, "put back": verbRestore, "roll back": verbRestore, "bring back": verbRestore,
	"push back": verbUpdate, "fill in": verbUpdate, "hand over": verbAssign, "pass on": verbSend, "pass along": verbSend,
	"let know": verbSend, "reach out": verbSend, "write to": verbSend, "write back": verbReply, "get back to": verbReply,
	"get available": verbSearch,
	"tick off":      verbFinish, "check off": verbFinish, "cross off": verbFinish, "wrap up": verbFinish, "finish off": verbFinish,
	"sign off": verbApprove, "say yes": verbApprove, "say no": verbReject, "open again": verbRestore, "start again": verbRestore,
	"go back to": verbRestore, "take back": verbRestore, "hand off": verbAssign, "hand in": verbCreate, "draw up": verbCreate,
	"spin up": verbCreate, "make note": verbCreate, "make copy": verbCopy, "fill out": verbCreate, "fire up": verbRun, "start up": verbRun,
	"track down": verbSearch, "dig up": verbSearch, "dig out": verbSearch, "pull out": verbRead, "read through": verbRead,
	"bring up": verbRead, "work out": verbSearch, "make sure": verbCheck, "add up": verbCount, "put off": verbUpdate, "swap out": verbUpdate,
	"send out": verbSend, "send over": verbSend, "get in touch": verbSend, "drop line": verbSend, "give access": verbShare,
	"kick out": verbDelete, "clean up": verbDelete, "clear out": verbDelete, "wipe out": verbDelete, "tear down": verbDelete,
	"keep posted": verbSubscribe, "cut off": verbStop,
}

// commonVerbs are in the names of so many tools that the word alone tells nothing.
const commonVerbs = 1<<verbCreate | 1<<verbRead | 1<<verbList | 1<<verbSearch | 1<<verbUpdate | 1<<verbDelete | 1<<verbSend

// tellingVerbs are the other verbs of each class that is not common: who wants to "sign off" a thing looks for "approve".
var tellingVerbs = func() (t [verbClasses][]string) {
	for stem, classes := range plainVerbs {
		for c := verbClass(1); c < verbClasses; c++ {
			if classes.has(c) && classes&commonVerbs == 0 {
				t[c] = append(t[c], stem)
			}
		}
	}
	for c := range t {
		slices.Sort(t[c])
	}
	return t
}()

// verbSet is the classes a verb may mean: to post is to create and to send.
type verbSet uint64

func (s verbSet) has(c verbClass) bool { return s&(1<<c) != 0 }

// agreement says how well a tool whose verb is have serves a request that wants one of want: 1 the same, 0 no opinion,
// -1 the opposite.
func agreement(want, have verbSet) float32 {
	if want == 0 || have == 0 {
		return 0
	}
	best := float32(-1)
	for w := verbClass(1); w < verbClasses; w++ {
		if !want.has(w) {
			continue
		}
		for h := verbClass(1); h < verbClasses; h++ {
			if have.has(h) {
				best = max(best, agreements[w][h])
			}
		}
	}
	return best
}

var agreements = func() (t [verbClasses][verbClasses]float32) {
	reading := []verbClass{verbRead, verbList, verbSearch, verbCheck, verbCount, verbDownload}
	isReading := func(c verbClass) bool {
		for _, r := range reading {
			if r == c {
				return true
			}
		}
		return false
	}
	for want := verbCreate; want < verbClasses; want++ {
		for have := verbCreate; have < verbClasses; have++ {
			switch {
			case want == have:
				t[want][have] = 1
			case isReading(want) && isReading(have):
				t[want][have] = 0.5
			case isReading(want) != isReading(have):
				t[want][have] = -0.6
			default:
				t[want][have] = -0.3
			}
		}
	}
	near := func(a, b verbClass, value float32) { t[a][b], t[b][a] = value, value }
	near(verbRead, verbList, 0.6)
	near(verbRead, verbSearch, 0.5)
	near(verbList, verbSearch, 0.7)
	near(verbCreate, verbSend, 0.5)
	near(verbCreate, verbReply, 0.4)
	near(verbCreate, verbUpload, 0.5)
	near(verbCreate, verbCopy, 0.3)
	near(verbCreate, verbUpdate, 0.1)
	near(verbCreate, verbDelete, -1)
	near(verbUpdate, verbDelete, -0.7)
	near(verbSend, verbReply, 0.4)
	near(verbSend, verbShare, 0.3)
	near(verbFinish, verbUpdate, 0.5)
	near(verbFinish, verbArchive, 0.6)
	near(verbArchive, verbDelete, 0.3)
	near(verbArchive, verbUpdate, 0.2)
	near(verbCancel, verbDelete, 0.5)
	near(verbCancel, verbStop, 0.7)
	near(verbMove, verbUpdate, 0.5)
	near(verbAssign, verbUpdate, 0.4)
	near(verbAssign, verbCreate, 0.3)
	near(verbEnable, verbUpdate, 0.4)
	near(verbDisable, verbUpdate, 0.4)
	near(verbApprove, verbUpdate, 0.3)
	near(verbReject, verbUpdate, 0.3)
	near(verbReject, verbArchive, 0.3)
	near(verbShare, verbCreate, 0.3)
	near(verbUnsubscribe, verbDelete, 0.5)
	near(verbSubscribe, verbCreate, 0.5)
	near(verbEnable, verbDisable, -1)
	near(verbApprove, verbReject, -1)
	near(verbSubscribe, verbUnsubscribe, -1)
	near(verbLock, verbUnlock, -1)
	near(verbUpload, verbDownload, -1)
	near(verbArchive, verbRestore, -1)
	near(verbDelete, verbRestore, -1)
	near(verbRun, verbCreate, 0.2)
	near(verbRun, verbRead, 0)
	near(verbRun, verbStop, -1)
	for _, c := range []verbClass{verbCreate, verbDelete, verbAssign, verbSubscribe, verbUnsubscribe, verbShare, verbMove, verbEnable, verbDisable} {
		near(verbManage, c, 0.4)
	}
	near(verbManage, verbUpdate, 0.7)
	near(verbManage, verbList, 0.3)
	near(verbManage, verbRead, 0.2)
	near(verbManage, verbSearch, 0.1)
	return t
}()

func verbTable(classes map[verbClass]string) map[string]verbSet {
	table := make(map[string]verbSet)
	for class, list := range classes {
		for w := range setOf(list) {
			table[stem(w)] |= 1 << class
		}
	}
	return table
}
