// Package mapping turns data into other data by declaration: texts with placeholders ("/repos/{owner}"), expressions
// ("${{ input.title }}", in the expr language) and trees of them (a JSON body written as structure with expression leaves).
// All are compiled when a toolkit is loaded, so that a typo fails at start and names its place.
//
// It owns the expression environment and its functions (base64url, mime_message, …). It knows neither tools nor HTTP.
package mapping
