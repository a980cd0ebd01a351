package search

import "github.com/patchbay-dev/patchbay/internal/catalog"

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
	verbClasses
)

// plainVerbs are verbs wherever they stand; nounVerbs may be nouns too ("file", "post", "book") and count as verbs only
// where a verb is expected: first in a request, first in a tool's name.
var (
	plainVerbs = verbTable(map[verbClass]string{
		verbCreate:      "create add new make insert generate register append build compose initiate establish introduce prepare spawn provision allocate upsert",
		verbRead:        "get retrieve read fetch show view see obtain describe display inspect return",
		verbList:        "list browse enumerate",
		verbSearch:      "search find lookup locate discover query",
		verbUpdate:      "update edit modify change patch rename revise alter adjust replace set configure amend reschedule rewrite correct fix manage customize",
		verbDelete:      "delete remove erase destroy purge discard detach unlink clear wipe",
		verbSend:        "send deliver notify inform tell announce broadcast dispatch",
		verbReply:       "reply respond",
		verbArchive:     "archive deactivate",
		verbFinish:      "finish resolve complete solve",
		verbCancel:      "cancel abort withdraw",
		verbAssign:      "assign delegate allocate",
		verbMove:        "move relocate transfer",
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
		verbConvert:     "convert transform translate",
		verbCheck:       "check verify validate",
		verbCount:       "count",
		verbLock:        "lock",
		verbUnlock:      "unlock",
	})
	nounVerbs = verbTable(map[verbClass]string{
		verbCreate:   "file raise log record post start open schedule book draft write submit begin put save note store publish enter set design leave",
		verbRead:     "look open pull grab",
		verbUpdate:   "mark push turn flag tag label reset",
		verbDelete:   "trash drop bin",
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

// toolVerb finds what a tool does: by its name, else by its hints.
func toolVerb(t *catalog.Tool, name []string) verbSet {
	for i, w := range name {
		s := stem(w)
		if v, ok := plainVerbs[s]; ok {
			return v
		}
		if v, ok := nounVerbs[s]; ok && i == 0 {
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
}

// commonVerbs are in the names of so many tools that the word alone tells nothing.
const commonVerbs = 1<<verbCreate | 1<<verbRead | 1<<verbList | 1<<verbSearch | 1<<verbUpdate | 1<<verbDelete | 1<<verbSend

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
	near(verbRun, verbStop, -1)
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
