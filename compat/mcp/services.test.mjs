// The same real work as over REST, through MCP direct tools, for two people at once: each acts as their own account only.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { consent } from '../bed/browser.mjs';

const base = process.env.PATCHBAY_URL;
const key = process.env.PATCHBAY_API_KEY;
const off = { enable: false };
const TOOLS = {
  github: ['GITHUB_CREATE_AN_ISSUE', 'GITHUB_GET_THE_AUTHENTICATED_USER', 'GITHUB_LIST_REPOSITORY_ISSUES'],
  gmail: ['GMAIL_SEND_EMAIL', 'GMAIL_FETCH_EMAILS'],
  googlecalendar: ['GOOGLECALENDAR_CREATE_EVENT', 'GOOGLECALENDAR_EVENTS_LIST'],
  slack: ['SLACK_SEND_MESSAGE', 'SLACK_LIST_ALL_CHANNELS'],
  linear: ['LINEAR_CREATE_LINEAR_ISSUE', 'LINEAR_LIST_LINEAR_TEAMS'],
};

async function post(path, body) {
  const reply = await fetch(`${base}/api/v3.1${path}`, {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = await reply.json();
  assert.ok(reply.ok, JSON.stringify(answer));
  return answer;
}

/** A person with every app connected, and a client on the MCP URL of their direct session. */
async function settle(person) {
  const session = await post('/tool_router/session', {
    user_id: `${person}-${randomBytes(4).toString('hex')}`,
    toolkits: { enable: Object.keys(TOOLS) },
    tools: Object.fromEntries(Object.entries(TOOLS).map(([toolkit, enable]) => [toolkit, { enable }])),
    manage_connections: off,
    workbench: off,
    search: off,
    execute: { enable_multi_execute: false },
    preload: { tools: 'all' },
  });
  for (const toolkit of Object.keys(TOOLS)) {
    const link = await post(`/tool_router/session/${session.session_id}/link`, { toolkit });
    const page = await consent(link.redirect_url, person);
    assert.ok(page.status < 400, page.html.slice(0, 300));
  }
  const client = new Client({ name: 'compat', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(session.mcp.url), { requestInit: { headers: session.mcp.headers } }));
  const run = async (name, args = {}) => {
    const answer = await client.callTool({ name, arguments: args });
    assert.ok(!answer.isError, `${name}: ${JSON.stringify(answer.content)}`);
    assert.equal(answer.structuredContent.successful, true);
    return answer.structuredContent.data;
  };
  return { person, session, client, run };
}

const people = {};

describe('real work over MCP', () => {
  before(async () => {
    for (const person of ['alice', 'bob']) people[person] = await settle(person);
  });

  test('tools/list is exactly what the session enables', async () => {
    const { tools } = await people.alice.client.listTools();
    assert.deepEqual(tools.map((tool) => tool.name).sort(), Object.values(TOOLS).flat().sort());
    const send = tools.find((tool) => tool.name === 'GMAIL_SEND_EMAIL');
    assert.ok(send.title && send.inputSchema.properties.subject);
    assert.equal(send.annotations.readOnlyHint, false);
    assert.equal(tools.find((tool) => tool.name === 'GMAIL_FETCH_EMAILS').annotations.readOnlyHint, true);
  });

  for (const person of ['alice', 'bob']) {
    test(`${person}: an issue, a mail, an event, a message, a ticket`, async () => {
      const { run } = people[person];
      const mark = `${person} ${randomBytes(3).toString('hex')}`;
      const repository = { alice: 'hello-world', bob: 'bobs-private' }[person];

      const issue = await run('GITHUB_CREATE_AN_ISSUE', { owner: person, repo: repository, title: mark });
      assert.equal(issue.title, mark);
      assert.equal(issue.user?.login ?? person, person);

      await run('GMAIL_SEND_EMAIL', { recipient_email: 'carol@example.com', subject: mark, body: 'hello' });
      const mail = await run('GMAIL_FETCH_EMAILS', { query: 'in:sent', max_results: 20 });
      assert.ok(mail.messages.some((message) => message.subject === mark));

      await run('GOOGLECALENDAR_CREATE_EVENT', { summary: mark, start_datetime: '2026-12-01T09:00:00', timezone: 'UTC' });
      const events = await run('GOOGLECALENDAR_EVENTS_LIST', {});
      assert.ok(JSON.stringify(events).includes(mark));

      const { channels } = await run('SLACK_LIST_ALL_CHANNELS');
      await run('SLACK_SEND_MESSAGE', { channel: channels.find((c) => c.name === 'general').id, text: mark });

      const { teams } = await run('LINEAR_LIST_LINEAR_TEAMS');
      const ticket = await run('LINEAR_CREATE_LINEAR_ISSUE', { team_id: teams[0].id, title: mark });
      assert.equal(ticket.issue_title, mark);
    });
  }

  test('neither sees the other', async () => {
    assert.equal((await people.alice.run('GITHUB_GET_THE_AUTHENTICATED_USER')).login, 'alice');
    assert.equal((await people.bob.run('GITHUB_GET_THE_AUTHENTICATED_USER')).login, 'bob');
    const mine = JSON.stringify(await people.alice.run('GMAIL_FETCH_EMAILS', { max_results: 50 }));
    assert.ok(!mine.includes('bob@example.com'), mine.slice(0, 400));
    const private_ = await people.alice.client.callTool({
      name: 'GITHUB_LIST_REPOSITORY_ISSUES',
      arguments: { owner: 'bob', repo: 'bobs-private' },
    });
    assert.equal(private_.isError, true);
    assert.match(JSON.stringify(private_.content), /40[34]/);
  });
});
