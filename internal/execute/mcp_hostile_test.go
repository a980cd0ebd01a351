package execute_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// rawServer is an MCP server of 2025-11-25 that answers lists and calls with any text.
func rawServer(t *testing.T, list func(cursor string) string, call string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			ID     json.RawMessage
			Method string
			Params struct{ Cursor string }
		}
		json.NewDecoder(r.Body).Decode(&asked) // a farewell has none
		var result string
		switch asked.Method {
		case "initialize":
			result = `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"raw","version":"1"}}`
		case "tools/list":
			result = list(asked.Params.Cursor)
		case "tools/call":
			result = call
		case "notifications/initialized":
			w.WriteHeader(http.StatusAccepted)
			return
		default:
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"unknown"}}`, asked.ID)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"jsonrpc":"2.0","id":`+string(asked.ID)+`,"result":`+result+`}`)
	}))
	t.Cleanup(s.Close)
	return s
}

func bareServer(t *testing.T, url string) *catalog.Toolkit {
	t.Helper()
	tk, err := (&catalog.Definition{Slug: "things", Name: "Things", BaseURL: url, Auth: []catalog.DefinedAuth{{Mode: "NO_AUTH"}}}).Bare()
	if err != nil {
		t.Fatal(err)
	}
	return tk
}

// A list may hold anything that is JSON.
func TestListsThatHoldWhatIsNoTool(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(http.ResponseWriter, *http.Request) {})
	for list, want := range map[string]int{
		`{"tools":[null,{"name":"a","inputSchema":{"type":"object"}}]}`: 1,
		`{"tools":null}`: 0,
		`{"tools":[{"name":"a"},{"name":"","inputSchema":{"type":"object"}}]}`:             2,
		`{"tools":[{"name":"a","inputSchema":null},{"name":"b","inputSchema":[1]}]}`:       1,
		`{"tools":[{"name":"a","inputSchema":{"type":"object"},"annotations":null}]}`:      1,
		`{"tools":[{"name":"a","inputSchema":{"properties":{"x":null},"required":null}}]}`: 1,
	} {
		s := rawServer(t, func(string) string { return list }, "")
		tools, leftOut, err := w.ListServerTools(t.Context(), caller, bareServer(t, s.URL), connect.Selection{}, nil)
		if err != nil || len(tools) != want {
			t.Errorf("%s: %d tools, left out %q, %v", list, len(tools), leftOut, err)
		}
	}
}

// What a server lists is bounded in all, not only in each answer.
func TestListsThatAreEnormous(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(http.ResponseWriter, *http.Request) {})
	long := strings.Repeat("x", 3<<20)
	for what, c := range map[string]struct {
		definition, want string
		pages            int // that are read before it is given up
	}{
		"long definitions": {`"name":"t%d","description":"` + long + `"`, "more than 16 MB", 6},
		"long names":       {`"name":"t%d` + long + `"`, "more than 16 MB", 6},
		"long pictures":    {`"name":"t%d","icons":[{"src":"` + long[:64<<10] + `"}]`, "100 pages were read", 100},
	} {
		page := 0
		s := rawServer(t, func(string) string {
			page++
			return fmt.Sprintf(`{"tools":[{`+c.definition+`,"inputSchema":{"type":"object"}}],"nextCursor":"%d"}`, page, page)
		}, "")
		_, _, err := w.ListServerTools(t.Context(), caller, bareServer(t, s.URL), connect.Selection{}, nil)
		if !fault.Is(err, fault.Unprocessable) || !strings.Contains(err.Error(), c.want) || page != c.pages {
			t.Errorf("%s: %v after %d pages", what, err, page)
		}
	}
}

func TestNamesThatAreTooLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(http.ResponseWriter, *http.Request) {})
	s := rawServer(t, func(string) string {
		return `{"tools":[{"name":"` + strings.Repeat("a", 201) + `","inputSchema":{"type":"object"}},{"name":"` + strings.Repeat("b", 200) + `","inputSchema":{"type":"object"}}]}`
	}, "")
	tools, leftOut, err := w.ListServerTools(t.Context(), caller, bareServer(t, s.URL), connect.Selection{}, nil)
	if err != nil || len(tools) != 1 || len(leftOut) != 1 || !strings.Contains(leftOut[0], "its name has more than 200 characters") || len(leftOut[0]) > 150 {
		t.Errorf("%d tools, left out %q, %v", len(tools), leftOut, err)
	}
}
