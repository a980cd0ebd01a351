// Package trigger watches the apps that users connected and turns what happens there into events.
//
// It owns the Instance (one thing watched for one account), its polls (sweep.go is how a list becomes events, poll.go when it is
// read), webhooks at providers (hook.go), the endpoints at which providers call (endpoint.go) and the proof and meaning of their
// calls (signature.go, ingress.go). The states of an Instance:
//
//	            made at the provider            its account stopped working
//	(new) ----------------------------> ACTIVE ----------------------------> PAUSED
//	                                    |    ^ <---------------------------- |
//	            by the project, or after|    | enabled   the account works again
//	            lasting failure         v    |
//	                                   DISABLED
//
// A poll is work with a lease: any node takes it up, and of two one. Where it stands and the events that it found are stored in
// one step, so nothing is lost and nothing found twice.
//
// It does not own what can be watched (package catalog; the declarations say what to ask and how an answer becomes an event),
// nor the log of events and their delivery (package event), nor how a request gets its credential (package execute).
package trigger
