package execute

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// confirm refuses a tool whose definition is no longer the approved one, where the toolkit wants that. The server is asked for its
// list once in a while for each account, over the session in which the tool is about to be called. Lost says that the session is
// of no more use.
func (x *execution) confirm(ctx context.Context, key mcpKey, session *mcp.ClientSession, r *catalog.MCPRequest, e exchange) (lost bool, err error) {
	if r.Hash == "" || x.toolkit.OnChange.Or(x.onChange) != catalog.OnChangeRefuse {
		return false, nil
	}
	hashes, known := x.lists.get(key)
	if !known {
		asked := x.newAsked()
		began := x.lists.begin()
		hashes, err = catalog.MCPHashes(context.WithValue(ctx, askedKey{}, asked), session)
		if err != nil {
			return sessionLost(ctx, err, asked), x.unopened(x.serverFailure(ctx, err, asked, e))
		}
		x.lists.put(key, hashes, began)
	}
	hash, listed := hashes[r.Tool]
	if hash == r.Hash {
		return false, nil
	}
	if !known {
		x.toolsChanged(key)
	}
	if !listed {
		return false, &failure{
			message: x.service() + " does not offer this tool any more.",
			fix:     fmt.Sprintf("Use another tool, or have an administrator look at what changed: patchbay toolkit changes %s.", x.toolkit.Slug),
		}
	}
	return false, &failure{
		message: x.service() + " has changed what it says of this tool since that was approved. The tool was not called.",
		fix:     fmt.Sprintf("Have an administrator look at the change and approve it: patchbay toolkit changes %s.", x.toolkit.Slug),
	}
}

// toolsChanged notes that a server's list is not what it was, and tells so: at once, or after a while when that was told just now.
func (r *Runner) toolsChanged(key mcpKey) {
	r.lists.forget(key.project, key.toolkit)
	wait, tell := r.lists.tellable(key.project, key.toolkit)
	if !tell {
		return
	}
	r.background.run(func() {
		select {
		case <-r.listeners.ctx.Done():
		case <-time.After(wait):
			r.lists.telling(key.project, key.toolkit)
			r.changed(r.listeners.ctx, key.project, key.toolkit)
		}
	})
}

// ForgetServerLists has the next call of each account look at a server's list again.
func (r *Runner) ForgetServerLists(projectID, toolkit string) { r.lists.forget(projectID, toolkit) }

// Limits of remembered lists.
const (
	listLife  = 5 * time.Minute
	keptLists = 1024
	tellEvery = 10 * time.Second // the most often that a change of one toolkit is told
)

// serverLists are what servers listed, for each account: the hashes of definitions by the server's names.
type serverLists struct {
	now   func() time.Time
	mu    sync.Mutex
	lists map[mcpKey]serverList
	words map[[2]string]word // by project and toolkit
	turn  uint64             // raised when something is forgotten: what was asked for before is not kept then
}

// word is that a toolkit's server changed its list.
type word struct {
	last  time.Time // when it was told
	waits bool      // it is about to be told again
}

type serverList struct {
	hashes map[string]string
	until  time.Time
}

func newServerLists(now func() time.Time) *serverLists {
	return &serverLists{now: now, lists: map[mcpKey]serverList{}, words: map[[2]string]word{}}
}

func (l *serverLists) get(key mcpKey) (map[string]string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list, ok := l.lists[key]
	return list.hashes, ok && l.now().Before(list.until)
}

// begin gives the turn in which a list is asked for.
func (l *serverLists) begin() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.turn
}

func (l *serverLists) put(key mcpKey, hashes map[string]string, began uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if began != l.turn {
		return
	}
	if len(l.lists) >= keptLists {
		clear(l.lists) // each is read again when it is needed
	}
	l.lists[key] = serverList{hashes, l.now().Add(listLife)}
}

// forget drops what a toolkit's server listed.
func (l *serverLists) forget(project, toolkit string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn++
	for key := range l.lists {
		if key.project == project && key.toolkit == toolkit {
			delete(l.lists, key)
		}
	}
}

// tellable reports whether a change is still to be told, and when: a server that says so without end is told of now and then.
func (l *serverLists) tellable(project, toolkit string) (wait time.Duration, tell bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	named := [2]string{project, toolkit}
	w := l.words[named]
	if w.waits {
		return 0, false
	}
	if len(l.words) >= keptLists {
		clear(l.words)
	}
	l.words[named] = word{last: w.last, waits: true}
	return max(0, w.last.Add(tellEvery).Sub(l.now())), true
}

// telling notes that a change is told now: what changes from here on is told again.
func (l *serverLists) telling(project, toolkit string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.words[[2]string{project, toolkit}] = word{last: l.now()}
}
