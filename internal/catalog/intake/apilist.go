package intake

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// apiVersions is an API in an index, as APIs.guru writes it (api.apis.guru/v2/list.json).
type apiVersions struct {
	Preferred string                `json:"preferred"`
	Versions  map[string]apiVersion `json:"versions"`
}

type apiVersion struct {
	SwaggerURL     string `json:"swaggerUrl"`
	OpenAPIURL     string `json:"openapiUrl"`
	SwaggerYAMLURL string `json:"swaggerYamlUrl"`
	OpenAPIYAMLURL string `json:"openapiYamlUrl"`
}

// maxIndexed is how many descriptions an index may name.
const maxIndexed = 50_000

// apiList reads an index of APIs: of each, the version that the index prefers.
func (o *Options) apiList(c *Collection, place string, text []byte) error {
	var list map[string]json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return refused("%s is no index that can be read: %s.", Shown(place), firstLine(err.Error()))
	}
	if list["openapi"] != nil || list["swagger"] != nil {
		return refused("%s is one description and no index of them.", Shown(place)).WithFix("Give it with --openapi.")
	}
	if len(list) > maxIndexed {
		return refused("%s names %d APIs; at most %d are read.", Shown(place), len(list), maxIndexed)
	}
	taken, known := map[string]bool{}, false
	for _, key := range slices.Sorted(maps.Keys(list)) {
		var api apiVersions
		if err := json.Unmarshal(list[key], &api); err != nil || len(api.Versions) == 0 {
			c.LeftOut = append(c.LeftOut, Outcome{Source: shortPlace(key), Error: "The index names no version of it."})
			continue
		}
		known = true
		c.takeAPI(o, place, key, api, taken)
	}
	if !known {
		c.LeftOut = nil
		return refused("%s is neither an index of APIs (apis, versions, swaggerUrl) nor of MCP servers (servers).", Shown(place)).
			WithFix("One description is given with --openapi, the address of an MCP server with --mcp.")
	}
	return nil
}

func (c *Collection) takeAPI(o *Options, place, key string, api apiVersions, taken map[string]bool) {
	chosen := api.Preferred
	if _, there := api.Versions[chosen]; !there {
		chosen = slices.Max(slices.Collect(maps.Keys(api.Versions)))
	}
	for _, version := range slices.Sorted(maps.Keys(api.Versions)) {
		if version != chosen {
			c.LeftOut = append(c.LeftOut, Outcome{Source: shortPlace(key + " " + version), Skipped: "the index prefers another version of it"})
		}
	}
	v := api.Versions[chosen]
	address, alien, ok := within(place, cmp.Or(v.SwaggerURL, v.OpenAPIURL, v.SwaggerYAMLURL, v.OpenAPIYAMLURL))
	if !ok {
		c.LeftOut = append(c.LeftOut, Outcome{Source: shortPlace(key), Error: "The index names no http or https address of its description."})
		return
	}
	at := strings.ReplaceAll(key, ":", "/") + ".json" // as a directory would call it
	c.Files = append(c.Files, File{Path: address, Source: Shown(address), Slug: freeSlug(nameOf(at), key, taken, o.Reserved), alien: alien})
}

// shortPlace is what of a name in an index may stand in a report.
func shortPlace(s string) string {
	if len(s) > 200 {
		return strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}
