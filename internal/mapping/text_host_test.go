package mapping

import "testing"

func TestKeepsHost(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]bool{
		"https://example.com/{x}":             true,
		"https://{x}.example.com":             true,
		"https://a.{x}.example.com":           true,
		"https://{x}.eu-{x}.example.io/token": true,
		"https://{x}.myshopify.com":           true, // a suffix of one company's customers
		"https://{x}":                         false,
		"https://{x}.com":                     false,
		"https://{x}.co.uk":                   false, // anybody may have a name there
		"https://{x}.com.au/v1":               false,
		"https://accounts.example.{x}":        false,
		"https://example{x}.com":              false,
		"https://{x}.internal":                false,
		"{x}":                                 false,
	} {
		text, err := CompileURL(source, Scope{Fields: []string{"x"}}, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := text.KeepsHost(); got != want {
			t.Errorf("%s: %v", source, got)
		}
	}
}
