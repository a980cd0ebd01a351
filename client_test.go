package patchbay_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay"
)

const key = "ak_test_key_0123456789"

// TestCalls holds every call against what goes over the wire and what comes back, by the API contract.
func TestCalls(t *testing.T) {
	t.Parallel()
	session := `{"session_id":"trs_1","mcp":{"type":"http","url":"https://x/tool_router/trs_1/mcp"},"config":{"user_id":"u","preload":{"tools":[]}}}`
	for name, tc := range map[string]struct {
		call   func(ctx context.Context, c *patchbay.Client) (any, error)
		want   string // the request: method, path and body
		status int    // 0: 200
		answer string
		got    any // what the call gives
	}{
		"the smallest session": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				s, err := c.Sessions.Create(ctx, patchbay.NewSession{UserID: "u"})
				return s.ID, err
			},
			want: `POST /api/v3.1/tool_router/session {"user_id":"u"}`, status: 201, answer: session, got: "trs_1",
		},
		"a session with a policy": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				s, err := c.Sessions.Create(ctx, patchbay.NewSession{
					UserID:            "u",
					Toolkits:          &patchbay.Filter{Enable: []string{"github", "slack"}},
					Tools:             map[string]patchbay.ToolPolicy{"github": {Disable: []string{"GITHUB_DELETE_A_REPOSITORY"}}},
					Tags:              &patchbay.Filter{Disable: []string{"destructiveHint"}},
					ConnectedAccounts: map[string][]string{"github": {"ca_1"}},
					ManageConnections: &patchbay.ManageConnections{Enable: true, CallbackURL: "https://app/cb"},
					MultiAccount:      &patchbay.MultiAccount{Enable: true, Max: 3},
					Preload:           &patchbay.Preload{All: true},
					Search:            &patchbay.Switch{},
				})
				return s.ID, err
			},
			want: `POST /api/v3.1/tool_router/session {"user_id":"u","toolkits":{"enable":["github","slack"]},"tools":{"github":{"disable":["GITHUB_DELETE_A_REPOSITORY"]}},` +
				`"tags":{"disable":["destructiveHint"]},"connected_accounts":{"github":["ca_1"]},"manage_connections":{"enable":true,"callback_url":"https://app/cb"},` +
				`"multi_account":{"enable":true,"max_accounts_per_toolkit":3},"preload":{"tools":"all"},"search":{"enable":false}}`,
			status: 201, answer: session, got: "trs_1",
		},
		"the policy as the server words it": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				s, err := c.Sessions.Use(ctx, "trs_1")
				return s.Config, err
			},
			want: `GET /api/v3.1/tool_router/session/trs_1 `,
			answer: `{"session_id":"trs_1","mcp":{"url":"u"},"config":{"user_id":"u","toolkits":{"disabled":["x"]},"tools":{"a":{"enabled":["A_B"]},"b":{"tags":{"enabled":["readOnlyHint"]}}},
				"preload":{"tools":["A_B"]},"search":{"enable":true},"execute":{"enable_multi_execute":true}}}`,
			got: patchbay.SessionConfig{
				UserID:   "u",
				Toolkits: &patchbay.Filter{Disable: []string{"x"}},
				Tools: map[string]patchbay.ToolPolicy{
					"a": {Enable: []string{"A_B"}},
					"b": {Tags: &patchbay.Filter{Enable: []string{"readOnlyHint"}}},
				},
				Preload: patchbay.Preload{Tools: []string{"A_B"}},
				Search:  patchbay.Switch{Enable: true},
				Execute: patchbay.ExecuteSwitch{Multi: true},
			},
		},
		"an id cannot reach another resource": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				return nil, c.Sessions.Delete(ctx, "trs_1/../../toolkits")
			},
			want: `DELETE /api/v3.1/tool_router/session/trs_1%2F..%2F..%2Ftoolkits `, answer: `{}`,
		},
		"list sessions": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				page, err := c.Sessions.List(ctx, patchbay.SessionFilter{UserIDs: []string{"a", "b"}, Limit: 5})
				return []any{page.Items[0].UserID, page.Items[0].ExpiresAt.Year(), page.NextCursor, page.TotalItems}, err
			},
			want:   `GET /api/v3.1/tool_router/session?limit=5&user_ids=a%2Cb `,
			answer: `{"items":[{"session_id":"trs_1","user_id":"a","mcp":{"url":"u"},"expires_at":"2027-01-01T00:00:00.000Z"}],"next_cursor":"c","total_items":9}`,
			got:    []any{"a", 2027, "c", 9},
		},
		"list tools": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				page, err := c.Tools.List(ctx, patchbay.ToolFilter{Toolkits: []string{"github"}, Search: "issue", Important: true})
				return page.Items[0].Toolkit.Slug, err
			},
			want: `GET /api/v3.1/tools?important=true&query=issue&toolkit_slug=github `, answer: `{"items":[{"slug":"A","toolkit":{"slug":"github"}}],"next_cursor":null}`,
			got: "github",
		},
		"run a tool directly": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				r, err := c.Tools.Execute(ctx, "u", patchbay.Call{Tool: "A_B", Arguments: map[string]any{"n": 1}, Account: "ca_1"})
				return string(r.Data), err
			},
			want:   `POST /api/v3.1/tools/execute/A_B {"user_id":"u","arguments":{"n":1},"connected_account_id":"ca_1","version":"latest"}`,
			answer: `{"data":{"id":7},"error":null,"successful":true,"log_id":"log_1"}`, got: `{"id":7}`,
		},
		"pin a toolkit": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				return c.Toolkits.Pin(ctx, "github", "20260728_01")
			},
			want: `PUT /api/v3.1/toolkits/github/pin {"version":"20260728_01"}`, answer: `{"slug":"github","version":"20260728_01","pinned":true}`,
			got: "20260728_01",
		},
		"store a toolkit of one's own": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				k, err := c.CustomToolkits.Put(ctx, patchbay.NewToolkit{Files: map[string]string{"toolkit.yaml": "slug: shelf"}, DryRun: true})
				return []any{k.Version, k.Changes.Renamed[0].To}, err
			},
			want:   `POST /api/v3.1/custom/toolkits/upsert {"files":{"toolkit.yaml":"slug: shelf"},"dry_run":true}`,
			answer: `{"slug":"shelf","version":"20260728_00","tools_count":2,"unchanged":false,"changes":{"renamed":[{"from":"A","to":"B"}]}}`,
			got:    []any{"20260728_00", "B"},
		},
		"store an MCP server as a toolkit": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				k, err := c.CustomToolkits.Put(ctx, patchbay.NewToolkit{Slug: "notes", Server: &patchbay.ToolkitServer{
					Name: "Notes", URL: "https://notes.example/mcp", Schemes: []patchbay.ServerSignIn{
						{Mode: "API_KEY", Headers: map[string]string{"X-Key": "{{generic_api_key}}"}},
					},
				}})
				return k.Slug, err
			},
			want: `POST /api/v3.1/custom/toolkits/upsert {"slug":"notes","toolkit_config":{"name":"Notes","app_url":"https://notes.example/mcp",` +
				`"auth_schemes":[{"mode":"API_KEY","headers":{"X-Key":"{{generic_api_key}}"}}]}}`,
			answer: `{"slug":"mcp_notes","unchanged":false,"changes":{}}`, got: "mcp_notes",
		},
		"list the tools of an MCP server": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				k, err := c.CustomToolkits.Sync(ctx, "notes", "ca_1")
				return []any{k.Tools, k.LeftOut}, err
			},
			want:   `POST /api/v3.1/custom/toolkits/sync {"slug":"notes","connected_account_id":"ca_1"}`,
			answer: `{"slug":"mcp_notes","version":"20260728_00","synced_count":3,"left_out":["odd: no schema"],"changes":{}}`, got: []any{3, []string{"odd: no schema"}},
		},
		"the project's own toolkits": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				var problems []string
				for k, err := range c.CustomToolkits.All(ctx) {
					if err != nil {
						return nil, err
					}
					problems = append(problems, k.Slug+": "+k.Problem)
				}
				return problems, nil
			},
			want: `GET /api/v3.1/custom/toolkits `, answer: `{"items":[{"slug":"a","problem":null},{"slug":"b","problem":"broken"}],"next_cursor":null}`,
			got: []string{"a: ", "b: broken"},
		},
		"delete a toolkit of one's own": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				return nil, c.CustomToolkits.Delete(ctx, "shelf")
			},
			want: `DELETE /api/v3.1/custom/toolkits/shelf `, answer: `{"slug":"shelf","deleted":true}`,
		},
		"types of trigger": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				for kind, err := range c.Triggers.Types(ctx, "github", "slack") {
					return kind.NeedsEndpoint, err
				}
				return nil, errors.New("there is none")
			},
			want:   `GET /api/v3.1/triggers_types?toolkit_slugs=github%2Cslack `,
			answer: `{"items":[{"slug":"SLACK_NEW_MESSAGE","toolkit":{"slug":"slack"},"requires_webhook_endpoint_setup":true}],"next_cursor":null}`, got: true,
		},
		"one type of trigger": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				kind, err := c.Triggers.Type(ctx, "A_B")
				return string(kind.Config), err
			},
			want: `GET /api/v3.1/triggers_types/A_B `, answer: `{"slug":"A_B","config":{"type":"object"}}`, got: `{"type":"object"}`,
		},
		"watch an account": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				made, err := c.Triggers.Create(ctx, "A_B", patchbay.NewTrigger{AccountID: "ca_1", Config: map[string]any{"owner": "o"}})
				return []any{made.ID, made.Secret}, err
			},
			want: `POST /api/v3.1/trigger_instances/A_B/upsert {"connected_account_id":"ca_1","trigger_config":{"owner":"o"}}`, status: 201,
			answer: `{"trigger_id":"ti_1","webhook_url":"https://x","webhook_secret":"s"}`, got: []any{"ti_1", "s"},
		},
		"would it be watched?": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				check, err := c.Triggers.Check(ctx, "A_B", patchbay.NewTrigger{UserID: "u"})
				return check.Problem.Message, err
			},
			want:   `POST /api/v3.1/trigger_instances/A_B/check {"user_id":"u","trigger_config":{}}`,
			answer: `{"ok":false,"connected_account_id":null,"trigger_config":{},"problem":{"slug":"s","message":"no such repository","suggested_fix":null,"errors":[]},"warnings":[],"items_found":0}`,
			got:    "no such repository",
		},
		"what is watched": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				for trigger, err := range c.Triggers.All(ctx, patchbay.TriggerFilter{UserIDs: []string{"u"}, Types: []string{"A_B"}, ShowDisabled: true}) {
					return []any{trigger.Type, trigger.State.Reason, trigger.State.LastLook.IsZero()}, err
				}
				return nil, errors.New("there is none")
			},
			want:   `GET /api/v3.1/trigger_instances/active?show_disabled=true&trigger_names=A_B&user_ids=u `,
			answer: `{"items":[{"id":"ti_1","trigger_name":"A_B","state":{"status":"DISABLED","disabled_reason":"account_gone","message":null,"last_polled_at":null}}],"next_cursor":null}`,
			got:    []any{"A_B", "account_gone", true},
		},
		"let a trigger rest": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				return nil, c.Triggers.SetEnabled(ctx, "ti_1", false)
			},
			want: `PATCH /api/v3.1/trigger_instances/manage/ti_1 {"status":"disable"}`, answer: `{"status":"success"}`,
		},
		"end a trigger": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) { return nil, c.Triggers.Delete(ctx, "ti_1") },
			want: `DELETE /api/v3.1/trigger_instances/manage/ti_1 `, answer: `{"trigger_id":"ti_1"}`,
		},
		"settings of the project": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				settings, err := c.Project.Update(ctx, patchbay.ProjectChange{LogoURL: ptr(""), CallbackOrigins: &[]string{"https://app.example"}})
				return settings, err
			},
			want:   `PATCH /api/v3.1/org/project/config {"logo_url":"","callback_origins":["https://app.example"]}`,
			answer: `{"display_name":"Acme","callback_origins":["https://app.example"],"mask_secret_keys_in_connected_account":true}`,
			got:    patchbay.ProjectSettings{DisplayName: "Acme", CallbackOrigins: []string{"https://app.example"}, MaskSecrets: true},
		},
		"get a toolkit": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				k, err := c.Toolkits.Get(ctx, "stripe")
				return k.AuthDetails[0].Fields.Account.Required[0].Title, err
			},
			want:   `GET /api/v3.1/toolkits/stripe `,
			answer: `{"slug":"stripe","auth_config_details":[{"mode":"API_KEY","fields":{"connected_account_initiation":{"required":[{"name":"api_key","displayName":"Secret key"}]}}}]}`,
			got:    "Secret key",
		},
		"a managed auth config": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				a, err := c.AuthConfigs.Create(ctx, patchbay.NewAuthConfig{Toolkit: "github"})
				return []any{a.ID, a.Toolkit.Slug, a.Managed}, err
			},
			want: `POST /api/v3.1/auth_configs {"toolkit":{"slug":"github"},"auth_config":{"type":"use_composio_managed_auth"}}`, status: 201,
			answer: `{"toolkit":{"slug":"github"},"auth_config":{"id":"ac_1","auth_scheme":"OAUTH2","is_composio_managed":true}}`, got: []any{"ac_1", "github", true},
		},
		"an auth config of one's own": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				a, err := c.AuthConfigs.Create(ctx, patchbay.NewAuthConfig{Toolkit: "github", Scheme: "OAUTH2", Credentials: map[string]any{"client_id": "i"}})
				return a.Managed, err
			},
			want: `POST /api/v3.1/auth_configs {"toolkit":{"slug":"github"},"auth_config":{"type":"use_custom_auth","authScheme":"OAUTH2","credentials":{"client_id":"i"}}}`, status: 201,
			answer: `{"toolkit":{"slug":"github"},"auth_config":{"id":"ac_1","auth_scheme":"OAUTH2","is_composio_managed":false}}`, got: false,
		},
		"switch an auth config off": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				return nil, c.AuthConfigs.SetEnabled(ctx, "ac_1", false)
			},
			want: `PATCH /api/v3.1/auth_configs/ac_1/DISABLED `, answer: `{}`,
		},
		"list accounts": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				page, err := c.ConnectedAccounts.List(ctx, patchbay.AccountFilter{UserIDs: []string{"u"}, Statuses: []patchbay.AccountStatus{patchbay.StatusActive, patchbay.StatusExpired}})
				return []any{page.Items[0].CreatedAt.Year(), page.Items[0].Alias}, err
			},
			want:   `GET /api/v3.1/connected_accounts?account_type=ALL&statuses=ACTIVE%2CEXPIRED&user_ids=u `,
			answer: `{"items":[{"id":"ca_1","alias":null,"status_reason":null,"created_at":"2026-01-02T03:04:05.678Z"}],"next_cursor":null}`, got: []any{2026, ""},
		},
		"revoke": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				r, err := c.ConnectedAccounts.Revoke(ctx, "ca_1")
				return []any{r.Tokens[0], r.Account.Status}, err
			},
			want: `POST /api/v3.1/connected_accounts/ca_1/revoke `, answer: `{"revoked_tokens":["access_token"],"connected_account":{"id":"ca_1","status":"REVOKED"}}`,
			got: []any{"access_token", patchbay.StatusRevoked},
		},
		"switch an account on": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				return nil, c.ConnectedAccounts.SetEnabled(ctx, "ca_1", true)
			},
			want: `PATCH /api/v3.1/connected_accounts/ca_1/status {"enabled":true}`, answer: `{"success":true}`,
		},
		"a link": {
			call: func(ctx context.Context, c *patchbay.Client) (any, error) {
				l, err := c.ConnectedAccounts.Link(ctx, patchbay.NewLink{AuthConfigID: "ac_1", UserID: "u"})
				return l.URL, err
			},
			want: `POST /api/v3.1/connected_accounts/link {"auth_config_id":"ac_1","user_id":"u"}`, status: 201,
			answer: `{"link_token":"lt_1","redirect_url":"https://x/link/lt_1","connected_account_id":"ca_1"}`, got: "https://x/link/lt_1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, asked := serve(t, tc.status, tc.answer)
			got, err := tc.call(t.Context(), client)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, <-asked); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.got, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSessionCalls(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		call         func(ctx context.Context, s *patchbay.Session) (any, error)
		want, answer string
		got          any
	}{
		"execute": {
			call: func(ctx context.Context, s *patchbay.Session) (any, error) {
				var answer struct{ Number int }
				r, err := s.Execute(ctx, patchbay.Call{Tool: "GITHUB_CREATE_AN_ISSUE", Arguments: struct {
					Title string `json:"title"`
				}{"Fix login"}, Account: "work"})
				return &answer.Number, errors.Join(err, r.Decode(&answer))
			},
			want:   `POST /api/v3.1/tool_router/session/trs_1/execute {"tool_slug":"GITHUB_CREATE_AN_ISSUE","arguments":{"title":"Fix login"},"account":"work"}`,
			answer: `{"data":{"number":7},"error":null,"log_id":"log_1"}`, got: ptr(7),
		},
		"search": {
			call: func(ctx context.Context, s *patchbay.Session) (any, error) {
				a, err := s.Search(ctx, patchbay.SearchQuery{UseCase: "send mail", Known: "to: ada"})
				return []any{a.Results[0].Primary, a.Connections[0].Connected, string(a.Schemas["GMAIL_SEND_EMAIL"].Input)}, err
			},
			want: `POST /api/v3.1/tool_router/session/trs_1/search {"queries":[{"use_case":"send mail","known_fields":"to: ada"}]}`,
			answer: `{"results":[{"primary_tool_slugs":["GMAIL_SEND_EMAIL"]}],"toolkit_connection_statuses":[{"toolkit":"gmail","has_active_connection":true}],
				"tool_schemas":{"GMAIL_SEND_EMAIL":{"input_schema":{"type":"object"}}}}`,
			got: []any{[]string{"GMAIL_SEND_EMAIL"}, true, `{"type":"object"}`},
		},
		"toolkits": {
			call: func(ctx context.Context, s *patchbay.Session) (any, error) {
				list, err := s.Toolkits(ctx, patchbay.ToolkitQuery{Slugs: []string{"a", "b", "c"}, Connected: true})
				return []bool{list[0].Connected(), list[1].Connected(), list[2].Connected()}, err
			},
			want: `GET /api/v3.1/tool_router/session/trs_1/toolkits?is_connected=true&limit=50&toolkits=a%2Cb%2Cc `,
			answer: `{"items":[{"slug":"a","connected_account":{"status":"ACTIVE"}},{"slug":"b","connected_account":{"status":"EXPIRED"}},
				{"slug":"c","is_no_auth":true,"connected_account":null}]}`,
			got: []bool{true, false, true},
		},
		"authorize": {
			call: func(ctx context.Context, s *patchbay.Session) (any, error) {
				l, err := s.Authorize(ctx, patchbay.Authorization{Toolkit: "github", CallbackURL: "https://app/cb"})
				return []string{l.URL, l.AccountID}, err
			},
			want:   `POST /api/v3.1/tool_router/session/trs_1/link {"toolkit":"github","callback_url":"https://app/cb"}`,
			answer: `{"redirect_url":"https://x/link/lt_1","connected_account_id":"ca_1"}`, got: []string{"https://x/link/lt_1", "ca_1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := make(chan string, 1)
			answers := map[string]string{"/api/v3.1/tool_router/session/trs_1": `{"session_id":"trs_1"}`}
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				if answer, ok := answers[r.URL.Path]; ok {
					io.WriteString(w, answer)
					return
				}
				asked <- line(r)
				io.WriteString(w, tc.answer)
			})
			session, err := client.Sessions.Use(t.Context(), "trs_1")
			if err != nil {
				t.Fatal(err)
			}
			got, err := tc.call(t.Context(), session)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, <-asked); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.got, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRequestHeaders(t *testing.T) {
	t.Parallel()
	headers := make(chan http.Header, 1)
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		headers <- r.Header
		io.WriteString(w, `{"data":{},"error":null,"log_id":"l"}`)
	})
	if _, err := client.Tools.Execute(t.Context(), "u", patchbay.Call{Tool: "A", IdempotencyKey: "once"}); err != nil {
		t.Fatal(err)
	}
	got := <-headers
	for name, want := range map[string]string{"X-Api-Key": key, "Idempotency-Key": "once", "Content-Type": "application/json", "User-Agent": "patchbay-go"} {
		if got.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.Get(name), want)
		}
	}
}

