// Package toolsync follows the MCP servers that projects registered as toolkits: what each says of its tools now, beside what
// was approved. A sync, a periodic check and the server's own word that its list changed all end in the same place: the
// difference is kept, told, and waits for somebody who may approve it, unless the toolkit follows its server.
//
// It owns the watches (one for each registered server that was synced) and the step from a seen to an approved definition. It
// does not own the definitions, which are versions in package catalog, the talking to servers, and what happens to a call of a
// tool that changed: both are package execute's.
package toolsync
