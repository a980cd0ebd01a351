package registry

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// Command is how a server is run on the machine of whoever uses it.
type Command struct {
	Words     []string
	Env       map[string]string // variables as they stand
	Templates map[string]string // variables with {field} in them
	Fields    []catalog.Field
	Notes     []string // what is left out of it
}

// Program gives the first of the server's packages that can be run here. Values are the operator's, by the names of inputs: what
// stands on a command line or names a file is for nobody else to say. The error says why none can be run, for people.
func (s *Server) Program(values map[string]string) (Command, error) {
	why := errors.New("it has no package")
	for _, p := range s.Packages {
		c, err := p.command(values)
		if err == nil {
			return c, nil
		}
		why = err
	}
	return Command{}, why
}

// runner is how packages of one kind are run.
type runner struct {
	program    string
	registries []string // that it takes packages from without being told where
	identifier *regexp.Regexp
}

var runners = map[string]runner{
	"npm":    {"npx", []string{"", "https://registry.npmjs.org", "https://registry.npmjs.com"}, regexp.MustCompile(`^(@[a-z0-9~][a-z0-9._~-]*/)?[a-zA-Z0-9~][a-zA-Z0-9._~-]*$`)},
	"pypi":   {"uvx", []string{"", "https://pypi.org", "https://pypi.python.org"}, regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)},
	"oci":    {"docker", nil, imageName},
	"docker": {"docker", nil, imageName}, // until 2025-07-09
}

