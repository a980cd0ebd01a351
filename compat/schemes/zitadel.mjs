// The life of an account at an OpenID server of other authors and in another language (the example of zitadel/oidc). A refresh token
// that was used is unknown there from then on.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { ZITADEL_CLIENT, ZITADEL_PASSWORD } from '../bed/settings.mjs';
import { account, expires, gate, managed, signedIn, works } from './account.mjs';
import { ask, newUser } from './harness.mjs';

describe('an OpenID server made with the library of Zitadel', () => {
  const me = { tool: 'ZITADEL_GET_ME', args: {}, sees: 'alice@example.com' };
  let config, alice;

  const signIn = (person) => signedIn(config, newUser('zitadel'), { username: person, password: ZITADEL_PASSWORD });

  /** Asks the server itself, as the client and behind the gate's back. */
  async function asClient(path, form) {
    const basic = Buffer.from(`${ZITADEL_CLIENT.id}:${ZITADEL_CLIENT.secret}`).toString('base64');
    const reply = await fetch(process.env.BED_ZITADEL + path, { method: 'POST', headers: { authorization: `Basic ${basic}` }, body: new URLSearchParams(form) });
    const text = await reply.text();
    return { status: reply.status, said: text ? JSON.parse(text) : {} };
  }

  async function isWorthNothing(refresh_token) {
    const { said } = await asClient('/oauth/token', { grant_type: 'refresh_token', refresh_token });
    assert.equal(said.error, 'invalid_grant', JSON.stringify(said));
  }

  before(async () => (config = await managed('zitadel')));

  test('connects, knows whose account it is, and calls', async () => {
    alice = await signIn('alice');
    await works(me, alice.user_id, alice.id);
  });

  test('each renewal takes the new refresh token, and the old one is worth nothing', async () => {
    for (let round = 0; round < 3; round++) {
      const { refresh, renewable } = await gate('zitadel');
      await gate('zitadel', { expire: '*' });
      await ask('POST', `/connected_accounts/${alice.id}/refresh`, {});
      await works(me, alice.user_id, alice.id);
      const after = await gate('zitadel');
      assert.equal(after.refresh, refresh + 1);
      assert.equal(after.renewable.length, renewable.length + 1, 'no new refresh token');
      await isWorthNothing(renewable.at(-1));
    }
  });

  test('calls at once that find the token ended renew it once', async () => {
    const { user_id, id } = await signIn('alice');
    const { refresh } = await gate('zitadel');
    await gate('zitadel', { expire: '*' });
    await Promise.all(Array.from({ length: 20 }, () => works(me, user_id, id)));
    assert.equal((await gate('zitadel')).refresh, refresh + 1);
  });

  test('a grant that was ended there makes it EXPIRED, with the reason', async () => {
    const { user_id, id } = await signIn('alice');
    const { refresh, renewable } = await gate('zitadel');
    assert.equal((await asClient('/revoke', { token: renewable.at(-1) })).status, 200);
    await expires(me, user_id, id);
    assert.equal((await gate('zitadel')).refresh, refresh + 1, 'it was not tried');
  });

  test('revoking ends the grant there', async () => {
    const bob = await signIn('bob');
    const { renewable } = await gate('zitadel');
    const { body } = await ask('POST', `/connected_accounts/${bob.id}/revoke`);
    assert.equal(body.outcome, 'ended_at_provider', body.message);
    assert.deepEqual(body.revoked_tokens, ['refresh_token', 'access_token']);
    await isWorthNothing(renewable.at(-1));
    assert.equal((await account(bob.id)).status, 'REVOKED');
  });
});
