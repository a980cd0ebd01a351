// Package process runs programs beside the server: MCP servers that speak over their standard input and output. It owns starting
// and ending them with everything that they started themselves, their pipes, and what they say on standard error.
//
// It does not know what is said over the pipes but for this: a message is a line that holds a JSON-RPC object, and other lines are
// passed over. Which programs may run is not decided here: only the server's operator says that (package catalog), and when they
// run is package execute's business.
package process
