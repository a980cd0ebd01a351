// The life of an account at OAuth servers that we did not write: sign in through the Connect Link, a call, renewal when the
// token has ended, the end of the grant at the provider, revoking from here, deleting.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Browser } from '../bed/browser.mjs';
import { account, connected, execute, gate, link, managed, works } from './account.mjs';
import { answers, ask, gates, newUser, note, secretsOfRequest } from './harness.mjs';
import { findLeaks } from './secrets.mjs';
// Further servers, in this process, so that what they were answered is searched for secrets with the rest.
import './openid.mjs';
import './discovered.mjs';
import './mcp.mjs';
import './zitadel.mjs';

// toolkit -> the gate of its provider, a tool that needs the account, and whether its tokens are renewed
const PROVIDERS = {
  github: { gate: 'github', tool: 'GITHUB_GET_THE_AUTHENTICATED_USER', args: {}, renews: false, sees: 'alice' },
  gmail: { gate: 'google', tool: 'GMAIL_FETCH_EMAILS', args: { max_results: 1 }, renews: true, sees: '' },
  slack: { gate: 'slack', tool: 'SLACK_LIST_ALL_CHANNELS', args: {}, renews: false, sees: 'general' },
  linear: { gate: 'linear', tool: 'LINEAR_LIST_LINEAR_TEAMS', args: {}, renews: true, sees: 'ENG' },
  msgraph: { gate: 'microsoft', tool: 'MSGRAPH_GET_ME', args: {}, renews: true, sees: 'alice' },
  okta: { gate: 'okta', tool: 'OKTA_GET_ME', args: {}, renews: true, sees: 'alice' },
};

for (const [toolkit, provider] of Object.entries(PROVIDERS)) {
  describe(toolkit, () => {
    const user = newUser(toolkit);
    let config, id;
    before(async () => (config = await managed(toolkit)));

    test('connects through the link, knows whose account it is, and calls', async () => {
      id = await connected(config, user);
      await works(provider, user, id);
    });

    test('a code is worth nothing to anybody else: the callback works once, and in the browser it began in', async () => {
      const { id: other, url } = await link(config, newUser());
      const browser = new Browser();
      const first = await browser.get(url);
      const page = await browser.submit(first, first.forms[0]);
      const form = page.forms.find((f) => f.text.toLowerCase().includes('alice'));
      const state = Object.entries(form.fields).find(([name]) => name === 'state')[1];
      note(state);
      const stranger = await new Browser().get(`${process.env.PATCHBAY_URL}/api/v3.1/toolkits/auth/callback?code=stolen&state=${encodeURIComponent(state)}`);
      assert.ok(stranger.status >= 400, `another browser was answered ${stranger.status}`);
      assert.notEqual((await account(other)).status, 'ACTIVE');
    });

    if (provider.renews) {
      test('is renewed when its token has ended, again and again', async () => {
        for (let round = 0; round < 3; round++) {
          const before = await gate(provider.gate);
          await gate(provider.gate, { expire: '*' });
          const { body } = await ask('POST', `/connected_accounts/${id}/refresh`, {});
          assert.equal((await account(id)).status, 'ACTIVE', JSON.stringify(body));
          await works(provider, user, id);
          assert.equal((await gate(provider.gate)).refresh, before.refresh + 1);
        }
      });

      test('is renewed by the call itself that finds the token ended', async () => {
        const other = newUser();
        const fresh = await connected(config, other);
        await gate(provider.gate, { expire: '*' });
        await works(provider, other, fresh);
      });
    }

    test('a grant that was ended at the provider makes it EXPIRED, with the reason', async () => {
      await gate(provider.gate, { endGrants: true });
      const { body } = await execute(provider.tool, user, id, provider.args);
      assert.equal(body.successful ?? false, false, JSON.stringify(body));
      const now = await account(id);
      assert.equal(now.status, 'EXPIRED');
      assert.ok(now.status_reason.length > 10, now.status_reason);
    });

    test('revoking ends the grant at the provider', async () => {
      const fresh = await connected(config, newUser(), 'bob');
      const before = await gate(provider.gate);
      const { status, body } = await ask('POST', `/connected_accounts/${fresh}/revoke`);
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(body.outcome, 'ended_at_provider', body.message);
      assert.ok(body.revoked_tokens.length > 0);
      assert.ok((await gate(provider.gate)).alive < before.alive, 'no token ended at the provider');
      assert.equal((await account(fresh)).status, 'REVOKED');
    });

    test('deleting ends the grant too', async () => {
      const fresh = await connected(config, newUser(), 'bob');
      const before = await gate(provider.gate);
      assert.equal((await ask('DELETE', `/connected_accounts/${fresh}`)).status, 200);
      assert.ok((await gate(provider.gate)).alive < before.alive, 'no token ended at the provider');
      assert.equal((await ask('GET', `/connected_accounts/${fresh}`)).status, 404);
    });
  });
}

// Last: what all of this has left behind.
after(async () => {
  const backup = join(process.env.BED_DATA, 'backup.tar.gz');
  await promisify(execFile)(process.env.BED_BINARY, ['backup', backup, '--data', join(process.env.BED_DATA, 'data')]);
  const log = readFileSync(join(process.env.BED_DATA, 'patchbay.log'), 'utf8');
  assert.ok(log.length > 10_000 && answers.length > 100, 'there is too little to look at');
  const oidc = await (await fetch(`${process.env.BED_OIDC}/__bed`)).json();
  const issued = [...oidc.issued, ...(await Promise.all(Object.keys(gates).map(async (name) => (await gate(name)).issued))).flat()];
  assert.ok(issued.length > 60, `${issued.length} secrets are too few`);
  assert.deepEqual(findLeaks({ issued, once: secretsOfRequest, answers, directory: process.env.BED_DATA, backup }), []);
});
