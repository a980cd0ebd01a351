import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newUser, options } from './harness.mjs';

/** The meta tools of a default session on a server without a sandbox. */
export const META_TOOLS = [
  'COMPOSIO_SEARCH_TOOLS',
  'COMPOSIO_GET_TOOL_SCHEMAS',
  'COMPOSIO_MANAGE_CONNECTIONS',
  'COMPOSIO_MULTI_EXECUTE_TOOL',
];

const nameOf = (tool) => tool.function.name;

export function sessionSuite({ Composio, SessionPreset, experimental_createTool }, z) {
  const composio = new Composio(options());

  describe('session', () => {
    test('create: the smallest call gives a session with an MCP URL on the API origin', async () => {
      const session = await composio.create(newUser(), { mcp: true });
      assert.match(session.sessionId, /^trs_[A-Za-z0-9_-]{12}$/);
      assert.equal(session.mcp.url, `${options().baseURL}/tool_router/${session.sessionId}/mcp`);
      assert.equal(session.mcp.type, 'http');
      assert.equal(session.mcp.headers['x-api-key'], options().apiKey);
    });

    test('create: every option of the SDK at once', async () => {
      const config = await composio.authConfigs.create('github', { type: 'use_composio_managed_auth', name: 'full' });
      const session = await composio.create(newUser(), {
        toolkits: ['github', 'hackernews'],
        tools: { github: { enable: ['GITHUB_CREATE_AN_ISSUE', 'GITHUB_GET_A_REPOSITORY'] } },
        tags: { disable: ['destructiveHint'] },
        authConfigs: { github: config.id },
        manageConnections: { enable: true, callbackUrl: 'https://app.example/done?x=1', waitForConnections: true },
        workbench: { enable: false },
        preload: { tools: ['GITHUB_GET_A_REPOSITORY'] },
        experimental: { assistivePrompt: { userTimezone: 'Europe/Paris' } },
      });
      assert.ok(session.experimental.assistivePrompt.length > 0);
      const names = (await session.tools()).map(nameOf);
      assert.ok(names.includes('COMPOSIO_WAIT_FOR_CONNECTIONS'), names.join());
      assert.ok(names.includes('GITHUB_GET_A_REPOSITORY'), names.join());
      assert.ok(!names.includes('GITHUB_CREATE_AN_ISSUE'), 'only the preloaded app tool is listed');
    });

    test('create: all but some toolkits, no connections, the sandbox by its newer name', async () => {
      const session = await composio.create(newUser(), {
        toolkits: { disable: ['github'] },
        manageConnections: false,
        sandbox: { enable: false },
      });
      assert.ok(!(await session.tools()).map(nameOf).includes('COMPOSIO_MANAGE_CONNECTIONS'));
      await assert.rejects(() => session.execute('GITHUB_GET_THE_AUTHENTICATED_USER', {}), /Session Restriction/);
      const page = await session.toolkits({ limit: 50 });
      assert.ok(!page.items.some((item) => item.slug === 'github'), 'a denied toolkit is not listed');
    });

    test('create: tags keep to what only reads', async () => {
      const session = await composio.create(newUser(), { toolkits: ['github'], tags: ['readOnlyHint'], preload: { tools: 'all' } });
      const names = (await session.tools()).map(nameOf);
      assert.ok(names.includes('GITHUB_GET_A_REPOSITORY'), names.join());
      assert.ok(!names.includes('GITHUB_CREATE_AN_ISSUE'));
      await assert.rejects(() => session.execute('GITHUB_CREATE_AN_ISSUE', { owner: 'a', repo: 'b', title: 'c' }), /Session Restriction/);
    });

    test('tools: a default session shows the meta tools', async () => {
      const session = await composio.create(newUser());
      assert.deepEqual((await session.tools()).map(nameOf).sort(), [...META_TOOLS].sort());
    });

    test('tools: the direct-tools preset shows exactly the enabled tools', async () => {
      const session = await composio.create(newUser(), {
        toolkits: ['gmail'],
        tools: { gmail: { enable: ['GMAIL_FETCH_EMAILS', 'GMAIL_SEND_EMAIL'] } },
        sessionPreset: SessionPreset.DIRECT_TOOLS,
      });
      assert.deepEqual((await session.tools()).map(nameOf).sort(), ['GMAIL_FETCH_EMAILS', 'GMAIL_SEND_EMAIL']);
    });

    test('use: the same session again', async () => {
      const user = newUser();
      const session = await composio.create(user, { toolkits: ['hackernews'] });
      const again = await composio.use(session.sessionId);
      assert.equal(again.sessionId, session.sessionId);
      assert.equal(again.mcp.url, session.mcp.url);
    });

    test('update: replaces toolkits and raises the version', async () => {
      const session = await composio.create(newUser(), { toolkits: ['github'] });
      await session.update({ toolkits: ['hackernews'] });
      const page = await session.toolkits();
      assert.deepEqual(page.items.map((item) => item.slug), ['hackernews']);
    });

    test('history: each version, the live one marked; a stale lock is a conflict', async () => {
      const session = await composio.create(newUser(), { toolkits: ['github'] });
      if (!session.listConfigHistory) return; // newer than core 0.19
      await session.update({ toolkits: ['hackernews'] });
      const history = await session.listConfigHistory();
      assert.deepEqual(history.items.map((item) => item.version), [2, 1]);
      await assert.rejects(() => session.update({ toolkits: ['gmail'], expectedConfigVersion: 1 }), /409|[Cc]onflict/);
      await session.update({ toolkits: null });
      const all = await session.toolkits({ limit: 50 });
      assert.ok(all.items.length > 1, 'null lifts the restriction');
    });

    test('delete: gone at once, and a second delete is not found', async () => {
      const session = await composio.create(newUser());
      await session.delete();
      await assert.rejects(() => composio.use(session.sessionId), /404/);
      await assert.rejects(() => session.delete(), /404/);
    });

    test('search: finds the tool, with schema, plan and connection state', async () => {
      const session = await composio.create(newUser());
      const found = await session.search({ query: 'create an issue in a GitHub repository' });
      assert.equal(found.success, true);
      const [first] = found.results;
      assert.ok(first.primaryToolSlugs.includes('GITHUB_CREATE_AN_ISSUE'), JSON.stringify(first));
      assert.ok(found.toolSchemas.GITHUB_CREATE_AN_ISSUE.inputSchema);
      const status = found.toolkitConnectionStatuses.find((s) => s.toolkit === 'github');
      assert.equal(status.hasActiveConnection, false);
    });

    test('execute: what is noted in a task comes back in its later searches', async () => {
      const session = await composio.create(newUser());
      const search = async (workflow) => {
        const queries = [{ use_case: 'get the top stories of Hacker News' }];
        return (await session.execute('COMPOSIO_SEARCH_TOOLS', { queries, session: workflow })).data;
      };
      const first = await search({ generate_id: true });
      const [tool] = first.results[0].primary_tool_slugs;
      const ran = await session.execute('COMPOSIO_MULTI_EXECUTE_TOOL', {
        tools: [{ tool_slug: tool, arguments: {} }],
        sync_response_to_workbench: false,
        session_id: first.session.id,
        memory: { hackernews: ['the user reads ten stories'] },
      });
      assert.equal(ran.data.session.id, first.session.id);
      const later = await search({ id: first.session.id });
      assert.deepEqual(later.results[0].memory, { hackernews: ['the user reads ten stories'] });
    });

    test('toolkits: filters and pages', async () => {
      const session = await composio.create(newUser());
      const one = await session.toolkits({ limit: 3 });
      assert.equal(one.items.length, 3);
      assert.ok(one.cursor ?? one.nextCursor, 'there are more');
      const some = await session.toolkits({ toolkits: ['github', 'gmail'] });
      assert.deepEqual(some.items.map((item) => item.slug).sort(), ['github', 'gmail']);
      const connected = await session.toolkits({ isConnected: true, toolkits: ['github'] });
      assert.deepEqual(connected.items, []);
    });

    test('execute: a meta tool answers its inner data', async () => {
      const session = await composio.create(newUser());
      const answer = await session.execute('COMPOSIO_GET_TOOL_SCHEMAS', { tool_slugs: ['GITHUB_CREATE_AN_ISSUE', 'GITHUB_CREATE_AN_ISUE'] });
      assert.equal(answer.error, null);
      assert.ok(answer.data.tool_schemas.GITHUB_CREATE_AN_ISSUE.input_schema);
      assert.deepEqual(answer.data.not_found, ['GITHUB_CREATE_AN_ISUE']);
      assert.equal(answer.data.suggestions.GITHUB_CREATE_AN_ISUE[0], 'GITHUB_CREATE_AN_ISSUE');
      assert.ok(answer.logId);
    });

    test('custom tools: registered, listed by search, run in this process', async () => {
      const shout = experimental_createTool('SHOUT', {
        name: 'Shout',
        description: 'Turns a text into capital letters, loudly.',
        inputParams: z.object({ text: z.string() }),
        execute: async ({ text }) => ({ shouted: text.toUpperCase() }),
      });
      const session = await composio.create(newUser(), { experimental: { customTools: [shout] } });
      assert.deepEqual(session.customTools().map((tool) => tool.slug), ['LOCAL_SHOUT']);
      const answer = await session.execute('LOCAL_SHOUT', { text: 'hey' });
      assert.equal(answer.data.shouted, 'HEY');
      const found = await session.search({ query: 'turn a text into capital letters loudly' });
      assert.ok(JSON.stringify(found.results).includes('LOCAL_SHOUT'), JSON.stringify(found.results));
      const attached = await composio.use(session.sessionId, { customTools: [shout] });
      assert.deepEqual(attached.customTools().map((tool) => tool.slug), ['LOCAL_SHOUT']);
    });
  });
}
