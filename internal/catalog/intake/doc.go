// Package intake brings descriptions of APIs in: it reads them from files, addresses and directories within limits, has the
// importer beside it make a catalog.Definition of each, and hands that to a Sink, which keeps it.
//
// It decides what is read, how much of it at once, and what need not be read again. What becomes of a description is the
// importers' business (openapi, graphql), where definitions are kept is the sink's.
package intake
