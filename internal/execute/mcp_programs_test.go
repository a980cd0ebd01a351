package execute

import (
	"testing"
	"time"
)

// A list that was asked for before the program said that it changed is not kept.
func TestListsThatChangeWhileTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	var l programList
	now := time.Date(2026, 7, 28, 12, 0, 0, 0, time.UTC)
	hashes, mark := l.listed(now)
	if hashes != nil {
		t.Fatal("a new program has a list")
	}
	l.forget()
	l.keep(map[string]string{"echo": "old"}, now, mark)
	if hashes, mark = l.listed(now); hashes != nil {
		t.Errorf("%v is kept", hashes)
	}
	l.keep(map[string]string{"echo": "new"}, now, mark)
	if hashes, _ = l.listed(now); hashes["echo"] != "new" {
		t.Errorf("kept %v", hashes)
	}
	if hashes, _ = l.listed(now.Add(listLife)); hashes != nil {
		t.Errorf("%v is kept for good", hashes)
	}
}
