// MCP clients that hold no key: they are sent to sign a person in, and then use the person's tools.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { letIn, listenForAnswer, operator, personalKey } from '../bed/person.mjs';

const base = process.env.PATCHBAY_URL;
const user = `login-${randomBytes(4).toString('hex')}`;
const META = ['COMPOSIO_GET_TOOL_SCHEMAS', 'COMPOSIO_MANAGE_CONNECTIONS', 'COMPOSIO_MULTI_EXECUTE_TOOL', 'COMPOSIO_SEARCH_TOOLS'];
let key;
before(() => {
  key = personalKey(user);
});

/** The SDK's OAuth provider of a program that keeps everything in memory. */
class Login {
  constructor(redirect, method = 'none') {
    this.redirectUrl = redirect;
    this.clientMetadata = {
      client_name: 'Compat',
      redirect_uris: [redirect],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: method,
    };
  }
  clientInformation() {
    return this.client;
  }
  saveClientInformation(client) {
    this.client = client;
  }
  tokens() {
    return this.kept;
  }
  saveTokens(tokens) {
    this.kept = tokens;
  }
  invalidateCredentials(what) {
    if (what === 'tokens' || what === 'all') this.kept = undefined;
  }
  state() {
    return (this.sent ??= randomBytes(8).toString('hex'));
  }
  redirectToAuthorization(url) {
    this.asked = url;
  }
  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }
  codeVerifier() {
    return this.verifier;
  }
}

/** Connects, signs the person in on the way, and connects again with what came of it. */
async function connectAs(make, url, login, answers) {
  const first = make(url, login);
  await assert.rejects(first.client.connect(first.transport), (error) => error.constructor.name === UnauthorizedError.name);
  assert.equal(login.asked.searchParams.get('resource'), url);
  const page = await letIn(login.asked, key);
  assert.equal(page.status, 200);
  assert.match(page.asked.html, /Nobody has checked that name/);
  const answer = answers.at(-1);
  assert.equal(answer.get('iss'), base);
  assert.equal(answer.get('state'), login.sent);
  await first.transport.finishAuth(answer.get('code'), answer.get('iss') ?? undefined);
  const again = make(url, login);
  await again.client.connect(again.transport);
  return again.client;
}

const v1 = (url, login) => ({
  client: new Client({ name: 'compat', version: '1' }),
  transport: new StreamableHTTPClientTransport(new URL(url), { authProvider: login }),
});
const v2 = (url, login) => ({
  client: new ClientV2({ name: 'compat', version: '1' }, { versionNegotiation: { mode: 'auto' } }),
  transport: new TransportV2(new URL(url), { authProvider: login }),
});

async function usesTools(client) {
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((t) => t.name).filter((n) => META.includes(n)).sort(), META);
  const found = await client.callTool({ name: 'COMPOSIO_SEARCH_TOOLS', arguments: { queries: [{ use_case: 'create an issue on github' }] } });
  assert.ok(!found.isError, JSON.stringify(found));
  assert.match(JSON.stringify(found), /GITHUB_CREATE_AN_ISSUE/);
}

describe('the personal endpoint', () => {
  let listener;
  before(async () => {
    listener = await listenForAnswer();
  });
  after(() => listener.close());

  for (const [name, make, method] of [
    ['TypeScript SDK v1, public client', v1, 'none'],
    ['TypeScript SDK v1, confidential client by Basic', v1, 'client_secret_basic'],
    ['TypeScript SDK v1, confidential client by form', v1, 'client_secret_post'],
    ['TypeScript SDK v2 (2026 era)', v2, 'none'],
  ]) {
    test(name, async () => {
      const login = new Login(listener.redirect, method);
      const client = await connectAs(make, `${base}/mcp`, login, listener.answers);
      await usesTools(client);
      await client.close();

      // An hour later the access token has ended, and the client renews it by itself.
      const was = login.kept;
      login.kept = { ...was, access_token: 'oat_ended' };
      const later = make(`${base}/mcp`, login);
      await later.client.connect(later.transport);
      await usesTools(later.client);
      await later.client.close();
      assert.notEqual(login.kept.refresh_token, was.refresh_token);
    });
  }

  test('ends when the operator ends it', async () => {
    const login = new Login(listener.redirect);
    const client = await connectAs(v1, `${base}/mcp`, login, listener.answers);
    const [grant] = operator('grant', 'list', '--user', user);
    assert.equal(grant.client_name, 'Compat');
    assert.equal(grant.resource, `${base}/mcp`);
    operator('grant', 'revoke', grant.id);
    login.asked = undefined;
    await assert.rejects(client.listTools());
    assert.ok(login.asked, 'the client asks the person again');
  });

  test('does not open for a person who says no', async () => {
    const login = new Login(listener.redirect);
    const { client, transport } = v1(`${base}/mcp`, login);
    await assert.rejects(client.connect(transport), UnauthorizedError);
    await letIn(login.asked, key, 'deny');
    assert.equal(listener.answers.at(-1).get('error'), 'access_denied');
    assert.equal(listener.answers.at(-1).get('code'), null);
  });
});

test('a session of the person opens by login, and nothing else does with its token', async (t) => {
  const listener = await listenForAnswer();
  t.after(() => listener.close());
  const made = await fetch(`${base}/api/v3.1/tool_router/session`, {
    method: 'POST',
    headers: { 'x-api-key': process.env.PATCHBAY_API_KEY, 'content-type': 'application/json' },
    body: JSON.stringify({ user_id: user }),
  });
  const session = await made.json();
  const login = new Login(listener.redirect);
  const client = await connectAs(v1, session.mcp.url, login, listener.answers);
  await usesTools(client);
  await client.close();
  const elsewhere = await fetch(`${base}/mcp`, { method: 'POST', headers: { authorization: `Bearer ${login.kept.access_token}` } });
  assert.equal(elsewhere.status, 401);
  assert.match(elsewhere.headers.get('www-authenticate'), /error="invalid_token".*resource_metadata="[^"]*\/mcp"/);
});

test('mcp-remote', async () => {
  const home = mkdtempSync(join(tmpdir(), 'mcp-remote-'));
  const proxy = join(dirname(createRequire(import.meta.url).resolve('mcp-remote/package.json')), 'dist', 'proxy.js');
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [proxy, `${base}/mcp`, '--allow-http', '--host', '127.0.0.1', '--transport', 'http-only'],
    // With no program in reach no browser opens, whatever this machine has: it prints the address instead.
    env: { HOME: home, MCP_REMOTE_CONFIG_DIR: home, PATH: home },
    stderr: 'pipe',
  });
  let said = '';
  const asked = new Promise((resolve) => {
    transport.stderr.on('data', (chunk) => {
      said += chunk;
      const url = said.match(/authorize this client by visiting:\s*(http\S+)/)?.[1];
      if (url) resolve(url);
    });
  });
  const client = new Client({ name: 'compat', version: '1' });
  try {
    const connected = client.connect(transport, { timeout: 60_000 });
    connected.catch(() => {}); // looked at below
    const page = await letIn(await asked, key);
    assert.equal(page.status, 200, said);
    await connected;
    await usesTools(client);
  } catch (error) {
    error.message += `\nmcp-remote said:\n${said}`;
    throw error;
  } finally {
    await client.close();
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
});