func TestAllFollowsCursors(t *testing.T) {
	t.Parallel()
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("cursor") {
		case "":
			io.WriteString(w, `{"items":[{"slug":"a"},{"slug":"b"}],"next_cursor":"2"}`)
		case "2":
			io.WriteString(w, `{"items":[{"slug":"c"}],"next_cursor":null}`)
		}
	})
	var slugs []string
	for toolkit, err := range client.Toolkits.All(t.Context(), patchbay.ToolkitFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		slugs = append(slugs, toolkit.Slug)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, slugs); diff != "" {
		t.Error(diff)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		answer string
		want   patchbay.Error
		text   string
	}{
		"the API's envelope": {
			status: 404,
			answer: `{"error":{"message":"Session not found.","code":4301,"slug":"ToolRouterV2_SessionNotFound","status":404,"request_id":"req_1","suggested_fix":"create one","errors":["a"]}}`,
			want: patchbay.Error{Status: 404, Slug: "ToolRouterV2_SessionNotFound", Code: 4301, Message: "Session not found.", Fix: "create one",
				Details: []string{"a"}, RequestID: "req_1"},
			text: "patchbay: Session not found (404 ToolRouterV2_SessionNotFound): create one",
		},
		"a flat envelope": {
			status: 403, answer: `{"message":"no"}`,
			want: patchbay.Error{Status: 403, Message: "no"}, text: "patchbay: no (403)",
		},
		"a proxy's page": {
			status: 403, answer: `<html>go away</html>`,
			want: patchbay.Error{Status: 403, Message: "the answer was 403 Forbidden"}, text: "patchbay: the answer was 403 Forbidden (403)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := serve(t, tc.status, tc.answer)
			_, err := client.Sessions.Use(t.Context(), "trs_1")
			var got *patchbay.Error
			if !errors.As(err, &got) {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(tc.want, *got); diff != "" {
				t.Error(diff)
			}
			if err.Error() != tc.text {
				t.Errorf("got %q, want %q", err, tc.text)
			}
		})
	}
}

