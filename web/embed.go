package web

import (
	"embed"
	"html/template"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed css/pages.css
var pageStyle string

// styleHash lets the content security policy allow this one style and no other.
var styleHash = sourceOf(pageStyle)

// parseTemplates reads all templates; each page is one that fills the layout's "main".
func parseTemplates() (map[string]*template.Template, error) {
	functions := template.FuncMap{
		"style":    func() template.CSS { return template.CSS(pageStyle) },
		"logo":     func(slug, name string) template.HTML { return template.HTML(LogoSVG(slug, name)) }, // escapes what it is given
		"initials": initials,
		"count":    count,

		"brandStyle": brandStyle,
		"picture":    picture,
	}
	pages := make(map[string]*template.Template)
	for _, name := range []string{"link", "waiting", "ended", "problem", "sign_in", "consent", "stopped", "clients"} {
		t, err := template.New("layout.html").Funcs(functions).ParseFS(templateFiles, "templates/layout.html", "templates/"+name+".html")
		if err != nil {
			return nil, err
		}
		pages[name] = t
	}
	return pages, nil
}
