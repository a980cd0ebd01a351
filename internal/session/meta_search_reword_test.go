package session_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/planner"
	"github.com/patchbay-dev/patchbay/internal/session"
)

// spokenPlans is a planner that runs the first two tools of each task.
type spokenPlans struct {
	mu    sync.Mutex
	tasks []planner.Task
	mute  bool
}

func (s *spokenPlans) Plan(_ context.Context, t planner.Task) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tasks = append(s.tasks, t)
	if s.mute {
		return nil
	}
	return []string{t.Tools[0].Slug + ": Do it."}
}

// A model's words take the place of the declared steps; what the server knows of connections and destructive tools stays.
func TestPlansInTheWordsOfAModel(t *testing.T) {
	t.Parallel()
	spoken := &spokenPlans{}
	w := newWorldWith(t, session.Options{Planner: spoken})
	w.withGitHub(t, "ann")
	id := w.create(t, "ann", nil).Session.ID
	queries := []session.SearchQuery{
		{UseCase: "create an issue in a github repository", KnownFields: "owner: octocat, title: , email: ann@example.com"},
		{UseCase: "delete a github repository"},
		{UseCase: "send a message to a slack channel"},
		{UseCase: "reheat the soup"},
		{},
	}
	answer, err := w.Search(t.Context(), ours, id, session.SearchRequest{Queries: queries})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]string{
		{"GITHUB_CREATE_AN_ISSUE: Do it."},
		{"Make sure that the user wants exactly this before you run GITHUB_DELETE_A_REPOSITORY: it is marked destructive.", "GITHUB_DELETE_A_REPOSITORY: Do it."},
		{`Slack is not connected. Call COMPOSIO_MANAGE_CONNECTIONS with toolkits ["slack"] and show the user the link.`, "SLACK_SEND_MESSAGE: Do it."},
		nil,
		nil,
	} {
		if got := answer.Results[i].Plan; !slices.Equal(got, want) {
			t.Errorf("plan %d is %q, want %q", i+1, got, want)
		}
	}
	if len(spoken.tasks) != 3 {
		t.Fatalf("%d plans were asked for", len(spoken.tasks))
	}
	for _, task := range spoken.tasks {
		if strings.HasPrefix(task.UseCase, "create") {
			if !slices.Equal(task.Known, []string{"owner", "email"}) || task.Tools[0].Slug != "GITHUB_CREATE_AN_ISSUE" || !slices.Equal(task.Tools[0].Required, []string{"owner", "repo", "title"}) {
				t.Errorf("the model is told %+v", task)
			}
		}
	}
}

func TestPlansWithoutAWord(t *testing.T) {
	t.Parallel()
	search := func(o session.Options) []string {
		w := newWorldWith(t, o)
		id := w.create(t, "ann", nil).Session.ID
		answer, err := w.Search(t.Context(), ours, id, session.SearchRequest{Queries: []session.SearchQuery{{UseCase: "create an issue in a github repository"}}})
		if err != nil {
			t.Fatal(err)
		}
		return answer.Results[0].Plan
	}
	if with, without := search(session.Options{Planner: &spokenPlans{mute: true}}), search(session.Options{}); !slices.Equal(with, without) || len(with) == 0 {
		t.Errorf("a model that says nothing changes %q into %q", without, with)
	}
}
