package execute

import (
	"context"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/patchbay-dev/patchbay/internal/cache"
	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// confirm refuses a tool whose definition is no longer the approved one, where the toolkit wants that. The server is asked for its
// list once in a while for each account, over the session in which the tool is about to be called. Lost says that the session is
// of no more use.
func (x *execution) confirm(ctx context.Context, key mcpKey, session *mcp.ClientSession, r *catalog.MCPRequest, e exchange) (lost bool, err error) {
	if r.Hash == "" || x.toolkit.OnChange.Or(x.onChange) != catalog.OnChangeRefuse {
		return false, nil
	}
	if hashes, _ := x.lists.hashes.Get(key); hashes[r.Tool] == r.Hash {
		return false, nil
	}
	hashes, lost, err := x.askHashes(ctx, key, session, e) // what is remembered may be older than the approval, which another node had
	if err != nil || hashes[r.Tool] == r.Hash {
		return lost, err
	}
	x.toolsChanged(key)
	return false, x.unapproved(hashes, r)
}

// confirmProgram is confirm for a server that is a program. What it listed is kept with it; where that is not what was approved, it
// is asked once more, since the approval may be the newer of the two.
func (x *execution) confirmProgram(ctx context.Context, p *program, r *catalog.MCPRequest) error {
	if r.Hash == "" || x.toolkit.OnChange.Or(x.onChange) != catalog.OnChangeRefuse {
		return nil
	}
	hashes, mark := p.list.listed(x.now())
	if hashes[r.Tool] == r.Hash {
		return nil
	}
	hashes, err := catalog.MCPHashes(ctx, p.session)
	if err != nil {
		return err
	}
	p.list.keep(hashes, x.now(), mark)
	if hashes[r.Tool] == r.Hash {
		return nil
	}
	return x.unapproved(hashes, r)
}

// unapproved says why a tool is not called whose definition is not the approved one.
func (x *execution) unapproved(hashes map[string]string, r *catalog.MCPRequest) error {
	look := "Have the operator look at the change and take it over: patchbay toolkit relist " + x.toolkit.Slug + "."
	if x.toolkit.Custom {
		look = "Have an administrator look at the change and approve it: patchbay toolkit changes " + x.toolkit.Slug + "."
	}
	if _, listed := hashes[r.Tool]; !listed {
		return &failure{message: x.service() + " does not offer this tool any more.", fix: "Use another tool. " + look}
	}
	return &failure{message: x.service() + " has changed what it says of this tool since that was approved. The tool was not called.", fix: look}
}

// askHashes asks a server for its list, and remembers it.
func (x *execution) askHashes(ctx context.Context, key mcpKey, session *mcp.ClientSession, e exchange) (hashes map[string]string, lost bool, err error) {
	asked := x.newAsked()
	mark := x.lists.hashes.Mark()
	hashes, err = catalog.MCPHashes(context.WithValue(ctx, askedKey{}, asked), session)
	if err != nil {
		return nil, sessionLost(ctx, err, asked), x.unopened(x.serverFailure(ctx, err, asked, e))
	}
	x.lists.hashes.Put(key, hashes, mark)
	return hashes, false, nil
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
func (r *Runner) ForgetServerLists(projectID, toolkit string) {
	r.lists.forget(projectID, toolkit)
	r.programs.forgetLists(toolkit)
}

// Limits of remembered lists.
const (
	listLife  = 5 * time.Minute
	keptLists = 1024
	tellEvery = 10 * time.Second // the most often that a change of one toolkit is told
)

// serverLists are what servers listed, for each account: the hashes of definitions by the server's names.
type serverLists struct {
	hashes *cache.Cache[mcpKey, map[string]string]

	now   func() time.Time
	mu    sync.Mutex
	words map[[2]string]word // by project and toolkit
}

// word is that a toolkit's server changed its list.
type word struct {
	last  time.Time // when it was told
	waits bool      // it is about to be told again
}

func newServerLists(now func() time.Time) *serverLists {
	return &serverLists{
		hashes: cache.New[mcpKey, map[string]string](cache.Options{Limit: keptLists, Life: listLife, Now: now}),
		now:    now, words: map[[2]string]word{},
	}
}

// forget drops what a toolkit's server listed.
func (l *serverLists) forget(project, toolkit string) {
	l.hashes.DropFunc(func(key mcpKey, _ map[string]string) bool { return key.project == project && key.toolkit == toolkit })
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
