package app_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay"
	"github.com/patchbay-dev/patchbay/internal/app"
	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/inference/inferencetest"
)

// nonsense are words that nothing in the server knows. The model of the tests takes them for others.
var nonsense = map[string]string{"blorp": "story", "grumpf": "identifier", "zquack": "hacker"}

const nonsensical = "zquack blorp grumpf"

func search(t *testing.T, sdk *patchbay.Client, id, useCase string) []string {
	t.Helper()
	session, err := sdk.Sessions.Use(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := session.Search(t.Context(), patchbay.SearchQuery{UseCase: useCase, Known: "email: ada@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Results[0].Primary
}

// A request that shares nothing with its tool but what the operator's model knows is found, and not without the model.
func TestSearchesAskTheModelOfTheSettings(t *testing.T) {
	t.Parallel()
	model := &inferencetest.Server{Same: nonsense}
	endpoint := httptest.NewServer(model)
	t.Cleanup(endpoint.Close)
	data, log := t.TempDir(), &lockedBuffer{}
	settings := load(t, data, "PATCHBAY_API_KEY="+operatorsKey, "PATCHBAY_SEARCH_EMBEDDINGS_URL="+endpoint.URL+"/v1",
		"PATCHBAY_SEARCH_EMBEDDINGS_MODEL=words", "PATCHBAY_SEARCH_EMBEDDINGS_API_KEY=sk-hush", "PATCHBAY_SEARCH_EMBEDDINGS_TIMEOUT=20s")

	without := start(t, load(t, t.TempDir(), "PATCHBAY_API_KEY="+operatorsKey))
	sdk := client(t, without, operatorsKey)
	session, err := sdk.Sessions.Create(t.Context(), patchbay.NewSession{UserID: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	if found := search(t, sdk, session.ID, nonsensical); len(found) != 0 {
		t.Fatalf("without a model %v is found", found)
	}

	server := startLogging(t, settings, log)
	sdk = client(t, server, operatorsKey)
	if session, err = sdk.Sessions.Create(t.Context(), patchbay.NewSession{UserID: "ada"}); err != nil {
		t.Fatal(err)
	}
	var found []string
	for len(found) == 0 && t.Context().Err() == nil { // until the vectors of all tools are there
		found = search(t, sdk, session.ID, nonsensical)
	}
	if !strings.HasPrefix(found[0], "HACKERNEWS_") {
		t.Errorf("found %v", found)
	}
	if slices.ContainsFunc(model.Texts(), func(text string) bool { return strings.Contains(text, "ada@example.com") }) {
		t.Error("known fields were sent to the model")
	}
	_, metrics := get(t, server.URL()+"/metrics", nil)
	if !strings.Contains(metrics, "patchbay_embeddings_up 1") || !strings.Contains(metrics, `patchbay_embeddings_requests_total{outcome="ok",purpose="requests"}`) {
		t.Error("the metrics say nothing of it")
	}
	if kept, err := filepath.Glob(filepath.Join(data, "embeddings", "*.vectors")); err != nil || len(kept) != 1 {
		t.Errorf("kept: %v, %v", kept, err)
	}

	endpoint.Close() // the endpoint is gone, and searches go on
	if found := search(t, sdk, session.ID, "newest stories of hacker news"); len(found) == 0 || !strings.HasPrefix(found[0], "HACKERNEWS_") {
		t.Errorf("without the endpoint: %v", found)
	}
	_, metrics = get(t, server.URL()+"/metrics", nil)
	if !strings.Contains(metrics, "patchbay_embeddings_up 0") {
		t.Error("the metrics say that the endpoint answers")
	}
	stop(t, server)
	if text := log.String(); strings.Count(text, "the embeddings endpoint fails") != 1 || strings.Contains(text, "sk-hush") {
		t.Errorf("log:\n%s", text)
	}
}

func TestDiagnoseAsksTheModel(t *testing.T) {
	t.Parallel()
	endpoint := httptest.NewServer(&inferencetest.Server{})
	t.Cleanup(endpoint.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(gone.Close)
	for name, c := range map[string]struct {
		url, dimensions string
		want            app.Verdict
		message         string
	}{
		"answers":          {endpoint.URL, "64", app.Fine, "with 64 dimensions"},
		"leads elsewhere":  {gone.URL, "64", app.Warning, "it answers 404"},
		"is not reachable": {"http://127.0.0.1:1", "64", app.Warning, "cannot be used"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := load(t, t.TempDir(), "PATCHBAY_SEARCH_EMBEDDINGS_URL="+c.url, "PATCHBAY_SEARCH_EMBEDDINGS_MODEL=words",
				"PATCHBAY_SEARCH_EMBEDDINGS_DIMENSIONS="+c.dimensions, "PATCHBAY_SEARCH_EMBEDDINGS_TIMEOUT=10s")
			findings := app.Diagnose(t.Context(), app.Options{Config: settings, Toolkits: hackerNews()})
			if !slices.ContainsFunc(findings, func(f app.Finding) bool {
				return f.Check == "search.embeddings" && f.Verdict == c.want && strings.Contains(f.Message, c.message)
			}) {
				t.Errorf("no %s that says %q in %+v", c.want, c.message, findings)
			}
		})
	}
}

func TestPlansInTheWordsOfTheModelOfTheSettings(t *testing.T) {
	t.Parallel()
	endpoint := httptest.NewServer(&inferencetest.Server{Reply: `{"steps":[{"tool":"HACKERNEWS_GET_USER","do":"Look the user up."}]}`})
	t.Cleanup(endpoint.Close)
	chat := []string{"PATCHBAY_API_KEY=" + operatorsKey, "PATCHBAY_SEARCH_CHAT_URL=" + endpoint.URL + "/v1", "PATCHBAY_SEARCH_CHAT_MODEL=talk", "PATCHBAY_SEARCH_CHAT_TIMEOUT=20s"}
	server := start(t, load(t, t.TempDir(), chat...))
	session, err := client(t, server, operatorsKey).Sessions.Create(t.Context(), patchbay.NewSession{UserID: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := session.Search(t.Context(), patchbay.SearchQuery{UseCase: "get a hacker news user"})
	if err != nil {
		t.Fatal(err)
	}
	if got := answer.Results[0].Plan; !slices.Equal(got, []string{"HACKERNEWS_GET_USER: Look the user up."}) {
		t.Errorf("the plan is %q", got)
	}
	findings := app.Diagnose(t.Context(), app.Options{Config: load(t, t.TempDir(), chat...), Toolkits: hackerNews()})
	if !slices.ContainsFunc(findings, func(f app.Finding) bool {
		return f.Check == "search.chat" && strings.Contains(f.Message, "no plan that can be used")
	}) {
		t.Errorf("%+v", findings)
	}
}

func startLogging(t *testing.T, settings config.Config, log *lockedBuffer) *app.App {
	t.Helper()
	server := app.New(app.Options{Config: settings, Toolkits: hackerNews(), Log: app.NewLogger(settings, log)})
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, server) })
	return server
}