func TestToolError(t *testing.T) {
	t.Parallel()
	client, _ := serve(t, 200, `{"data":{"status":404},"error":"Not Found","successful":false,"log_id":"log_9"}`)
	result, err := client.Tools.Execute(t.Context(), "u", patchbay.Call{Tool: "A_B"})
	var failed *patchbay.ToolError
	if !errors.As(err, &failed) || failed.LogID != "log_9" || err.Error() != "patchbay: A_B failed: Not Found" {
		t.Fatalf("got %#v", err)
	}
	if string(result.Data) != `{"status":404}` {
		t.Errorf("the tool's data is lost: %s", result.Data)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the key went to %s: %q", r.Host, r.Header.Get("X-Api-Key"))
	}))
	t.Cleanup(elsewhere.Close)
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) })
	_, err := client.Sessions.Use(t.Context(), "trs_1")
	if err == nil || !strings.Contains(err.Error(), "redirects to "+elsewhere.URL) {
		t.Errorf("got %v", err)
	}
}

func TestMCPHeaders(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		mcp  func(base string) string
		want map[string]string
	}{
		"the session's own token wins": {
			mcp:  func(base string) string { return `{"url":"` + base + `/m","headers":{"Authorization":"Bearer pst_1"}}` },
			want: map[string]string{"Authorization": "Bearer pst_1"},
		},
		"else the key": {
			mcp:  func(base string) string { return `{"url":"` + base + `/m"}` },
			want: map[string]string{"x-api-key": key},
		},
		"but never to another server": {
			mcp: func(string) string { return `{"url":"https://elsewhere.example/m"}` },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, `{"session_id":"trs_1","mcp":`+tc.mcp("http://"+r.Host)+`}`)
			})
			session, err := client.Sessions.Use(t.Context(), "trs_1")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, session.MCP().Headers); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEnvironment is not parallel: it changes the process's environment.
