// Package execute runs one tool call from beginning to end: coerce and check the arguments, have the account chosen, get its
// credential, send the steps and the main request, read the answer, shape it, log it.
//
// The Runner owns these phases (runner.go is the order, execution.go the state of one call). arguments.go and coerce.go mend
// and judge what the caller gave; exchange.go sends, retry.go decides what is sent again, failure.go says what went wrong in
// words a model can act on; graphql.go and steps.go are the kinds beside plain HTTP; shape.go and files.go make the result;
// idempotent.go replays, log_batch.go writes the log, proxy.go is the raw request.
//
// Every way of calling a tool (REST, session, meta tool, MCP, legacy server) comes through here. The package does not decide
// whether a session may call a tool (package session), how arguments map to a request (package catalog), or whose account
// there is (package connect), and it holds no credentials.
package execute
