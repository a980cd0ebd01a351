package api

import (
	_ "embed"
	"net/http"
)

// openAPI describes every route of this package. It is written by hand; the tests hold every response against it, and every
// route and parameter.
//
//go:embed openapi.json
var openAPI []byte

func serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*") // it is public, and documentation viewers run in browsers
	writeJSON(w, http.StatusOK, openAPI)
}