func TestEnvironment(t *testing.T) {
	asked := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Get("X-Api-Key")
		io.WriteString(w, `{"session_id":"trs_1"}`)
	}))
	t.Cleanup(server.Close)
	for _, name := range []string{"PATCHBAY_URL", "PATCHBAY_API_KEY", "COMPOSIO_BASE_URL", "COMPOSIO_API_KEY"} {
		t.Setenv(name, "")
	}
	if _, err := patchbay.New(patchbay.Options{}); !errors.Is(err, patchbay.ErrNoAPIKey) {
		t.Errorf("without a key: %v", err)
	}
	t.Setenv("COMPOSIO_BASE_URL", server.URL)
	t.Setenv("COMPOSIO_API_KEY", "ak_of_the_official_sdks")
	t.Setenv("PATCHBAY_API_KEY", key)
	for _, tc := range []struct {
		options patchbay.Options
		want    string
	}{
		{patchbay.Options{}, key},
		{patchbay.Options{APIKey: "ak_of_the_program"}, "ak_of_the_program"},
	} {
		if _, err := mustNew(t, tc.options).Sessions.Use(t.Context(), "trs_1"); err != nil {
			t.Fatal(err)
		}
		if got := <-asked; got != tc.want {
			t.Errorf("asked with %s, want %s", got, tc.want)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for _, o := range []patchbay.Options{
		{BaseURL: "patchbay.example", APIKey: key},
		{BaseURL: "ftp://patchbay.example", APIKey: key},
		{BaseURL: "https://patchbay.example", APIKey: "ak_1\nX-Evil: 1"},
	} {
		if _, err := patchbay.New(o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

// answers is a server without a network, so that time in the test is synctest's.
type answers func(attempt int, r *http.Request) *http.Response

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	*attemptOf(r)++
	return a(*attemptOf(r), r), nil
}

type attemptKey struct{}

func attemptOf(r *http.Request) *int { return r.Context().Value(attemptKey{}).(*int) }

func answer(status int, body string, header ...string) *http.Response {
	resp := &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i+1 < len(header); i += 2 {
		resp.Header.Set(header[i], header[i+1])
	}
	return resp
}

func TestRetries(t *testing.T) {
	t.Parallel()
	busy := func(attempt int, _ *http.Request) *http.Response {
		if attempt < 3 {
			return answer(503, `{}`, "Retry-After", "7")
		}
		return answer(200, `{"session_id":"trs_1","data":{},"error":null}`)
	}
	read := func(ctx context.Context, c *patchbay.Client) error {
		_, err := c.Sessions.Use(ctx, "trs_1")
		return err
	}
	write := func(ctx context.Context, c *patchbay.Client) error {
		_, err := c.Tools.Execute(ctx, "u", patchbay.Call{Tool: "A"})
		return err
	}
	for name, tc := range map[string]struct {
		server   answers
		call     func(context.Context, *patchbay.Client) error
		attempts int
		took     time.Duration
		fails    bool
	}{
		"a read waits as long as the server asks": {server: busy, call: read, attempts: 3, took: 14 * time.Second},
		"a write is sent once":                    {server: busy, call: write, attempts: 1, fails: true},
		"a read gives up after three": {
			server: func(int, *http.Request) *http.Response { return answer(502, ``) }, call: read, attempts: 3, took: 1500 * time.Millisecond, fails: true,
		},
		"what does not get better is not repeated": {
			server: func(int, *http.Request) *http.Response { return answer(404, ``) }, call: read, attempts: 1, fails: true,
		},
		"the server can say no": {
			server: func(int, *http.Request) *http.Response { return answer(503, ``, "X-Should-Retry", "false") }, call: read, attempts: 1, fails: true,
		},
		"not longer than half a minute": {
			server: func(attempt int, _ *http.Request) *http.Response {
				if attempt == 1 {
					return answer(429, ``, "Retry-After", "86400")
				}
				return answer(200, `{}`)
			}, call: read, attempts: 2, took: 30 * time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := mustNew(t, patchbay.Options{BaseURL: "http://s", APIKey: key, HTTPClient: &http.Client{Transport: tc.server}})
				attempts, began := 0, time.Now()
				err := tc.call(context.WithValue(t.Context(), attemptKey{}, &attempts), client)
				if (err != nil) != tc.fails || attempts != tc.attempts || time.Since(began) != tc.took {
					t.Errorf("after %d attempts and %s: %v", attempts, time.Since(began), err)
				}
			})
		})
	}
}

