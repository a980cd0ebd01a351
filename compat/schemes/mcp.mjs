// An MCP server that we did not write, behind an authorization server where clients register (DCR_OAUTH), as a toolkit beside two
// that are open to all (one over HTTP, one a program), GitHub and Gmail in one session: it lists its tools to accounts only, each
// user calls it with a token of their own, and it dies.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { consent } from '../bed/browser.mjs';
import { operator } from '../bed/person.mjs';
import { startEverything } from '../mcp/everything.mjs';
import { account, signedIn } from './account.mjs';
import { ask, newUser, note } from './harness.mjs';
import { bed, ended } from './openid.mjs';

describe('an MCP server behind OAuth', () => {
  const people = { alice: newUser('guarded'), bob: newUser('guarded') };
  const accounts = {};
  const memory = fileURLToPath(new URL('../mcp/node_modules/@modelcontextprotocol/server-memory/dist/index.js', import.meta.url));
  let server, open, config, session;

  const gate = async (order) =>
    (await fetch(`${process.env.BED_RESOURCE}/__bed`, { method: order ? 'POST' : 'GET', body: order && JSON.stringify(order) })).json();
  const run = async (tool_slug, args = {}) => (await ask('POST', `/tool_router/session/${session}/execute`, { tool_slug, arguments: args })).body;
  const echo = (person, message) =>
    ask('POST', '/tools/execute/CUSTOM_GUARDED_ECHO', { user_id: people[person], connected_account_id: accounts[person].id, arguments: { message } });

  const others = async () => {
    for (const [tool, args] of Object.entries({ EVERYTHING_ECHO: { message: 'hello' }, MEMORY_READ_GRAPH: {}, GITHUB_GET_THE_AUTHENTICATED_USER: {}, GMAIL_FETCH_EMAILS: {} })) {
      assert.equal((await run(tool, args)).error, null, tool);
    }
  };

  before(async () => {
    server = await startEverything();
    await gate({ mcp: server.url });
    open = await startEverything();
    operator('toolkit', 'add', '--slug', 'everything', '--mcp', open.url, '--allow', '127.0.0.1');
    operator('toolkit', 'add', '--slug', 'memory', '--mcp-command', `${process.execPath} '${memory}'`, '--env', `MEMORY_FILE_PATH=${process.env.BED_DATA}/memory.jsonl`);
  });
  after(() => [server, open].forEach(({ child }) => child.kill('SIGKILL')));

  test('is registered by its address alone, and says where people sign in', async () => {
    const toolkit_config = { name: 'Guarded', app_url: `${process.env.BED_RESOURCE}/mcp`, auth_schemes: [{ mode: 'DCR_OAUTH' }] };
    const made = await ask('POST', '/custom/toolkits/upsert', { slug: 'guarded', toolkit_config });
    assert.equal(made.body.slug, 'custom_guarded', JSON.stringify(made.body));
    const auth_config = { type: 'use_custom_auth', authScheme: 'DCR_OAUTH', credentials: {} };
    const configured = await ask('POST', '/auth_configs', { toolkit: { slug: 'custom_guarded' }, auth_config });
    assert.equal(configured.status, 201, JSON.stringify(configured.body));
    config = configured.body.auth_config.id;
    for (const person of Object.keys(people)) {
      accounts[person] = await signedIn(config, people[person], { login: person, password: 'anything' });
    }
  });

  test('lists its tools to an account, and to nobody else', async () => {
    const nobody = await ask('POST', '/custom/toolkits/sync', { slug: 'guarded' });
    assert.equal(nobody.status, 400, JSON.stringify(nobody.body));
    const synced = await ask('POST', '/custom/toolkits/sync', { slug: 'guarded', connected_account_id: accounts.alice.id });
    assert.ok(synced.body.synced_count >= 8, JSON.stringify(synced.body));
  });

  test('is called by each person with a token of their own, beside four other toolkits', async () => {
    const made = await ask('POST', '/tool_router/session', {
      user_id: people.alice,
      toolkits: { enable: ['custom_guarded', 'everything', 'memory', 'github', 'gmail'] },
      auth_configs: { custom_guarded: config },
    });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    session = made.body.session_id;
    for (const toolkit of ['github', 'gmail']) {
      const { body } = await ask('POST', `/tool_router/session/${session}/link`, { toolkit });
      note(body.redirect_url.split('/').at(-1));
      await consent(body.redirect_url, 'alice');
    }
    const said = await run('CUSTOM_GUARDED_ECHO', { message: 'in a session' });
    assert.equal(said.data?.text, 'Echo: in a session', JSON.stringify(said));
    assert.equal((await gate()).callers.at(-1), 'alice');
    await others();
    const { body } = await echo('bob', 'outside');
    assert.equal(body.data?.text, 'Echo: outside', JSON.stringify(body));
    assert.equal((await gate()).callers.at(-1), 'bob');
    const other = await ask('POST', '/tools/execute/CUSTOM_GUARDED_ECHO', {
      user_id: people.bob,
      connected_account_id: accounts.alice.id,
      arguments: { message: 'not mine' },
    });
    assert.ok(!other.body.successful, 'another person called with an account that is not theirs');
  });

  test('goes on when tokens end, and for those whose grant was not revoked', async () => {
    const before = await bed();
    await ended();
    const said = await run('CUSTOM_GUARDED_GET_SUM', { a: 2, b: 3 });
    assert.match(said.data?.text ?? '', /5/, JSON.stringify(said));
    assert.ok((await bed()).renewals > before.renewals, 'nothing was renewed');
    const { body } = await ask('POST', `/connected_accounts/${accounts.bob.id}/revoke`);
    assert.equal(body.outcome, 'ended_at_provider', body.message);
    assert.equal((await account(accounts.bob.id)).status, 'REVOKED');
    assert.ok(!(await echo('bob', 'revoked')).body.successful);
    assert.equal((await run('CUSTOM_GUARDED_ECHO', { message: 'still here' })).data?.text, 'Echo: still here');
  });

  test('costs nobody else anything when it dies', async () => {
    server.child.kill('SIGKILL');
    const dead = await run('CUSTOM_GUARDED_ECHO', { message: 'hello' });
    assert.match(dead.error ?? '', /Guarded (could not be reached|closed the connection)/, JSON.stringify(dead));
    await others();
    assert.equal((await account(accounts.alice.id)).status, 'ACTIVE');
  });
});
