// Package realtime lets the official SDKs follow a project's trigger messages (triggers.subscribe), by the protocol that they
// speak: Pusher's, version 7, over WebSocket (API contract section 13).
//
// It owns the protocol's messages, the place where SDKs are sent to, and the permission to hear a channel. What is heard comes from
// package event. The protocol has no cursor: what happens while a client is away is not sent again. Whoever must not miss an
// event takes webhooks, or the event stream.
package realtime
