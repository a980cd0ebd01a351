package execute

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// pool is a pool of sessions, and those that it left.
func pool() (p *mcpSessions, left func() []*mcp.ClientSession) {
	var mu sync.Mutex
	var all []*mcp.ClientSession
	leave := func(s *mcp.ClientSession) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, s)
	}
	return newMCPSessions(time.Now, leave), func() []*mcp.ClientSession {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

func TestIdleSessionsAreGivenOnceAndToTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, left := pool()
		defer p.close()
		mine, theirs := mcpKey{account: "mine"}, mcpKey{account: "theirs"}
		first, second := new(mcp.ClientSession), new(mcp.ClientSession)
		p.put(mine, first)
		p.put(mine, second)
		if s := p.take(theirs); s != nil {
			t.Error("an account was given another's session")
		}
		if a, b, c := p.take(mine), p.take(mine), p.take(mine); a != second || b != first || c != nil {
			t.Error("not the last used one first, and each once")
		}
		if len(left()) > 0 {
			t.Error("a session was left that was in use")
		}
	})
}

func TestIdleSessionsAreLeftWhenNobodyCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, left := pool()
		defer p.close()
		early, late, used := new(mcp.ClientSession), new(mcp.ClientSession), new(mcp.ClientSession)
		p.put(mcpKey{account: "a"}, early)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		p.put(mcpKey{account: "a"}, late)
		p.put(mcpKey{account: "b"}, used)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		p.put(mcpKey{account: "b"}, p.take(mcpKey{account: "b"}))

		time.Sleep(time.Minute + time.Second) // 5:01
		synctest.Wait()
		if !slices.Equal(left(), []*mcp.ClientSession{early}) {
			t.Fatalf("%d sessions were left after five minutes, not the one that was idle", len(left()))
		}
		time.Sleep(2 * time.Minute) // 7:01
		synctest.Wait()
		if !slices.Equal(left(), []*mcp.ClientSession{early, late}) {
			t.Fatalf("%d sessions were left after seven minutes", len(left()))
		}
		time.Sleep(2 * time.Minute) // 9:01
		synctest.Wait()
		if len(left()) != 3 || held(p) != 0 {
			t.Fatalf("%d sessions were left, %d are held, after nine minutes", len(left()), held(p))
		}
		p.put(mcpKey{account: "a"}, new(mcp.ClientSession))
		time.Sleep(5*time.Minute + time.Second)
		synctest.Wait()
		if len(left()) != 4 {
			t.Error("a session that came after a pause is held for good")
		}
	})
}

// held gives how many sessions a pool holds; when it holds none, it waits for nothing.
func held(p *mcpSessions) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == 0 && (len(p.idle) > 0 || p.sweeps != nil) {
		return -1
	}
	return p.count
}

func TestIdleSessionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, left := pool()
		for range idleSessionsPerKey + 1 {
			p.put(mcpKey{}, new(mcp.ClientSession))
		}
		if len(left()) != 1 || p.count != idleSessionsPerKey {
			t.Errorf("%d sessions of one account are held", p.count)
		}
		for n := range idleSessions {
			p.put(mcpKey{account: strconv.Itoa(n)}, new(mcp.ClientSession))
		}
		if p.count != idleSessions {
			t.Errorf("%d sessions are held", p.count)
		}
		p.forget(mcpKey{})
		if p.count != idleSessions-idleSessionsPerKey || p.take(mcpKey{}) != nil {
			t.Error("forgotten sessions are held")
		}
		p.close()
		p.put(mcpKey{}, new(mcp.ClientSession))
		if given := idleSessionsPerKey + 1 + idleSessions + 1; len(left()) != given {
			t.Errorf("%d of %d sessions were left", len(left()), given)
		}
	})
}
