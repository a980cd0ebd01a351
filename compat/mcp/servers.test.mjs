// An MCP server that we did not write, as a toolkit beside others: it is registered, synced and called, and dies.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { consent } from '../bed/browser.mjs';

const program = fileURLToPath(new URL('node_modules/@modelcontextprotocol/server-everything/dist/index.js', import.meta.url));

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

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function startEverything() {
  const port = await freePort();
  const child = spawn(process.execPath, [program, 'streamableHttp'], { env: { ...process.env, PORT: String(port) }, stdio: ['ignore', 'ignore', 'pipe'] });
  await new Promise((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`server-everything ended with ${code}`)));
    child.stderr.on('data', (text) => String(text).includes('listening') && resolve());
  });
  return { child, url: `http://127.0.0.1:${port}/mcp` };
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
