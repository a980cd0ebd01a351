// Package search ranks the catalog's tools for a request in plain words.
//
// It owns the index, built from a catalog snapshot, and the ranker. It answers only with tools that exist and that the
// caller's filter lets through; plans, schemas and connection states around the answer belong to package session.
package search
