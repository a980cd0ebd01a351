package execute

import (
	"context"
	"net/http"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// ListServerTools asks the MCP server of a toolkit for its tools, with the credential of the selected account. Tools that the
// toolkit had keep their slugs. LeftOut says which could not become tools, and why.
func (r *Runner) ListServerTools(ctx context.Context, c tenant.Caller, t *catalog.Toolkit, sel connect.Selection, known []catalog.DefinedTool) (tools []catalog.DefinedTool, leftOut []string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.deadline, errDeadline)
	defer cancel()
	sel.Toolkit = t.Slug
	x := r.newExecution(c, t, sel, nil)
	if err := x.authorize(ctx, false); err != nil {
		return nil, nil, err
	}
	if t.Program != nil {
		return x.listProgram(ctx, known)
	}
	endpoint, err := t.MCPEndpoint(&x.env)
	if err != nil {
		return nil, nil, err
	}
	for again := false; ; again = true {
		_, turn := x.credential()
		asked := x.newAsked()
		key := mcpKey{project: c.ProjectID, toolkit: t.Slug, url: endpoint}
		tools, leftOut, err = r.server(key, asked).Tools(context.WithValue(ctx, askedKey{}, asked), t.Slug, known)
		if err == nil {
			return tools, leftOut, nil
		}
		if _, _, refusal, _ := asked.seen(); !again && refusal != nil && refusal.status == http.StatusUnauthorized && x.rejected(ctx, turn) {
			continue
		}
		return nil, nil, proxyFault(x.serverFailure(ctx, err, asked, exchange{env: &x.env}))
	}
}

// listProgram asks a program.
func (x *execution) listProgram(ctx context.Context, known []catalog.DefinedTool) (tools []catalog.DefinedTool, leftOut []string, err error) {
	p, err := x.program(ctx)
	if err != nil {
		return nil, nil, proxyFault(err)
	}
	tools, leftOut, err = catalog.ToolsOfMCP(ctx, p.session, x.toolkit.Slug, known)
	if x.programs.release(p, err, ctx.Err() != nil); err != nil {
		return nil, nil, proxyFault(x.programFailure(ctx, err))
	}
	return tools, leftOut, nil
}
