// An MCP server that we did not write, as a toolkit beside others: it is registered, synced and called, and dies.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { consent } from '../bed/browser.mjs';
import { startEverything } from './everything.mjs';

async function post(path, body) {
  const res = await fetch(`${process.env.PATCHBAY_URL}/api/v3.1${path}`, {
    method: 'POST',
    headers: { 'x-api-key': process.env.PATCHBAY_API_KEY, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: res.status, body: await res.json() };
}

async function ok(path, body) {
  const res = await post(path, body);
  assert.ok(res.status < 300, `${path}: ${res.status} ${JSON.stringify(res.body)}`);
  return res.body;
}

test('server-everything is a toolkit beside GitHub and Gmail', async (t) => {
  const { child, url } = await startEverything();
  t.after(() => child.kill());
  const made = await ok('/custom/toolkits/upsert', { slug: 'everything', toolkit_config: { name: 'Everything', app_url: url, auth_schemes: [{ mode: 'NO_AUTH' }] } });
  assert.equal(made.slug, 'custom_everything');
  const synced = await ok('/custom/toolkits/sync', { slug: 'everything' });
  assert.ok(synced.synced_count >= 8, JSON.stringify(synced));
  assert.deepEqual(synced.left_out, []);

  const session = await ok('/tool_router/session', { user_id: `alice-${Date.now()}`, toolkits: { enable: ['custom_everything', 'github', 'gmail'] } });
  const run = (tool_slug, args) => post(`/tool_router/session/${session.session_id}/execute`, { tool_slug, arguments: args });
  const echoed = await run('CUSTOM_EVERYTHING_ECHO', { message: 'hello' });
  assert.equal(echoed.body.data.text, 'Echo: hello', JSON.stringify(echoed));
  const sum = await run('CUSTOM_EVERYTHING_GET_SUM', { a: 2, b: 3 });
  assert.match(sum.body.data.text, /5/);

  for (const toolkit of ['github', 'gmail']) {
    await consent((await ok(`/tool_router/session/${session.session_id}/link`, { toolkit })).redirect_url, 'alice');
  }
  child.removeAllListeners('exit');
  const ended = new Promise((resolve) => child.on('exit', resolve));
  child.kill('SIGKILL');
  await ended;
  const dead = await run('CUSTOM_EVERYTHING_ECHO', { message: 'hello' });
  assert.match(dead.body.error ?? '', /could not be reached/);
  for (const [tool, args] of [['GITHUB_GET_THE_AUTHENTICATED_USER', {}], ['GMAIL_FETCH_EMAILS', {}]]) {
    const alive = await run(tool, args);
    assert.equal(alive.body.error, null, JSON.stringify(alive));
  }
});

const memory = fileURLToPath(new URL('node_modules/@modelcontextprotocol/server-memory/dist/index.js', import.meta.url));

// The operator's commands, on the machine of the server that runs.
function patchbay(...args) {
  return execFileSync(process.env.BED_BINARY, [...args, '--config', `${process.env.BED_DATA}/patchbay.yaml`], { encoding: 'utf8' });
}

// The processes of the memory server, by a word on their command line.
function processes(word) {
  const rows = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return rows.filter((row) => row.includes(memory) && row.includes(word)).map((row) => Number(row.trim().split(' ')[0]));
}

async function until(what, done) {
  for (let i = 0; i < 300; i++) {
    if (await done()) return;
    await pause(50);
  }
  assert.fail(`not ${what}`);
}

test('the memory server runs beside Everything, GitHub and Gmail, and comes back when it dies or hangs', async (t) => {
  const { child, url } = await startEverything();
  t.after(() => child.kill());
  const word = `run-${Date.now()}`;
  t.after(() => patchbay('toolkit', 'remove', 'memory'));
  const added = patchbay('toolkit', 'add', '--slug', 'memory', '--mcp-command', `${process.execPath} '${memory}' ${word}`, '--env', `MEMORY_FILE_PATH=${process.env.BED_DATA}/${word}.jsonl`);
  assert.match(added, /9 of 9 operations became tools/);
  patchbay('toolkit', 'add', '--slug', 'everything', '--mcp', url, '--allow', '127.0.0.1');
  t.after(() => patchbay('toolkit', 'remove', 'everything'));
  assert.deepEqual(processes(word), [], 'what was asked for its tools runs on');

  const session = await ok('/tool_router/session', { user_id: `alice-${Date.now()}`, toolkits: { enable: ['memory', 'everything', 'github', 'gmail'] } });
  for (const toolkit of ['github', 'gmail']) {
    await consent((await ok(`/tool_router/session/${session.session_id}/link`, { toolkit })).redirect_url, 'alice');
  }
  const run = (tool_slug, args = {}) => post(`/tool_router/session/${session.session_id}/execute`, { tool_slug, arguments: args });
  const remembered = async () => {
    const { body } = await run('MEMORY_READ_GRAPH');
    assert.equal(body.error, null, JSON.stringify(body));
    return body.data.entities.map((e) => e.name);
  };
  const others = async () => {
    for (const [tool, args] of [['EVERYTHING_ECHO', { message: 'hello' }], ['GITHUB_GET_THE_AUTHENTICATED_USER', {}], ['GMAIL_FETCH_EMAILS', {}]]) {
      const { body } = await run(tool, args);
      assert.equal(body.error, null, JSON.stringify(body));
    }
  };
  const made = await run('MEMORY_CREATE_ENTITIES', { entities: [{ name: 'Ann', entityType: 'person', observations: ['likes tea'] }] });
  assert.equal(made.body.error, null, JSON.stringify(made.body));
  assert.deepEqual(await remembered(), ['Ann']);

  const client = new Client({ name: 'compat', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(session.mcp.url), { requestInit: { headers: session.mcp.headers } }));
  t.after(() => client.close());
  const both = await client.callTool({
    name: 'COMPOSIO_MULTI_EXECUTE_TOOL',
    arguments: { tools: [{ tool_slug: 'MEMORY_SEARCH_NODES', arguments: { query: 'tea' } }, { tool_slug: 'EVERYTHING_ECHO', arguments: { message: 'over MCP' } }] },
  });
  assert.ok(!both.isError, JSON.stringify(both));
  assert.match(JSON.stringify(both), /Ann/);
  assert.match(JSON.stringify(both), /Echo: over MCP/);

  const [first] = processes(word);
  assert.equal(processes(word).length, 1);
  process.kill(first, 'SIGKILL');
  await others();
  await until('ended', () => !processes(word).includes(first));
  assert.deepEqual(await remembered(), ['Ann'], 'it did not come back');

  const [second] = processes(word);
  assert.notEqual(second, first);
  process.kill(second, 'SIGSTOP');
  const hanging = fetch(`${process.env.PATCHBAY_URL}/api/v3.1/tool_router/session/${session.session_id}/execute`, {
    method: 'POST',
    headers: { 'x-api-key': process.env.PATCHBAY_API_KEY, 'content-type': 'application/json' },
    body: JSON.stringify({ tool_slug: 'MEMORY_READ_GRAPH', arguments: {} }),
    signal: AbortSignal.timeout(1000),
  });
  await others();
  await assert.rejects(hanging, /TimeoutError|aborted/);
  await until('ended', () => !processes(word).includes(second));
  assert.deepEqual(await remembered(), ['Ann'], 'it did not come back');
});
