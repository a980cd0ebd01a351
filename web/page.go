package web

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// page is what a template is given.
type page interface {
	Title() string
	Brand() connect.Brand
	Portrait() string // address of the picture of a person that the page shows; empty: none
}

// formPage is a link's form.
type formPage struct {
	View   connect.LinkView
	Faults map[string]string // by field; "" for the form as a whole
	Given  map[string]string // what was typed before there were faults
}

func (p formPage) Title() string        { return "Connect " + p.View.ToolkitName }
func (p formPage) Brand() connect.Brand { return p.View.Brand }
func (p formPage) Portrait() string     { return p.View.Identity.Avatar }

// Inputs are the form's fields with what belongs beside them. A secret is never sent back to the page.
func (p formPage) Inputs() []input {
	inputs := make([]input, len(p.View.Fields))
	for i, f := range p.View.Fields {
		value, typed := p.Given[f.Name]
		if !typed {
			value = f.Default
		}
		if f.Secret {
			value = ""
		}
		inputs[i] = input{LinkField: f, Value: value, Fault: p.Faults[f.Name]}
	}
	return inputs
}

// Fault is what is wrong with the form as a whole, or with a field that the form does not show.
func (p formPage) Fault() string {
	if f, ok := p.Faults[""]; ok {
		return f
	}
	for _, name := range slices.Sorted(maps.Keys(p.Faults)) {
		if !slices.ContainsFunc(p.View.Fields, func(f connect.LinkField) bool { return f.Name == name }) {
			return p.Faults[name]
		}
	}
	return ""
}

// input is one field of the form.
type input struct {
	connect.LinkField
	Value string
	Fault string
}

// wholeFiles are the fields that take a whole file, which has line ends that a line of input would lose, with the kinds of files
// that it may be.
var wholeFiles = map[string]string{"credentials_json": ".json,application/json", "private_key": ".pem,.key"}

// Whole reports whether the field takes a whole file, typed or chosen.
func (i input) Whole() bool { return wholeFiles[i.Name] != "" }

// Accepts lists the kinds of files.
func (i input) Accepts() string { return wholeFiles[i.Name] }

// FileName is the name of the input that takes the file itself.
func (i input) FileName() string { return fileInput(i.Name) }

func fileInput(name string) string { return name + "-file" }

// TakesFiles reports whether the form sends files.
func (p formPage) TakesFiles() bool {
	return slices.ContainsFunc(p.View.Fields, func(f connect.LinkField) bool { return wholeFiles[f.Name] != "" })
}

// Kind is the type of the HTML input.
func (i input) Kind() string {
	switch {
	case i.Secret:
		return "password"
	case i.Type == "url":
		return "url"
	default:
		return "text" // numbers too: browsers change what is typed into a number field when it is scrolled over
	}
}

// Keyboard is the kind of keyboard that a phone shows.
func (i input) Keyboard() string {
	switch i.Type {
	case "number":
		return "decimal"
	case "url":
		return "url"
	default:
		return "text"
	}
}

// DescribedBy lists the ids of the texts that explain the field.
func (i input) DescribedBy() string {
	ids := ""
	if i.Fault != "" {
		ids += "fault-" + i.Name + " "
	}
	if i.Description != "" || i.Help != "" {
		ids += "help-" + i.Name
	}
	return ids
}

// endedPage says how a link ended.
type endedPage struct{ View connect.LinkView }

func (p endedPage) Brand() connect.Brand { return p.View.Brand }
func (p endedPage) Portrait() string     { return p.View.Identity.Avatar }

func (p endedPage) Title() string {
	if p.Connected() {
		return p.View.ToolkitName + " is connected"
	}
	return p.View.ToolkitName + " was not connected"
}

func (p endedPage) Connected() bool { return p.View.Status == connect.Active }

// waitingPage says that the application has yet to confirm who signed in.
type waitingPage struct{ View connect.LinkView }

func (p waitingPage) Title() string        { return "Almost done" }
func (p waitingPage) Brand() connect.Brand { return p.View.Brand }
func (p waitingPage) Portrait() string     { return "" }

// problemPage says what went wrong with a link.
type problemPage struct {
	Heading string // empty: a general one
	Fault   *fault.Error
}

func (p problemPage) Brand() connect.Brand { return connect.Brand{} } // there may be no project
func (p problemPage) Portrait() string     { return "" }

func (p problemPage) Title() string {
	if p.Heading != "" {
		return p.Heading
	}
	return "This did not work"
}

// headings are the titles of the errors that people meet.
var headings = map[string]string{
	fault.SlugLinkExpired:      "This link has expired",
	fault.SlugLinkUsed:         "This link was used already",
	fault.SlugLinkNotFound:     "Link not found",
	fault.SlugLinkWrongBrowser: "Wrong browser",
	fault.SlugAccountNotFound:  "This connection is gone",
	fault.SlugLinkNoCookie:     "Cookies are needed here",
	fault.SlugLinkWrongUser:    "Wrong person",
}

// statusOf gives the HTTP status of a problem page.
func statusOf(k fault.Kind) int {
	switch k {
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Gone:
		return http.StatusGone
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.Conflict:
		return http.StatusConflict
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Internal:
		return http.StatusInternalServerError
	case fault.Unavailable, fault.Timeout:
		return http.StatusServiceUnavailable
	case fault.Upstream:
		return http.StatusBadGateway
	default:
		return http.StatusBadRequest
	}
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
