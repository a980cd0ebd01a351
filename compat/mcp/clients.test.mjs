// MCP clients of both eras against session URLs: with the project key, with the session's own token, and without either.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { experimental_createMCPClient, createMCPClient } from '@ai-sdk/mcp';
import { MultiServerMCPClient } from '@langchain/mcp-adapters';
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { consent } from '../bed/browser.mjs';

const base = process.env.PATCHBAY_URL;
const key = process.env.PATCHBAY_API_KEY;
const DIRECT = ['GITHUB_CREATE_AN_ISSUE', 'GITHUB_GET_THE_AUTHENTICATED_USER'];
const META = ['COMPOSIO_GET_TOOL_SCHEMAS', 'COMPOSIO_MANAGE_CONNECTIONS', 'COMPOSIO_MULTI_EXECUTE_TOOL', 'COMPOSIO_SEARCH_TOOLS'];

async function api(path, body, method = 'POST') {
  const reply = await fetch(`${base}/api/v3.1${path}`, {
    method,
    headers: { 'x-api-key': key, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const answer = await reply.json();
  assert.ok(reply.ok, JSON.stringify(answer));
  return answer;
}

const user = `mcp-${randomBytes(4).toString('hex')}`;
const directConfig = {
  user_id: user,
  toolkits: { enable: ['github'] },
  tools: { github: { enable: DIRECT } },
  manage_connections: { enable: false },
  workbench: { enable: false },
  preload: { tools: 'all' },
  search: { enable: false },
  execute: { enable_multi_execute: false },
};
let direct, dynamic;

before(async () => {
  direct = await api('/tool_router/session', directConfig);
  dynamic = await api('/tool_router/session', { user_id: user });
  const link = await api(`/tool_router/session/${dynamic.session_id}/link`, { toolkit: 'github' });
  const page = await consent(link.redirect_url, 'alice');
  assert.ok(page.status < 400, page.html);
});

/** Each client as { tools(session, headers), call(session, headers, name, args) -> { text, structured, isError } }. */
const clients = {
  'TypeScript SDK v1': {
    async with(url, headers, use) {
      const client = new Client({ name: 'compat', version: '1' });
      await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
      try {
        return await use({
          names: async () => (await client.listTools()).tools.map((t) => t.name),
          call: (name, args) => client.callTool({ name, arguments: args }),
        });
      } finally {
        await client.close();
      }
    },
  },
  'TypeScript SDK v2 (2025 era)': v2(undefined),
  'TypeScript SDK v2 (2026 era)': v2({ mode: 'auto' }),
  'AI SDK': {
    async with(url, headers, use) {
      const make = createMCPClient ?? experimental_createMCPClient;
      const client = await make({ transport: { type: 'http', url, headers } });
      try {
        const tools = await client.tools();
        return await use({
          names: async () => Object.keys(tools),
          call: (name, args) => tools[name].execute(args, { toolCallId: 'call_1', messages: [] }),
        });
      } finally {
        await client.close();
      }
    },
  },
  'LangChain adapters': {
    async with(url, headers, use) {
      const client = new MultiServerMCPClient({ mcpServers: { patchbay: { transport: 'http', url, headers } } });
      try {
        const tools = await client.getTools();
        return await use({
          names: async () => tools.map((t) => t.name),
          call: async (name, args) => ({ content: await tools.find((t) => t.name === name).invoke(args) }),
        });
      } finally {
        await client.close();
      }
    },
  },
};

function v2(versionNegotiation) {
  return {
    async with(url, headers, use) {
      const client = new ClientV2({ name: 'compat', version: '1' }, versionNegotiation && { versionNegotiation });
      await client.connect(new TransportV2(new URL(url), { requestInit: { headers } }));
      try {
        return await use({
          names: async () => (await client.listTools()).tools.map((t) => t.name),
          call: (name, args) => client.callTool({ name, arguments: args }),
        });
      } finally {
        await client.close();
      }
    },
  };
}

for (const [label, client] of Object.entries(clients)) {
  describe(label, () => {
    for (const [credential, headersOf] of [
      ['the project key', () => ({ 'x-api-key': key })],
      ['the session token', (session) => session.mcp.headers],
    ]) {
      test(`a direct session with ${credential}: exactly its tools, and one runs`, () =>
        client.with(direct.mcp.url, headersOf(direct), async ({ names, call }) => {
          assert.deepEqual((await names()).sort(), [...DIRECT].sort());
          const title = `From ${label} with ${credential}`;
          const answer = await call('GITHUB_CREATE_AN_ISSUE', { owner: 'alice', repo: 'hello-world', title });
          assert.ok(JSON.stringify(answer).includes(title), JSON.stringify(answer));
        }));
    }

    test('a default session: the meta tools', () =>
      client.with(dynamic.mcp.url, { 'x-api-key': key }, async ({ names }) => {
        assert.deepEqual((await names()).sort(), META);
      }));

    test('no credential and a foreign session token are refused', async () => {
      for (const headers of [{}, dynamic.mcp.headers]) {
        await assert.rejects(() => client.with(direct.mcp.url, headers, ({ names }) => names()));
      }
    });
  });
}

test('REST and MCP list the same tools', async () => {
  const rest = await api(`/tool_router/session/${dynamic.session_id}/tools?limit=500`, undefined, 'GET');
  await clients['TypeScript SDK v1'].with(dynamic.mcp.url, dynamic.mcp.headers, async ({ names }) => {
    assert.deepEqual((await names()).sort(), rest.items.map((tool) => tool.slug).sort());
  });
});

test('MULTI_EXECUTE over MCP: one failure leaves the others alone', () =>
  clients['TypeScript SDK v1'].with(dynamic.mcp.url, dynamic.mcp.headers, async ({ call }) => {
    const make = (repo, title) => ({ tool_slug: 'GITHUB_CREATE_AN_ISSUE', arguments: { owner: 'alice', repo, title } });
    const answer = await call('COMPOSIO_MULTI_EXECUTE_TOOL', {
      tools: [make('hello-world', 'one'), make('nowhere', 'two'), make('hello-world', 'three')],
      sync_response_to_workbench: false,
    });
    assert.equal(answer.structuredContent.data.success_count, 2, JSON.stringify(answer));
    assert.equal(answer.structuredContent.data.error_count, 1);
  }));

test('what is noted in a task comes back in its later searches, to nobody else', () =>
  clients['TypeScript SDK v1'].with(dynamic.mcp.url, dynamic.mcp.headers, async ({ call }) => {
    const search = async (session) => {
      const answer = await call('COMPOSIO_SEARCH_TOOLS', { queries: [{ use_case: 'create an issue in a GitHub repository' }], session });
      return answer.structuredContent.data;
    };
    const task = (await search({ generate_id: true })).session.id;
    const note = (memory) =>
      call('COMPOSIO_MULTI_EXECUTE_TOOL', {
        tools: [{ tool_slug: 'GITHUB_GET_THE_AUTHENTICATED_USER', arguments: {} }],
        sync_response_to_workbench: false,
        session_id: task,
        memory,
      });
    assert.equal((await note({ github: ['the repository is alice/hello-world'] })).structuredContent.successful, true);
    const refused = await note({ github: [{ repository: 'alice/hello-world' }] });
    assert.equal(refused.isError, true);
    assert.match(JSON.stringify(refused.content), /memory\.github\[0\] must be a text/);
    assert.deepEqual((await search({ id: task })).results[0].memory, { github: ['the repository is alice/hello-world'] });
    assert.equal((await search({ generate_id: true })).results[0].memory, undefined);

    const another = await api('/tool_router/session', { user_id: user });
    const found = await api(`/tool_router/session/${another.session_id}/search`, {
      queries: [{ use_case: 'create an issue in a GitHub repository' }],
      session: { id: task },
    });
    assert.equal(found.results[0].memory, undefined);
  }));

test('a tool without a connection is a tool error that says how to connect', async () => {
  const lonely = await api('/tool_router/session', { ...directConfig, user_id: `${user}-lonely` });
  await clients['TypeScript SDK v1'].with(lonely.mcp.url, lonely.mcp.headers, async ({ call }) => {
    const answer = await call('GITHUB_GET_THE_AUTHENTICATED_USER', {});
    assert.equal(answer.isError, true);
    assert.match(JSON.stringify(answer.content), /connect/i);
  });
});

test('a deleted session is gone for MCP too', async () => {
  const gone = await api('/tool_router/session', directConfig);
  await api(`/tool_router/session/${gone.session_id}`, undefined, 'DELETE');
  const reply = await fetch(gone.mcp.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'x-api-key': key },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  });
  assert.equal(reply.status, 404);
});
