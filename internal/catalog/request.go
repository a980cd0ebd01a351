package catalog

import "github.com/patchbay-dev/patchbay/internal/mapping"

// Request says how arguments become requests: first the steps, in their order, then the main request, which is HTTP,
// GraphQL or a call of an MCP server's tool. A tool may lack the main request: its data is then computed from the arguments and the steps by Result.Data.
//
// Each request is built from a mapping.Env that holds the arguments (with defaults), the account's connection fields and the
// results of the steps so far.
type Request struct {
	Steps   []Step
	HTTP    *HTTPRequest
	GraphQL *GraphQLRequest
	MCP     *MCPRequest
}

// MCPRequest calls a tool of the MCP server at the toolkit's base URL, with the arguments as they are.
type MCPRequest struct {
	Tool   string            // as the server names it
	Rename map[string]string // as in HTTPRequest
	Hash   string            // of the definition that was approved; empty: nobody knows
}

// Step is a request whose result later expressions use as steps.<name>.
//
// The result is the answer's decoded body, or what Result makes of it (it sees body, status and header). With ForEach it is
// the list of the single results, in the order of the list; with Repeat the list of the pages' results. A step that When
// switches off has no entry: expressions then see nil. A step whose answer is a failure fails the call like the main
// request, unless Optional, which makes its result nil.
type Step struct {
	Name     string
	When     *mapping.Expr // nil: always
	ForEach  *ForEach
	Repeat   *Repeat
	Optional bool
	Result   *mapping.Tree // nil: the body as it came
	HTTP     *HTTPRequest
	GraphQL  *GraphQLRequest
}

// ForEach sends the request once for each element of a list, which expressions see as item; order is kept.
type ForEach struct {
	List     *mapping.Expr // nil or absent: no requests, the result is an empty list
	Max      int           // elements beyond it are left out
	Parallel int           // how many requests may be on their way at once
}

// Repeat sends the request again while Next, seen over the answer just received (body, status, header), yields something;
// that value is cursor in the next round and nil in the first.
type Repeat struct {
	Next *mapping.Expr
	Max  int // rounds
}

// HTTPRequest maps arguments to one HTTP request.
type HTTPRequest struct {
	Method string
	Path   *mapping.Text // "/repos/{owner}/{repo}/issues": arguments in the path are percent-encoded
	Base   *mapping.Text // in place of the toolkit's BaseURL, for APIs spread over hosts; an operator's base_url wins over it
	URL    *mapping.Expr // in place of base and path: an absolute URL that an earlier step's answer said

	Query     *mapping.Tree // an object; lists become repeated parameters, see Lists
	Headers   *mapping.Tree // an object
	Body      *mapping.Tree
	QueryArgs []Argument // arguments that go to the query as they are, in this order
	BodyArgs  []Argument // arguments that become members of the body as they are

	HeaderArgs []Argument        // arguments that are headers; they win over Headers
	CookieArgs []Argument        // arguments that are cookies
	BodyArg    string            // the argument that is the whole body, in place of Body and BodyArgs
	Rename     map[string]string // members within arguments that the provider calls something else, at any depth

	Encoding  Encoding
	Lists     ListStyle
	Anonymous bool // the credential is not sent: a public endpoint, or a URL that carries its own permission
}

// Argument is an argument that goes upstream under a name.
type Argument struct {
	Name, As string
	Lists    ListStyle // in place of the request's; set on a member of a form, it also says that Deep is meant
	Deep     bool      // objects and lists become a[b]= and a[0]=
	Fixed    string    // sent whatever the arguments are: there is no Name then
}

// Encoding is how a body is written.
type Encoding string

// The encodings.
const (
	EncodeJSON      Encoding = "json"
	EncodeForm      Encoding = "form"      // application/x-www-form-urlencoded; nested members as a[b]=, lists as a[0]=
	EncodeMultipart Encoding = "multipart" // multipart/form-data; a mapping.File becomes a file part
	EncodeRelated   Encoding = "related"   // multipart/related: the body is a list of parts, objects as JSON, files as they are
	EncodeRaw       Encoding = "raw"       // the body is a text or a mapping.File, sent as it is
)

// ListStyle is how lists appear in a query and a form.
type ListStyle string

// The styles.
const (
	ListsRepeated ListStyle = "repeated" // a=1&a=2; in a form with nesting a[0]=1&a[1]=2
	ListsBrackets ListStyle = "brackets" // a[]=1&a[]=2
	ListsComma    ListStyle = "comma"    // a=1,2
	ListsSpaces   ListStyle = "spaces"   // a=1%202
	ListsPipes    ListStyle = "pipes"    // a=1|2
	ListsJSON     ListStyle = "json"     // a=[1,2]
)

// GraphQLRequest maps arguments to one GraphQL operation.
type GraphQLRequest struct {
	Path          *mapping.Text // of the endpoint, below the toolkit's base URL
	Query         string
	QueryFrom     *mapping.Expr // for tools that let the caller bring the query
	Variables     *mapping.Tree // an object; beside VariableArgs
	VariableArgs  []Argument    // arguments that are variables as they are
	OperationName string

	FieldsArg string            // argument that chooses what is answered; it takes the place of %fields% in Query
	Selection string            // what is answered when the argument is absent
	Rename    map[string]string // as in HTTPRequest
}

// Page says how a list is continued.
type Page struct {
	At     string        // argument that holds the page or the cursor
	Size   string        // argument that holds the page size; empty when there is none
	Max    int           // of Size; 0 when unknown
	Next   *mapping.Expr // over the answer: the next value of At; nil at the end
	Member string        // member of data that carries it
}
