import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Browser, consent, fillIn } from '../../bed/browser.mjs';
import { connect, newUser, options, orderGate } from './harness.mjs';

export function accountSuite({ Composio }) {
  const composio = new Composio(options());
  const managed = (toolkit) => composio.authConfigs.create(toolkit, { type: 'use_composio_managed_auth', name: `for ${toolkit}` });

  describe('connected accounts', () => {
    test('link: consent, callback with the own query kept, whose account it is', async () => {
      const user = newUser();
      const config = await managed('github');
      const request = await composio.connectedAccounts.link(user, config.id, { callbackUrl: 'https://app.example/done?x=1' });
      const page = await consent(request.redirectUrl, 'bob');
      const back = new URL(page.url);
      assert.equal(back.origin + back.pathname, 'https://app.example/done');
      assert.equal(back.searchParams.get('x'), '1');
      assert.equal(back.searchParams.get('status'), 'success');
      assert.equal(back.searchParams.get('connected_account_id'), request.id);
      const account = await request.waitForConnection(5_000);
      assert.equal(account.status, 'ACTIVE');
      assert.ok(!/gho_/.test(JSON.stringify(account)), 'the token is never shown');
      const list = await composio.connectedAccounts.list({ userIds: [user], statuses: ['ACTIVE'] });
      assert.deepEqual(list.items.map((item) => item.id), [request.id]);
      const nobody = await composio.connectedAccounts.list({ userIds: [newUser()] });
      assert.deepEqual(nobody.items, []);
    });

    test('link: a second connection of the same user is refused by the SDK unless allowed', async () => {
      const user = newUser();
      const config = await managed('github');
      const first = await composio.connectedAccounts.link(user, config.id);
      await consent(first.redirectUrl, 'alice');
      await assert.rejects(() => composio.connectedAccounts.link(user, config.id), /[Mm]ultiple/);
      const second = await composio.connectedAccounts.link(user, config.id, { allowMultiple: true });
      assert.notEqual(second.id, first.id);
    });

    test('initiate with a key: active at once', async () => {
      const config = await composio.authConfigs.create('stripe', { type: 'use_custom_auth', name: 'k', authScheme: 'API_KEY', credentials: {} });
      const request = await composio.connectedAccounts.initiate(newUser(), config.id, {
        config: { authScheme: 'API_KEY', val: { status: 'ACTIVE', api_key: 'sk_test_secret123', generic_api_key: 'sk_test_secret123' } },
      });
      const account = await composio.connectedAccounts.get(request.id);
      assert.equal(account.status, 'ACTIVE');
      assert.ok(!JSON.stringify(account).includes('sk_test_secret123'));
    });

    test('link of a key toolkit: the page asks for the key', async () => {
      const config = await composio.authConfigs.create('stripe', { type: 'use_custom_auth', name: 'k', authScheme: 'API_KEY', credentials: {} });
      const request = await composio.connectedAccounts.link(newUser(), config.id);
      const link = await new Browser().get(request.redirectUrl);
      const fields = Object.keys(link.forms[0].fields).filter((name) => !['csrf'].includes(name));
      const page = await fillIn(request.redirectUrl, Object.fromEntries(fields.map((name) => [name, 'sk_test_typed456'])));
      assert.ok(page.status < 400, page.html);
      assert.equal((await composio.connectedAccounts.get(request.id)).status, 'ACTIVE');
    });

    test('a denied consent is FAILED quickly, with the reason', async () => {
      const config = await managed('github');
      const request = await composio.connectedAccounts.link(newUser(), config.id);
      await orderGate('github', { deny: true });
      const browser = new Browser();
      const link = await browser.get(request.redirectUrl);
      await browser.submit(link, link.forms[0]);
      await assert.rejects(() => request.waitForConnection(5_000), /FAILED|denied|failed/i);
    });

    test('disable, enable, refresh keeps ACTIVE, delete', async () => {
      const session = await composio.create(newUser());
      const account = await connect(session, 'github', 'alice');
      await composio.connectedAccounts.disable(account.id);
      assert.equal((await composio.connectedAccounts.get(account.id)).status, 'INACTIVE');
      await composio.connectedAccounts.enable(account.id);
      const refreshed = await composio.connectedAccounts.refresh(account.id);
      assert.equal(refreshed.status, 'ACTIVE');
      await composio.connectedAccounts.delete(account.id);
      await assert.rejects(() => composio.connectedAccounts.get(account.id), /404/);
    });

    test('SHARED: another user may use it when it is pinned and the ACL lets them in, and only then', async () => {
      const owner = newUser('owner');
      const friend = newUser('friend');
      const config = await managed('github');
      const request = await composio.connectedAccounts.link(owner, config.id, {
        experimental: { accountType: 'SHARED', aclConfigForShared: { allowedUserIds: [friend] } },
      });
      await consent(request.redirectUrl, 'alice');
      await request.waitForConnection(5_000);
      const pinned = (user) => composio.create(user, { toolkits: ['github'], connectedAccounts: { github: request.id } });
      const me = await (await pinned(friend)).execute('GITHUB_GET_THE_AUTHENTICATED_USER', {});
      assert.equal(me.data.login, 'alice');
      await assert.rejects(() => pinned(newUser('stranger')), /400/);
      const unpinned = await composio.create(friend, { toolkits: ['github'] });
      await assert.rejects(() => unpinned.execute('GITHUB_GET_THE_AUTHENTICATED_USER', {}), /NoActiveConnection/);

      const updateAcl = composio.connectedAccounts.updateAcl?.bind(composio.connectedAccounts);
      if (!updateAcl) return;
      await updateAcl(request.id, { notAllowedUserIds: [friend] });
      await assert.rejects(() => pinned(friend), /400/);
    });

    test('toolkits.authorize: the legacy create', async () => {
      const request = await composio.toolkits.authorize(newUser(), 'github');
      await consent(request.redirectUrl, 'alice');
      assert.equal((await request.waitForConnection(5_000)).status, 'ACTIVE');
    });

    test('session.ensureConnected is content with an existing connection', async () => {
      const session = await composio.create(newUser());
      if (!session.ensureConnected) return;
      const account = await connect(session, 'github', 'alice');
      const ensured = await session.ensureConnected('github');
      assert.ok(JSON.stringify(ensured).includes(account.id) || ensured, JSON.stringify(ensured));
    });
  });
}
