package event

import (
	"sync"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// openStreams counts who holds the log open, so that one program that forgets its connections does not take all there are. The zero
// value is ready.
type openStreams struct {
	mu    sync.Mutex
	byKey map[string]int
}

// enter counts one more for the caller's key, or refuses it when there are as many as it may have.
func (o *openStreams) enter(c tenant.Caller, most int) (leave func(), err error) {
	key := c.ProjectID + " " + c.KeyID
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.byKey[key] >= most {
		return nil, fault.New(fault.RateLimited, fault.SlugRateLimited, "This key holds %d streams of events open, which is as many as it may have.", most).
			WithFix("Close one that is not read any more, or have the operator raise limits.streams.")
	}
	if o.byKey == nil {
		o.byKey = make(map[string]int)
	}
	o.byKey[key]++
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.byKey[key]--; o.byKey[key] == 0 {
			delete(o.byKey, key)
		}
	}, nil
}
