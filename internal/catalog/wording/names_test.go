package wording

import (
	"strings"
	"testing"
)

func TestToolkitSlugs(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"GitHub v3 REST API":             "github",
		"Swagger Petstore - OpenAPI 3.0": "petstore",
		"api":                            "api",
		"1Forge Finance APIs":            "api_1forge_finance",
		"The Very Long Name of an Enormous Enterprise Product Suite": "very_long_name_enormous_137b",
		"日本語": "api_" + Digest("日本語"),
	} {
		if got := ToolkitSlug(name); got != want || len(got) > MaxToolkitSlug {
			t.Errorf("ToolkitSlug(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestArgumentKeys(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"id": "id", "filter[state][]": "filter_state", "$top": "top", "@odata.type": "odata_type", "2fa": "n2fa", "_id": "id", "": "value", "ß": "value",
		"X-Trace-Id": "X_Trace_Id",
	} {
		if got := ArgumentKey(name); got != want {
			t.Errorf("argumentKey(%q) = %q, want %q", name, got, want)
		}
	}
	if long := ArgumentKey(strings.Repeat("a", 200)); len(long) > MaxArgumentKey {
		t.Errorf("%d characters", len(long))
	}
}
