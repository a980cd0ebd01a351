// Package event keeps what happened, in order, and sees to it that it reaches whoever wants to know.
//
// It owns the Event and the project's log of events; webhook Subscriptions, the Deliveries to them with their retries, and the
// signature; the live stream that clients follow. It is at-least-once: an event is in the log before anybody hears of it, and
// a delivery is pending until its receiver took it.
//
// It does not own where events come from: package trigger finds them at providers, package store writes those of connected
// accounts together with the change they tell of. It knows nothing of HTTP requests that come in; package api does.
package event
