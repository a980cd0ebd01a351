package api

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// proxyBody is a raw request to a toolkit's API, in a session and outside (API contract sections 6.11 and 7.4).
type proxyBody struct {
	Endpoint         string                `json:"endpoint"`
	Method           string                `json:"method"`
	Body             anyJSON               `json:"body"`
	BinaryBody       *binaryBody           `json:"binary_body"`
	Parameters       []proxyParameter      `json:"parameters"`
	CustomConnection *customConnectionBody `json:"custom_connection_data"`
}

// binaryBody is a body that is not JSON: where to fetch it, or the bytes themselves.
type binaryBody struct {
	URL         string `json:"url"`
	Base64      string `json:"base64"`
	ContentType string `json:"content_type"`
}

// proxyParameter is one header or query parameter. The contract says type; SDK documentation says in.
type proxyParameter struct {
	Name  string    `json:"name"`
	Type  string    `json:"type"`
	In    string    `json:"in"`
	Value looseText `json:"value"`
}

// looseText is a text that may be written as a number or a boolean.
type looseText string

func (t *looseText) UnmarshalJSON(raw []byte) error {
	switch kindOf(raw) {
	case "string":
		return json.Unmarshal(raw, (*string)(t))
	case "number", "boolean":
		*t = looseText(strings.TrimSpace(string(raw)))
		return nil
	case "null":
		return nil
	default:
		return fmt.Errorf("expected a string, got %s", got(kindOf(raw)))
	}
}

func (looseText) shape(path string, raw []byte) (faults, unknown []string) {
	if kind := kindOf(raw); kind == "object" || kind == "list" {
		return []string{fmt.Sprintf("%s: expected a string, got %s", path, got(kind))}, nil
	}
	return nil, nil
}

// customConnectionBody is a credential that comes along with the call instead of an account.
type customConnectionBody struct {
	Scheme  string                `json:"authScheme"`
	Toolkit string                `json:"toolkitSlug"`
	Values  map[string]looseValue `json:"val"`
}

// looseValue keeps the scalars of a credential as texts and drops what is nested: no scheme reads that.
type looseValue struct {
	text  string
	given bool
}

func (v *looseValue) UnmarshalJSON(raw []byte) error {
	if kind := kindOf(raw); kind == "object" || kind == "list" || kind == "null" {
		return nil
	}
	v.given = true
	return (*looseText)(&v.text).UnmarshalJSON(raw)
}

func (looseValue) shape(string, []byte) (faults, unknown []string) { return nil, nil }

// texts gives the values of a credential; status is bookkeeping and not one of them.
func texts(values map[string]looseValue) map[string]string {
	out := make(map[string]string, len(values))
	for name, v := range values {
		if v.given && name != "status" {
			out[name] = v.text
		}
	}
	return out
}

func (c *customConnectionBody) auth() *execute.CustomAuth {
	if c == nil {
		return nil
	}
	fields := make(connect.Fields)
	for name, text := range texts(c.Values) {
		fields[name] = secret.Hide(text)
	}
	return &execute.CustomAuth{Scheme: strings.ToUpper(c.Scheme), Fields: fields}
}

var proxyMethods = []string{"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"}

// call gives the request in the domain's words; what it is aimed at and whose account it uses are filled in by the operation.
func (b proxyBody) call() (execute.ProxyCall, error) {
	var faults []string
	if b.Endpoint == "" {
		faults = append(faults, "endpoint: is required, a path below the toolkit's base URL or a whole URL on its domain")
	}
	method := strings.ToUpper(b.Method)
	if !slices.Contains(proxyMethods, method) {
		faults = append(faults, fmt.Sprintf("method: expected one of %s, got %q", strings.Join(proxyMethods, ", "), short(b.Method)))
	}
	call := execute.ProxyCall{
		Method: method, Endpoint: b.Endpoint, Body: b.Body.value, Custom: b.CustomConnection.auth(),
		Header: make(map[string][]string), Query: make(map[string][]string),
	}
	for i, p := range b.Parameters {
		switch where := at("parameters", i); {
		case p.Name == "":
			faults = append(faults, where+".name: is required")
		case orText(p.Type, p.In) == "header":
			call.Header[p.Name] = append(call.Header[p.Name], string(p.Value))
		case orText(p.Type, p.In) == "query":
			call.Query[p.Name] = append(call.Query[p.Name], string(p.Value))
		default:
			faults = append(faults, fmt.Sprintf("%s.type: expected header or query, got %q", where, short(orText(p.Type, p.In))))
		}
	}
	if b.BinaryBody != nil {
		if problem := b.BinaryBody.into(&call); problem != "" {
			faults = append(faults, problem)
		}
	}
	if len(faults) > 0 {
		return execute.ProxyCall{}, invalidRequest(faults...)
	}
	return call, nil
}

func (b *binaryBody) into(call *execute.ProxyCall) (problem string) {
	call.Type = b.ContentType
	switch {
	case (b.URL == "") == (b.Base64 == ""):
		return "binary_body: expected url or base64, and not both"
	case b.URL != "":
		call.BinaryURL = b.URL
		return ""
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(b.Base64))
	if err != nil {
		return "binary_body.base64: is not base64"
	}
	call.Binary = raw
	return ""
}

// proxyResponse is the provider's own answer; its status may be an error while ours is 200.
type proxyResponse struct {
	Status     int               `json:"status"`
	Data       json.RawMessage   `json:"data,omitempty"`
	BinaryData *binaryData       `json:"binary_data,omitempty"`
	Headers    map[string]string `json:"headers"`
	LogID      string            `json:"log_id,omitempty"`
	ResultType string            `json:"result_type"` // always "completed"; newer SDKs look at it
}

// binaryData points at the bytes of an answer that is not text. The URL is a data: URL and needs no second request.
type binaryData struct {
	URL         string `json:"url"`
	ContentType string `json:"content_type"`
	Size        int    `json:"size"`
}

func proxyResponseOf(r execute.ProxyResult) proxyResponse {
	out := proxyResponse{Status: r.Status, Data: r.Data, Headers: orEmpty(r.Header), LogID: r.LogID, ResultType: "completed"}
	if r.Binary != nil {
		kind := orText(r.Type, "application/octet-stream")
		out.Data = nil
		out.BinaryData = &binaryData{
			URL:         "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(r.Binary),
			ContentType: kind,
			Size:        len(r.Binary),
		}
	}
	return out
}
