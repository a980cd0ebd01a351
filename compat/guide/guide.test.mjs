// Runs the migration guide's "Before" and "After" programs, each in a process of its own and one after the other for the same user,
// and speaks MCP to the URLs they print.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { consent } from '../bed/browser.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const compat = dirname(here);
const base = process.env.PATCHBAY_URL;
const key = process.env.PATCHBAY_API_KEY;
const GMAIL = ['GMAIL_FETCH_EMAILS', 'GMAIL_SEND_EMAIL'];
const META = ['COMPOSIO_GET_TOOL_SCHEMAS', 'COMPOSIO_MANAGE_CONNECTIONS', 'COMPOSIO_MULTI_EXECUTE_TOOL', 'COMPOSIO_SEARCH_TOOLS'];

async function api(method, path, body) {
  const reply = await fetch(`${base}/api/v3.1${path}`, {
    method,
    headers: { 'x-api-key': key, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const answer = await reply.json();
  assert.ok(reply.ok, `${method} ${path}: ${JSON.stringify(answer)}`);
  return answer;
}

async function mcp(url, method, params = {}) {
  const reply = await fetch(url, {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const answer = await reply.json();
  assert.ok(answer.result, JSON.stringify(answer));
  return answer.result;
}

const listTools = async (url) => (await mcp(url, 'tools/list')).tools.map((tool) => tool.name).sort();

const readInbox = async (url) => {
  const answer = await mcp(url, 'tools/call', { name: 'GMAIL_FETCH_EMAILS', arguments: { max_results: 3 } });
  assert.ok(!answer.isError, JSON.stringify(answer.content));
  return answer.structuredContent.data.messages.map((message) => message.messageId);
};

const languages = {
  TypeScript: (name) => {
    // The program resolves the SDK from the directory it stands in, as a user's own does.
    const script = join(compat, 'typescript', 'core-0.19.0', 'node_modules', `${name}.mjs`);
    cpSync(join(here, `${name}.mjs`), script);
    return [process.execPath, script];
  },
  Python: (name) => [join(compat, 'python', '.venv', 'bin', 'python'), join(here, `${name}.py`)],
};

for (const [language, program] of Object.entries(languages)) {
  test(`${language}: before, one consent, after: the old URL and the new one answer the same call`, async () => {
    const user = `guide-${randomBytes(4).toString('hex')}`;
    const config = (await api('POST', '/auth_configs', { toolkit: { slug: 'gmail' } })).auth_config.id;
    const run = (name) => {
      const [file, script] = program(name);
      const env = { ...process.env, COMPOSIO_BASE_URL: base, COMPOSIO_API_KEY: key, AUTH_CONFIG_ID: config, GUIDE_USER: user };
      return JSON.parse(execFileSync(file, [script], { env, encoding: 'utf8' }).trim().split('\n').at(-1));
    };

    const before = run('before');
    assert.deepEqual(await listTools(before.mcpUrl), GMAIL);
    const unconnected = await mcp(before.mcpUrl, 'tools/call', { name: 'GMAIL_FETCH_EMAILS', arguments: {} });
    assert.ok(unconnected.isError, 'nobody is connected yet');
    const link = JSON.stringify(unconnected.content).match(/http[^\s"\\]+\/link\/[^\s"\\]+/)?.[0];
    assert.ok(link, `the answer carries a link: ${JSON.stringify(unconnected.content)}`);
    await consent(link, 'alice');
    const inbox = await readInbox(before.mcpUrl);
    assert.ok(inbox.length > 0);

    const after = run('after');
    assert.deepEqual([...after.direct].sort(), GMAIL);
    assert.deepEqual([...after.dynamic].sort(), META);
    assert.deepEqual(await listTools(after.directUrl), GMAIL);
    assert.deepEqual(await listTools(after.mcpUrl), META);
    assert.deepEqual(await readInbox(after.directUrl), inbox, 'the new URL reads the same inbox, with no second consent');
    assert.deepEqual(await readInbox(before.mcpUrl), inbox, 'and the old URL still does');
    assert.equal((await api('GET', `/connected_accounts?user_ids=${user}`)).items.length, 1);

    const server = await api('GET', `/mcp/${before.id}`);
    // The guide's Python program says auth_config where that SDK reads auth_config_id, so the server never hears of it.
    assert.deepEqual([server.toolkits, server.auth_config_ids, server.server_instance_count], [['gmail'], language === 'Python' ? [] : [config], 1]);
    assert.deepEqual(await listTools(before.mcpUrl.replace('?', '/mcp?')), GMAIL, 'the longer form of the URL');
    const helped = await listTools(`${before.mcpUrl}&include_composio_helper_actions=true`);
    assert.deepEqual(helped, ['COMPOSIO_MANAGE_CONNECTIONS', ...GMAIL]);
    const [account] = (await api('GET', `/connected_accounts?user_ids=${user}`)).items;
    assert.deepEqual(await readInbox(`${base}/v3/mcp/${before.id}?connected_account_id=${account.id}`), inbox);
  });
}
