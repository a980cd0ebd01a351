package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/web"
)

func TestTheClientDocumentNamesItself(t *testing.T) {
	t.Parallel()
	handler, err := web.New(web.Options{Links: &links{}, PublicURL: "https://patchbay.example"})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, connect.ClientDocumentPath, nil))
	var document connect.ClientDocument
	if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil || w.Code != http.StatusOK {
		t.Fatalf("it is answered %d %s", w.Code, w.Body)
	}
	if document.ID != "https://patchbay.example"+connect.ClientDocumentPath {
		t.Errorf("it calls itself %s", document.ID)
	}
	if !slices.Contains(document.Redirects, "https://patchbay.example/api/v3.1/toolkits/auth/callback") {
		t.Errorf("it comes back to %v", document.Redirects)
	}
}
