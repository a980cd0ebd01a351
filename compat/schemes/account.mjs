// What the suites do with an account: connect it, look at it, call with it.
import assert from 'node:assert/strict';
import { Browser, consent } from '../bed/browser.mjs';
import { ask, gates, newUser, note } from './harness.mjs';

export const gate = async (name, order) =>
  (await fetch(`${gates[name]}/__gate`, { method: order ? 'POST' : 'GET', body: order && JSON.stringify(order) })).json();
export const account = async (id) => (await ask('GET', `/connected_accounts/${id}`)).body;

export async function managed(toolkit) {
  const made = await ask('POST', '/auth_configs', { toolkit: { slug: toolkit }, auth_config: { type: 'use_composio_managed_auth', name: toolkit } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body.auth_config.id;
}

export async function link(config, user) {
  const made = await ask('POST', '/connected_accounts/link', { auth_config_id: config, user_id: user });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  note(made.body.redirect_url.split('/').at(-1));
  return { id: made.body.connected_account_id, url: made.body.redirect_url };
}

export async function connected(config, user, person = 'alice') {
  const { id, url } = await link(config, user);
  const page = await consent(url, person);
  assert.ok(page.status < 400, `the callback answered ${page.status}: ${page.html.slice(0, 300)}`);
  assert.equal((await account(id)).status, 'ACTIVE');
  return id;
}

export const execute = (tool, user, id, args) => ask('POST', `/tools/execute/${tool}`, { user_id: user, connected_account_id: id, arguments: args });

export async function works({ tool, args, sees }, user, id) {
  const { body } = await execute(tool, user, id, args);
  assert.equal(body.successful, true, JSON.stringify(body));
  assert.ok(JSON.stringify(body.data).includes(sees), JSON.stringify(body.data).slice(0, 300));
}

/** Connects at a server with forms of its own: each is sent with the given values, until the browser is back here. Resolves to the account. */
export async function signedIn(config, user, values) {
  const { id, url } = await link(config, user);
  const browser = new Browser();
  const first = await browser.get(url);
  let page = await browser.submit(first, first.forms[0]);
  for (let step = 0; step < 3 && page.forms.length > 0 && !page.url.startsWith(process.env.PATCHBAY_URL); step++) {
    page = await browser.submit(page, page.forms[0], values);
  }
  assert.ok(page.status < 400, `the callback answered ${page.status}: ${page.html.slice(0, 300)}`);
  const now = await account(id);
  assert.equal(now.status, 'ACTIVE', now.status_reason);
  return now;
}

/** Asserts that a call fails and leaves the account expired, with a reason. */
export async function expires({ tool, args }, user, id) {
  const { body } = await execute(tool, user, id, args);
  assert.equal(body.successful ?? false, false, JSON.stringify(body));
  const now = await account(id);
  assert.equal(now.status, 'EXPIRED');
  assert.ok(now.status_reason.length > 10, now.status_reason);
}