func TestWaitForConnection(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		then    string // what the account is from the third look on
		within  time.Duration
		problem string
	}{
		"connected": {then: `{"status":"ACTIVE"}`, within: time.Minute},
		"denied": {
			then: `{"status":"FAILED","status_reason":"the user said no","toolkit":{"slug":"github"}}`, within: time.Minute,
			problem: "patchbay: connecting github ended as FAILED: the user said no",
		},
		"nobody came": {
			then: `{"status":"INITIATED","toolkit":{"slug":"github"}}`, within: 10 * time.Second,
			problem: "patchbay: still waiting for the user to connect github: context deadline exceeded",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := answers(func(attempt int, r *http.Request) *http.Response {
					switch {
					case r.Method == http.MethodPost:
						return answer(201, `{"redirect_url":"u","connected_account_id":"ca_1"}`)
					case attempt < 4:
						return answer(200, `{"status":"INITIATED","toolkit":{"slug":"github"}}`)
					}
					return answer(200, tc.then)
				})
				client := mustNew(t, patchbay.Options{BaseURL: "http://s", APIKey: key, HTTPClient: &http.Client{Transport: server}})
				ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), attemptKey{}, new(int)), tc.within)
				defer cancel()
				link, err := client.ConnectedAccounts.Link(ctx, patchbay.NewLink{AuthConfigID: "ac_1", UserID: "u"})
				if err != nil {
					t.Fatal(err)
				}
				account, err := link.Wait(ctx)
				switch {
				case tc.problem == "" && (err != nil || account.Status != patchbay.StatusActive):
					t.Errorf("got %v, %v", account, err)
				case tc.problem != "" && (err == nil || err.Error() != tc.problem):
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// serve answers one request and tells what was asked.
func serve(t *testing.T, status int, answer string) (*patchbay.Client, <-chan string) {
	t.Helper()
	asked := make(chan string, 1)
	return newClient(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- line(r)
		if status != 0 {
			w.WriteHeader(status)
		}
		io.WriteString(w, answer)
	}), asked
}

func newClient(t *testing.T, handler http.HandlerFunc) *patchbay.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return mustNew(t, patchbay.Options{BaseURL: server.URL + "/", APIKey: key})
}

func mustNew(t *testing.T, o patchbay.Options) *patchbay.Client {
	t.Helper()
	client, err := patchbay.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// line writes a request as one line: method, path with query, compact body.
func line(r *http.Request) string {
	var body json.RawMessage
	if r.ContentLength > 0 {
		json.NewDecoder(r.Body).Decode(&body)
	}
	return r.Method + " " + r.RequestURI + " " + string(body)
}

func ptr[T any](v T) *T { return &v }
