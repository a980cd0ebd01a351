package catalog

import (
	"bytes"
	"fmt"
	"net/url"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// params collects the parameters of a query or a form, in order.
type params struct{ b bytes.Buffer }

func (p *params) String() string { return p.b.String() }

func (p *params) addObject(object map[string]any, lists ListStyle, nested bool) {
	for _, name := range sortedKeys(object) {
		p.add(name, object[name], lists, nested)
	}
}

// add writes one value. Nested says whether objects and lists become a[b] and a[0], as forms have it.
func (p *params) add(name string, v any, lists ListStyle, nested bool) {
	switch v := v.(type) {
	case nil:
	case []any:
		p.addList(name, v, lists, nested)
	case map[string]any:
		if !nested {
			p.write(name, mapping.AsText(v))
			return
		}
		for _, member := range sortedKeys(v) {
			p.add(name+"["+member+"]", v[member], lists, nested)
		}
	default:
		p.write(name, mapping.AsText(v))
	}
}

func (p *params) addList(name string, list []any, lists ListStyle, nested bool) {
	if lists == ListsJSON {
		p.write(name, mapping.AsText(list))
		return
	}
	if separator, joined := listSeparators[lists]; joined {
		p.write(name, joinTexts(list, separator))
		return
	}
	for i, e := range list {
		switch {
		case lists == ListsBrackets:
			p.add(name+"[]", e, lists, nested)
		case nested:
			p.add(fmt.Sprintf("%s[%d]", name, i), e, lists, nested)
		default:
			p.write(name, mapping.AsText(e))
		}
	}
}

// listSeparators are those of the styles that write a list as one value.
var listSeparators = map[ListStyle]string{ListsComma: ",", ListsSpaces: " ", ListsPipes: "|"}

func (p *params) write(name, value string) {
	if p.b.Len() > 0 {
		p.b.WriteByte('&')
	}
	p.b.WriteString(url.QueryEscape(name))
	p.b.WriteByte('=')
	p.b.WriteString(url.QueryEscape(value))
}
