// Package inference talks to model endpoints that the operator named, in the wire format of OpenAI's API.
//
// It owns the transport: a JSON request with the key, bounds on time and size, what an error says, and an Outage, which keeps
// requests from waiting for an endpoint that does not answer. It does not know what vectors or plans are for: packages embedding
// and planner do.
package inference
