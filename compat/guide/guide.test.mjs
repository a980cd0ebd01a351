// Runs the migration guide's "After" programs, each in a process of its own, and speaks MCP to the URLs they print.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const compat = dirname(here);
const base = process.env.PATCHBAY_URL;
const key = process.env.PATCHBAY_API_KEY;
const GMAIL = ['GMAIL_FETCH_EMAILS', 'GMAIL_SEND_EMAIL'];
const META = ['COMPOSIO_GET_TOOL_SCHEMAS', 'COMPOSIO_MANAGE_CONNECTIONS', 'COMPOSIO_MULTI_EXECUTE_TOOL', 'COMPOSIO_SEARCH_TOOLS'];

async function authConfig() {
  const reply = await fetch(`${base}/api/v3.1/auth_configs`, {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'application/json' },
    body: JSON.stringify({ toolkit: { slug: 'gmail' } }),
  });
  return (await reply.json()).auth_config.id;
}

async function listTools(url) {
  const reply = await fetch(url, {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
  });
  const answer = await reply.json();
  return answer.result.tools.map((tool) => tool.name).sort();
}

const programs = {
  TypeScript: () => {
    // The program resolves the SDK from the directory it stands in, as a user's own does.
    const home = join(compat, 'typescript', 'core-0.19.0');
    cpSync(join(here, 'after.mjs'), join(home, 'node_modules', 'after.mjs'));
    return [process.execPath, join(home, 'node_modules', 'after.mjs')];
  },
  Python: () => [join(compat, 'python', '.venv', 'bin', 'python'), join(here, 'after.py')],
};

for (const [language, program] of Object.entries(programs)) {
  test(`${language}: one create gives a URL, and direct tools are exactly the two`, async () => {
    const [file, script] = program();
    const env = { ...process.env, COMPOSIO_BASE_URL: base, COMPOSIO_API_KEY: key, AUTH_CONFIG_ID: await authConfig() };
    const printed = JSON.parse(execFileSync(file, [script], { env, encoding: 'utf8' }).trim().split('\n').at(-1));
    assert.deepEqual([...printed.direct].sort(), GMAIL);
    assert.deepEqual([...printed.dynamic].sort(), META);
    assert.deepEqual(await listTools(printed.directUrl), GMAIL);
    assert.deepEqual(await listTools(printed.mcpUrl), META);
  });
}
