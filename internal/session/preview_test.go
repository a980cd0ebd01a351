package session

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPreviewLeavesWhatFits(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`{"a":1}`, `{"text":"` + strings.Repeat("ü", 90) + `"}`} {
		if got := preview(json.RawMessage(data), 110); string(got) != data {
			t.Errorf("%s became %s", data, got)
		}
	}
}

// Whatever is shortened says so, keeps its shape and stays below the limit.
func TestPreviewShortens(t *testing.T) {
	t.Parallel()
	var items []string
	for i := range 3000 {
		items = append(items, fmt.Sprintf(`{"id":%d,"body":%q}`, 9007199254740993+i, strings.Repeat("lorem ipsum ", 20)))
	}
	data := json.RawMessage(`{"items":[` + strings.Join(items, ",") + `],"next":"abc","html":"<b>` + strings.Repeat("é", 50_000) + `"}`)
	short := preview(data, 20_000)
	var got struct {
		Preview struct {
			Items []json.RawMessage
			Next  string
			HTML  string
		}
		Total int `json:"total_characters"`
		Limit int `json:"limit_characters"`
		Note  string
	}
	if err := json.Unmarshal(short, &got); err != nil {
		t.Fatal(err)
	}
	if n := utf8.RuneCount(short); n > 21_000 || n < 2_000 {
		t.Errorf("%d characters", n)
	}
	if got.Total != utf8.RuneCount(data) || got.Limit != 20_000 || !strings.Contains(got.Note, "call again for less") {
		t.Errorf("total %d, limit %d, note %q", got.Total, got.Limit, got.Note)
	}
	if got.Preview.Next != "abc" || !strings.HasPrefix(got.Preview.HTML, "<b>é") || !strings.Contains(got.Preview.HTML, "(50003 characters in all)") {
		t.Errorf("next %q, html %.80q", got.Preview.Next, got.Preview.HTML)
	}
	last := len(got.Preview.Items) - 1
	if last < 1 || !strings.Contains(string(got.Preview.Items[last]), fmt.Sprintf("%d more of 3000 entries", 3000-last)) {
		t.Errorf("%d items, the last is %s", last+1, got.Preview.Items[last])
	}
	if !strings.Contains(string(got.Preview.Items[0]), "9007199254740993") {
		t.Errorf("a large number changed: %s", got.Preview.Items[0])
	}
}

// An object can be a long list in disguise.
func TestPreviewOfManyMembers(t *testing.T) {
	t.Parallel()
	members := make([]string, 2000)
	for i := range members {
		members[i] = fmt.Sprintf(`"member_%04d":%d`, i, i)
	}
	data := json.RawMessage("{" + strings.Join(members, ",") + "}")
	var got struct{ Preview map[string]any }
	if err := json.Unmarshal(preview(data, 3_000), &got); err != nil {
		t.Fatal(err)
	}
	if got.Preview["member_0000"] != 0.0 || got.Preview["…"] != fmt.Sprintf("%d more of 2000 members", 2001-len(got.Preview)) {
		t.Errorf("%d members, %v", len(got.Preview), got.Preview["…"])
	}
}
