// The life of an account at a resource that says who lets people in, and where a client registers itself (DCR_OAUTH).
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Browser } from '../bed/browser.mjs';
import { account, expires, link, signedIn, works } from './account.mjs';
import { ask, gates, newUser } from './harness.mjs';
import { bed, ended } from './openid.mjs';

describe('a protected resource whose authorization server lets clients register', () => {
  const me = { tool: 'PROTECTED_GET_ME', args: {}, sees: 'alice@example.com' };
  const resource = `${process.env.BED_RESOURCE}/api`;
  let config, alice;

  const signIn = (person) => signedIn(config, newUser('protected'), { login: person, password: 'anything' });

  async function configured(server, scopes = []) {
    const auth_config = { type: 'use_custom_auth', authScheme: 'DCR_OAUTH', credentials: { server, scopes } };
    const made = await ask('POST', '/auth_configs', { toolkit: { slug: 'protected' }, auth_config });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    return made.body.auth_config.id;
  }

  before(async () => (config = await configured(resource)));

  test('connects with nothing but the address of the resource, and its tokens are for that resource', async () => {
    const before = (await bed()).registered.length;
    alice = await signIn('alice');
    await works(me, alice.user_id, alice.id);
    const { registered } = await bed();
    assert.equal(registered.length, before + 1);
    const { grant_types, redirect_uris, token_endpoint_auth_method } = registered.at(-1);
    assert.deepEqual(grant_types, ['authorization_code', 'refresh_token']);
    assert.deepEqual(redirect_uris, [`${process.env.PATCHBAY_URL}/api/v3.1/toolkits/auth/callback`]);
    assert.equal(token_endpoint_auth_method, 'none');
  });

  test('each renewal takes the new refresh token, and gets tokens for the resource again', async () => {
    const before = await bed();
    for (let round = 0; round < 2; round++) {
      await ended();
      await works(me, alice.user_id, alice.id);
    }
    const after = await bed();
    assert.ok(after.renewals >= before.renewals + 2, `${after.renewals - before.renewals} renewals`);
    assert.equal(after.revokedGrants, before.revokedGrants, 'a refresh token was used twice');
  });

  test('a thief who uses an old refresh token ends the grant, and the account says so', async () => {
    const { status, said } = await bed({ reuse: true });
    assert.equal(said.error, 'invalid_grant', `${status} ${JSON.stringify(said)}`);
    await expires(me, alice.user_id, alice.id);
  });

  test('revoking ends the grant there', async () => {
    const bob = await signIn('bob');
    await works({ ...me, sees: 'bob@example.com' }, bob.user_id, bob.id);
    const before = await bed();
    const { body } = await ask('POST', `/connected_accounts/${bob.id}/revoke`);
    assert.equal(body.outcome, 'ended_at_provider', body.message);
    assert.deepEqual(body.revoked_tokens, ['refresh_token', 'access_token']);
    assert.equal((await bed()).revokedGrants, before.revokedGrants + 1);
    assert.equal((await account(bob.id)).status, 'REVOKED');
  });

  test('a token that is not for the resource does not open it, and that is noticed at once', async () => {
    const other = await configured(process.env.BED_OIDC, ['openid', 'email']);
    const carol = signedIn(other, newUser('protected'), { login: 'carol', password: 'anything' });
    await assert.rejects(carol, /gave a token and then did not accept it/);
  });

  test('a server that does not say how to sign in is refused before the person leaves', async () => {
    const { url } = await link(await configured(gates.github), newUser('protected'));
    const browser = new Browser();
    const first = await browser.get(url);
    const page = await browser.submit(first, first.forms[0]);
    assert.equal(page.status, 422);
    assert.match(page.html, /does not say how to sign in/);
  });
});
