package catalog

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// Stored is one version of a toolkit as the store keeps it, without the document itself.
type Stored struct {
	ProjectID string // empty: the server's, for all projects
	Slug      string
	Version   string // YYYYMMDD_NN
	Name      string
	Form      Form
	Origin    Origin
	Source    Source
	Hash      string // SHA-256 of the content, whatever version it goes by; hex
	Tools     int
	Changes   string // what is different from the version before, for people; lines
	CreatedAt time.Time
}

// Form is how a document is written.
type Form string

// The forms.
const (
	FormDefinition Form = "definition" // a Definition as JSON
	FormFiles      Form = "files"      // the files of our own format: a JSON object from name to text
)

// Origin says whose a stored toolkit is.
type Origin string

// The origins.
const (
	OriginAdded   Origin = "added"   // by an operator, a project or an importer; served from the store
	OriginShipped Origin = "shipped" // brought along by a binary or a directory; kept so that its version outlives the update
)

// Pin keeps a project at one version of a toolkit.
type Pin struct{ ProjectID, Slug, Version string }

// heldBy reports whether a pin is to this version.
func (s *Stored) heldBy(p Pin) bool {
	return p.Slug == s.Slug && p.Version == s.Version && (s.ProjectID == "" || s.ProjectID == p.ProjectID)
}

// Store is what the catalog needs of package store. Documents are opaque bytes there.
type Store interface {
	// StoredToolkits gives all stored versions of all projects' toolkits and of the server's.
	StoredToolkits(ctx context.Context) ([]Stored, error)
	// StoredToolkitsOf gives those of one project, or of the server with the empty id.
	StoredToolkitsOf(ctx context.Context, projectID string) ([]Stored, error)
	// ToolkitDocument gives the document of one version.
	ToolkitDocument(ctx context.Context, projectID, slug, version string) ([]byte, error)
	// CreateToolkit stores a version that was not there; one that is there by now is a Conflict.
	CreateToolkit(ctx context.Context, s Stored, document []byte) error
	// PutToolkit stores a version, in place of one with the same name.
	PutToolkit(ctx context.Context, s Stored, document []byte) error
	// DeleteToolkitVersions deletes the named versions of a toolkit, as far as they are there.
	DeleteToolkitVersions(ctx context.Context, projectID, slug string, versions ...string) error
	// ToolkitPins gives all pins of all projects; ToolkitPinsOf those of one.
	ToolkitPins(ctx context.Context) ([]Pin, error)
	ToolkitPinsOf(ctx context.Context, projectID string) ([]Pin, error)
	// PutToolkitPin sets a pin; with an empty version it takes it away.
	PutToolkitPin(ctx context.Context, p Pin) error
}

// Document is the content of a toolkit: exactly one of Definition and Files is set.
type Document struct {
	Definition *Definition
	Files      map[string]string // toolkit.yaml and the tool files beside it

	// Over is the version that this one was made of. Where another is the newest by now, or none, it is not stored: it would undo
	// what somebody did meanwhile. Empty: it is made of nothing that is stored.
	Over string
}

// Limits of documents.
const (
	maxDocumentBytes = 192 << 20 // of JSON: the largest API descriptions make 30 MB
	maxDocumentTools = 25_000
	maxDocumentFiles = 500
	maxDepth         = 64 // of schemas
)

// encode writes the document as it is stored, with the hash of its content.
func (d Document) encode() (form Form, hash string, data []byte, err error) {
	var content, named any
	if d.Definition != nil {
		nameless := *d.Definition
		nameless.Version, nameless.Source.Hash = "", ""
		form, content, named = FormDefinition, nameless, d.Definition
	} else {
		form, content, named = FormFiles, d.Files, d.Files
	}
	plain, err := json.Marshal(content)
	if err != nil {
		return "", "", nil, fmt.Errorf("encode toolkit: %w", err)
	}
	sum := sha256.Sum256(plain)
	if d.Definition != nil {
		if plain, err = json.Marshal(named); err != nil {
			return "", "", nil, fmt.Errorf("encode toolkit: %w", err)
		}
	}
	if len(plain) > maxDocumentBytes {
		return "", "", nil, tooLarge("its document has %d MB; at most %d", len(plain)>>20, maxDocumentBytes>>20)
	}
	data, err = squeeze(plain)
	return form, hex.EncodeToString(sum[:]), data, err
}

// decodeDocument reads what encode wrote.
func decodeDocument(form Form, data []byte) (d Document, err error) {
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(data)), maxDocumentBytes+1))
	if err != nil {
		return d, fmt.Errorf("the stored document is damaged: %w", err)
	}
	if len(plain) > maxDocumentBytes {
		return d, tooLarge("its document has more than %d MB", maxDocumentBytes>>20)
	}
	switch form {
	case FormDefinition:
		err = json.Unmarshal(plain, &d.Definition)
	case FormFiles:
		err = json.Unmarshal(plain, &d.Files)
	default:
		err = fmt.Errorf("its form %q is not known to this version of the server", form)
	}
	if err == nil && d.Definition == nil && d.Files == nil {
		err = fmt.Errorf("the stored document is empty")
	}
	return d, err
}

// toolkit builds the toolkit of a document with everything in memory, after the checks that every document has to pass.
func (d Document) toolkit() (*Toolkit, error) {
	if d.Definition != nil {
		if err := d.Definition.check(); err != nil {
			return nil, err
		}
		return d.Definition.Toolkit()
	}
	if err := d.checkFiles(); err != nil {
		return nil, err
	}
	tk, problems := loadFiles(d.Files)
	if len(problems) > 0 {
		return nil, refused(problems)
	}
	return tk, nil
}

func (d Document) checkFiles() error {
	if len(d.Files) > maxDocumentFiles {
		return tooLarge("it has %d files; at most %d", len(d.Files), maxDocumentFiles)
	}
	if _, ok := d.Files[toolkitFile]; !ok {
		return fault.New(fault.Invalid, fault.SlugInvalid, "The toolkit has no %s.", toolkitFile).
			WithFix("Send files: {%q: …, \"tools.yaml\": …}. docs/toolkits.md describes the format.", toolkitFile)
	}
	for name := range d.Files {
		if strings.ContainsAny(name, `/\`) || !strings.HasSuffix(name, ".yaml") || strings.HasPrefix(name, ".") {
			return fault.New(fault.Invalid, fault.SlugInvalid, "%q is not a name of a toolkit's file.", name).
				WithFix("Toolkit files lie beside %s and end in .yaml.", toolkitFile)
		}
	}
	return nil
}

func tooLarge(format string, args ...any) error {
	return fault.New(fault.Invalid, fault.SlugInvalid, "The toolkit is too large: "+format+".", args...).
		WithFix("Import a part of it, for example by tag or path, or make several toolkits of it.")
}

// refused says what is wrong with a toolkit in our own format.
func refused(problems []Problem) error {
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.String()
	}
	f := fault.New(fault.Invalid, fault.SlugInvalid, "The toolkit has %d problems. The first: %s", len(lines), lines[0])
	if len(lines) == 1 {
		f = fault.New(fault.Invalid, fault.SlugInvalid, "The toolkit has a problem: %s", lines[0])
	}
	return f.WithDetails(lines[:min(len(lines), 100)]...).WithFix("Correct these lines; docs/toolkits.md describes the format.")
}
