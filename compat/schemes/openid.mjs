// The life of an account at the npm package "oidc-provider", with a client that was made beforehand.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { account, expires, managed, signedIn, works } from './account.mjs';
import { ask, newUser } from './harness.mjs';

/** Asks the bed's server what happened there, or has it do something. */
export const bed = async (order) =>
  (await fetch(`${process.env.BED_OIDC}/__bed`, { method: order ? 'POST' : 'GET', body: order && JSON.stringify(order) })).json();
export const ended = () => new Promise((done) => setTimeout(done, 2100)); // its tokens live for two seconds

describe('an OpenID server with PKCE, rotation and reuse detection', () => {
  const me = { tool: 'OIDC_GET_ME', args: {}, sees: 'alice@example.com' };
  let config, id;

  const signIn = async (person) => (await signedIn(config, newUser('oidc'), { login: person, password: 'anything' })).id;

  before(async () => (config = await managed('oidc')));

  test('connects: it refuses every request without PKCE', async () => {
    id = await signIn('alice');
    await works(me, (await account(id)).user_id, id);
  });

  test('each renewal takes the new refresh token: the old one would end the grant', async () => {
    const before = await bed();
    for (let round = 0; round < 3; round++) {
      await ended();
      await works(me, (await account(id)).user_id, id);
    }
    const after = await bed();
    assert.ok(after.renewals >= before.renewals + 3, `${after.renewals - before.renewals} renewals`);
    assert.equal(after.revokedGrants, before.revokedGrants, 'a refresh token was used twice');
  });

  test('calls at once renew once', async () => {
    await ended();
    const before = await bed();
    const owner = (await account(id)).user_id;
    await Promise.all(Array.from({ length: 20 }, () => works(me, owner, id)));
    const { renewals, revokedGrants } = await bed();
    assert.equal(revokedGrants, before.revokedGrants);
    assert.ok(renewals - before.renewals <= 2, `${renewals - before.renewals} renewals for calls at once`); // a token of two seconds may end in between
  });

  test('a thief who uses an old refresh token ends the grant, and the account says so', async () => {
    const { status, said } = await bed({ reuse: true });
    assert.equal(status, 400, JSON.stringify(said));
    await ended();
    await expires(me, (await account(id)).user_id, id);
  });

  test('revoking ends the grant there', async () => {
    const fresh = await signIn('bob');
    const { body } = await ask('POST', `/connected_accounts/${fresh}/revoke`);
    assert.equal(body.outcome, 'ended_at_provider', body.message);
    assert.deepEqual(body.revoked_tokens, ['refresh_token', 'access_token']);
  });
});
