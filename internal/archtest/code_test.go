package archtest

import (
	"go/ast"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestNoInit(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: init() hides what happens before main; put it where it is used, or in internal/app", s.line(f))
			}
		}
	}
}

// reserved says which functions may be called only in some places.
var reserved = []struct {
	pkg    string
	names  []string
	only   []string
	reason string
}{
	{"os", []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}, []string{"cmd", "internal/app", "client.go"}, "settings come from internal/app/config; the SDK's New may look, too"},
	{"os", []string{"Exit"}, []string{"cmd"}, "only main ends the process"},
	{"flag", []string{"String", "Bool", "Int", "Parse", "Duration"}, []string{"cmd"}, "flags are the command's"},
	{"http", []string{"Get", "Post", "Head", "PostForm", "DefaultClient", "DefaultTransport"}, []string{"internal/app/doctor.go"}, "the outside is reached through internal/outbound"},
	{"log", []string{"Print", "Printf", "Println", "Fatal", "Fatalf"}, nil, "log with the *slog.Logger that was given"},
}

func TestReservedFunctions(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.test || under(s.dir, "bench", "compat") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := selector.X.(*ast.Ident)
			if !ok {
				return true
			}
			for _, r := range reserved {
				if pkg.Name == r.pkg && slices.Contains(r.names, selector.Sel.Name) && importsStandard(s, r.pkg) && !under(s.dir, r.only...) && !under(s.path, r.only...) {
					t.Errorf("%s: %s.%s: %s", s.line(n), r.pkg, selector.Sel.Name, r.reason)
				}
			}
			return true
		})
	}
}

// importsStandard reports whether a name stands for the standard library's package in a file.
func importsStandard(s source, name string) bool {
	return slices.ContainsFunc(s.imports, func(path string) bool {
		return (path == name || strings.HasSuffix(path, "/"+name)) && !strings.Contains(strings.Split(path, "/")[0], ".")
	})
}

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		documented[s.dir] = documented[s.dir] || s.file.Doc != nil && len(s.file.Doc.Text()) > 60
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s: no package comment says what it owns and what it does not", dir)
		}
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.test || s.file.Name.Name == "main" {
			continue
		}
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) && !wellKnown(d) {
					t.Errorf("%s: %s has no comment", s.line(d), d.Name.Name)
				}
			case *ast.GenDecl:
				checkSpecs(t, s, d)
			}
		}
	}
}

// checkSpecs wants a comment on each exported type, constant and variable, or on the group it stands in.
func checkSpecs(t *testing.T, s source, d *ast.GenDecl) {
	t.Helper()
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() && d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
				t.Errorf("%s: type %s has no comment", s.line(spec), spec.Name.Name)
			}
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				if name.IsExported() && d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
					t.Errorf("%s: %s has no comment", s.line(spec), name.Name)
				}
			}
		}
	}
}

func exportedReceiver(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	receiver := f.Recv.List[0].Type
	if pointer, ok := receiver.(*ast.StarExpr); ok {
		receiver = pointer.X
	}
	if generic, ok := receiver.(*ast.IndexExpr); ok {
		receiver = generic.X
	}
	name, ok := receiver.(*ast.Ident)
	return ok && name.IsExported()
}

// wellKnown methods mean what they always mean.
func wellKnown(f *ast.FuncDecl) bool {
	return f.Recv != nil && slices.Contains([]string{
		"String", "GoString", "Error", "Unwrap", "LogValue", "MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText",
		"ServeHTTP", "Write", "WriteHeader", "Flush", "Close", "Scan", "Value", "RoundTrip",
	}, f.Name.Name)
}

// TestFilesSpeakOfTheRepositoryOnly finds paths that exist on somebody's machine but not in a clone.
func TestFilesSpeakOfTheRepositoryOnly(t *testing.T) {
	t.Parallel()
	const outside = "/" + "shared/"
	root := filepath.Join("..", "..")
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "Makefile", ".ci/*", "compat/*.sh", "compat/*/*.mjs", "bench/*"} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			content, err := os.ReadFile(name)
			if err == nil && (strings.Contains(string(content), ".."+outside) || strings.Contains(string(content), "/work"+outside)) {
				t.Errorf("%s speaks of a path outside the repository", name)
			}
		}
	}
	for _, s := range sources(t) {
		for _, group := range s.file.Comments {
			if strings.Contains(group.Text(), ".."+outside) || strings.Contains(group.Text(), "/work"+outside) {
				t.Errorf("%s speaks of a path outside the repository", s.line(group))
			}
		}
	}
}