var (
	imageName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*(:[0-9]+)?(/[a-z0-9][a-z0-9._-]*)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[a-f0-9]{64})?$`)
	imageTag  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
)

// exactVersion is a version that is no range and no name that may move.
var exactVersion = regexp.MustCompile(`^[0-9vV][A-Za-z0-9.+_-]{0,100}$`)

func (p *Package) command(values map[string]string) (Command, error) {
	r, known := runners[p.RegistryType]
	name := p.Identifier
	if name == "" {
		name = p.Name
	}
	switch {
	case !known:
		return Command{}, fmt.Errorf("packages of %q cannot be run here, those of npm, pypi and oci can", clip(p.RegistryType))
	case p.Transport != nil && p.Transport.Type != "stdio":
		return Command{}, fmt.Errorf("its package %s speaks %s and not through its standard input and output", clip(name), clip(p.Transport.Type))
	case !r.identifier.MatchString(name) || len(name) > 300:
		return Command{}, fmt.Errorf("%q is no name of a package of %s", clip(name), p.RegistryType)
	case p.FileSHA256 != "":
		return Command{}, fmt.Errorf("it wants its file checked against a hash, which %s cannot do", r.program)
	case r.registries != nil && !slices.Contains(r.registries, strings.TrimSuffix(p.RegistryBaseURL, "/")):
		return Command{}, fmt.Errorf("its package is in another registry, %q", clip(p.RegistryBaseURL))
	case p.RuntimeHint != "" && p.RuntimeHint != r.program && len(p.RuntimeArguments) > 0:
		return Command{}, fmt.Errorf("it has arguments for %q, and would be run with %s", clip(p.RuntimeHint), r.program)
	}
	b := &commandBuilder{values: values, in: &inputs{}, Command: Command{Env: map[string]string{}, Templates: map[string]string{}}}
	if err := b.build(p, r.program, name); err != nil {
		return Command{}, err
	}
	b.Fields, b.Notes = b.in.fields, b.in.notes
	return b.Command, nil
}

// commandBuilder writes one command line.
type commandBuilder struct {
	Command
	values map[string]string
	in     *inputs
}

func (b *commandBuilder) build(p *Package, program, name string) error {
	own, variables := p.RuntimeArguments, p.EnvironmentVariables
	if program == "docker" {
		own, variables = splitContainer(own, variables)
	}
	for _, kv := range variables {
		if err := b.variable(kv); err != nil {
			return err
		}
	}
	flags, err := b.arguments(own)
	if err != nil {
		return err
	}
	rest, err := b.arguments(p.PackageArguments)
	if err != nil {
		return err
	}
	if program == "docker" {
		err = b.container(p, name, flags)
	} else {
		err = b.fetched(p, program, name, flags)
	}
	b.Words = append(b.Words, rest...)
	return err
}

// fetched begins the command of a package that its runner fetches.
func (b *commandBuilder) fetched(p *Package, program, name string, flags []string) error {
	if !exactVersion.MatchString(p.Version) {
		return fmt.Errorf("its package names no exact version but %q", clip(p.Version))
	}
	b.Words = []string{program}
	if program == "npx" && !slices.Contains(flags, "-y") && !slices.Contains(flags, "--yes") {
		b.Words = append(b.Words, "-y") // nobody is there to be asked
	}
	b.Words = append(append(b.Words, flags...), name+"@"+p.Version)
	return nil
}

// splitContainer takes variables out of the arguments for a container (-e NAME={value}): they need not stand on a command line.
func splitContainer(arguments []Argument, variables []KeyValue) ([]Argument, []KeyValue) {
	var rest []Argument
	variables = slices.Clone(variables)
	for _, a := range arguments {
		name, value, ok := strings.Cut(a.Value, "=")
		if a.Type != "named" || a.Name != "-e" && a.Name != "--env" || !ok {
			rest = append(rest, a)
			continue
		}
		kv := a.KeyValue
		kv.Name, kv.Value = name, value
		variables = append(variables, kv)
	}
	return rest, variables
}

// container begins the command of a container. It sees its variables and nothing else of the machine.
func (b *commandBuilder) container(p *Package, name string, flags []string) error {
	b.Words = []string{"docker", "run", "-i", "--rm"}
	for _, flag := range flags {
		switch flag {
		case "run", "-i", "--interactive", "--rm", "-i=true":
		case "--init":
			b.Words = append(b.Words, flag)
		default:
			return fmt.Errorf("it wants its container run with %s, which may open the machine to it: where that is wanted, add it with --mcp-command", clip(flag))
		}
	}
	for _, variable := range slices.Sorted(maps.Keys(b.Env)) {
		b.Words = append(b.Words, "-e", variable)
	}
	for _, variable := range slices.Sorted(maps.Keys(b.Templates)) {
		b.Words = append(b.Words, "-e", variable)
	}
	image, err := imageOf(p, name)
	b.Words = append(b.Words, image)
	return err
}

// imageOf gives the image, which names its version.
func imageOf(p *Package, name string) (string, error) {
	host := strings.TrimPrefix(strings.TrimSuffix(p.RegistryBaseURL, "/"), "https://")
	if host != "" && !strings.HasPrefix(name, host+"/") {
		name = host + "/" + name
	}
	if !strings.ContainsAny(path.Base(name), ":@") {
		if !imageTag.MatchString(p.Version) {
			return "", errors.New("its image names no version")
		}
		name += ":" + p.Version
	}
	switch {
	case !imageName.MatchString(name):
		return "", fmt.Errorf("%q is no name of an image", clip(name))
	case strings.HasSuffix(name, ":latest"):
		return "", errors.New("its image is whatever is latest, and no version that stays")
	}
	return name, nil
}

// riskyVariable are variables by which whoever sets them has another program run, or other files read, than the publisher says, and
// fileVariable those that name something on this machine. Accounts never fill them in.
var (
	riskyVariable = regexp.MustCompile(`(?i)^(LD_.*|DYLD_.*|NODE_.*|NPM_.*|PYTHON.*|PIP_.*|UV_.*|DOCKER_.*|COMPOSE_.*|RUBY.*|PERL.*|JAVA_.*|JDK_.*|_JAVA.*|GIT_.*|SSL_.*|` +
		`BASH_.*|ENV|IFS|PATH|HOME|SHELL|TMPDIR|TEMP|TMP|XDG_.*|APPDATA|LOCALAPPDATA|USERPROFILE|EDITOR|PAGER|BROWSER|.*_PROXY|DENO_.*|BUN_.*|DOTNET_.*)$`)
	fileVariable = regexp.MustCompile(`(?i)(^|_)(PATHS?|DIRS?|DIRECTORY|DIRECTORIES|FILES?|FILENAME|FOLDERS?|ROOTS?|SOCKET|COMMAND|CMD|EXEC|EXECUTABLE|BIN|BINARY)$`)
)

// ofTheMachine reports whether something would be filled in that concerns the machine, and so is for the operator alone.
func ofTheMachine(kv KeyValue) bool {
	open := kv.Value == "" || place.MatchString(kv.Value)
	if open && (kv.Format == "filepath" || riskyVariable.MatchString(kv.Name) || fileVariable.MatchString(kv.Name)) {
		return true
	}
	for name, v := range kv.Variables {
		if v.Value == "" && strings.Contains(kv.Value, "{"+name+"}") && (v.Format == "filepath" || fileVariable.MatchString(name)) {
			return true
		}
	}
	return false
}

// variable writes one variable of the environment.
func (b *commandBuilder) variable(kv KeyValue) error {
	if !catalog.VariableName.MatchString(kv.Name) {
		return fmt.Errorf("%q is no name of a variable", clip(kv.Name))
	}
	if ofTheMachine(kv) {
		return b.operatorsVariable(kv)
	}
	text, err := b.in.text(kv)
	switch {
	case err != nil:
		return err
	case place.MatchString(text):
		b.Templates[kv.Name] = text
	case text != "":
		b.Env[kv.Name] = text
	}
	return nil
}

// operatorsVariable writes a variable of which only the operator and the publisher may say what it is.
func (b *commandBuilder) operatorsVariable(kv KeyValue) error {
	text, missing := b.settled(kv)
	switch {
	case missing == "" && !kv.Secret:
		b.Env[kv.Name] = text
	case kv.Required || anyRequired(kv):
		return onlyOperator(missing, kv.Secret)
	default:
		b.in.note("%s is optional and not asked for: it concerns this machine", clip(kv.Name))
	}
	return nil
}

func onlyOperator(name string, secret bool) error {
	if secret {
		return fmt.Errorf("it needs a secret, %s, that accounts must not fill in: add it with --mcp-command, and put the secret into the settings", clip(name))
	}
	return fmt.Errorf("it needs %s, which only the operator may say: add it alone, with --field %s=…", clip(name), clip(name))
}

// settled gives a text without fields: of fixed values, what the operator gave, and defaults. Missing names what there is no value of.
func (b *commandBuilder) settled(kv KeyValue) (text, missing string) {
	if kv.Value == "" {
		return b.value(kv.Name, kv.Input)
	}
	text = place.ReplaceAllStringFunc(kv.Value, func(found string) string {
		name := found[1 : len(found)-1]
		value, none := b.value(name, kv.Variables[name])
		if none != "" && missing == "" {
			missing = none
		}
		return value
	})
	return text, missing
}

func (b *commandBuilder) value(name string, in Input) (value, missing string) {
	if given, ok := b.values[name]; ok {
		return given, ""
	}
	for _, v := range []string{in.Value, in.Default} {
		if v != "" {
			return v, ""
		}
	}
	return "", name
}

// arguments writes arguments. None may be a field: every user of the machine can read a command line.
func (b *commandBuilder) arguments(list []Argument) (words []string, err error) {
	for _, a := range list {
		more, err := b.argument(a)
		if err != nil {
			return nil, err
		}
		words = append(words, more...)
	}
	return words, nil
}

func (b *commandBuilder) argument(a Argument) ([]string, error) {
	kv := a.KeyValue
	kv.Name = a.ValueHint
	switch a.Type {
	case "named":
		if kv.Name = strings.TrimLeft(a.Name, "-"); kv.Name == a.Name || kv.Name == "" {
			return nil, fmt.Errorf("%q is no flag", clip(a.Name))
		}
	case "positional":
	default:
		return nil, fmt.Errorf("an argument is neither named nor positional but %q", clip(a.Type))
	}
	text, missing := b.settled(kv)
	switch {
	case a.Secret:
		return nil, fmt.Errorf("it wants a secret, %s, on its command line, where every user of the machine could read it", clip(kv.Name))
	case missing != "" && a.switches():
		return []string{a.Name}, nil
	case missing != "" && (a.Required || anyRequired(kv)):
		return nil, onlyOperator(missing, false)
	case missing != "", a.Type == "named" && a.Format == "boolean" && text == "false":
		b.in.note("the argument %s is optional and left out", clip(kv.Name))
		return nil, nil
	case a.Type == "positional":
		return []string{text}, nil
	case a.Format == "boolean":
		return []string{a.Name}, nil
	case strings.HasPrefix(a.Name, "--"):
		return []string{a.Name + "=" + text}, nil
	default:
		return []string{a.Name, text}, nil
	}
}

// switches reports whether a named argument is a flag that takes no value: descriptions leave it to be guessed.
func (a *Argument) switches() bool {
	bare := a.Value == "" && a.Format == "" && len(a.Choices) == 0 && a.Placeholder == "" && a.ValueHint == "" && !a.Required
	return a.Type == "named" && bare && (a.Description == "" || !strings.HasPrefix(a.Name, "--"))
}
