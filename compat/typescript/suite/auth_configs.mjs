import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { consent } from '../../bed/browser.mjs';
import { CLIENTS } from '../../bed/settings.mjs';
import { connect, newUser, options } from './harness.mjs';

export function authConfigSuite({ Composio }) {
  const composio = new Composio(options());

  describe('auth configs', () => {
    test('managed: the operator has an app for it', async () => {
      const made = await composio.authConfigs.create('github', { type: 'use_composio_managed_auth', name: 'managed' });
      assert.match(made.id, /^ac_/);
      assert.equal(made.isComposioManaged, true);
      assert.equal((await composio.authConfigs.get(made.id)).name, 'managed');
    });

    test('custom: create, read masked, update, disable, enable, delete', async () => {
      const made = await composio.authConfigs.create('github', {
        type: 'use_custom_auth',
        name: 'own app',
        authScheme: 'OAUTH2',
        credentials: { client_id: 'own-id', client_secret: 'own-secret-value', scopes: 'repo,read:user' },
      });
      assert.equal(made.isComposioManaged, false);
      const read = await composio.authConfigs.get(made.id);
      assert.ok(!JSON.stringify(read).includes('own-secret-value'), 'the secret is never shown');
      await composio.authConfigs.update(made.id, { type: 'custom', credentials: { client_id: 'other-id' } });
      await composio.authConfigs.disable(made.id);
      assert.equal((await composio.authConfigs.get(made.id)).status, 'DISABLED');
      await composio.authConfigs.enable(made.id);
      assert.equal((await composio.authConfigs.get(made.id)).status, 'ENABLED');
      await composio.authConfigs.delete(made.id);
      await assert.rejects(() => composio.authConfigs.get(made.id), /404/);
    });

    test('tool access: the least scopes are asked for, and only allowed tools run', async () => {
      const made = await composio.authConfigs.create('github', {
        type: 'use_custom_auth',
        name: 'few tools',
        authScheme: 'OAUTH2',
        credentials: { client_id: CLIENTS.github.id, client_secret: CLIENTS.github.secret },
        toolAccessConfig: { toolsForConnectedAccountCreation: ['GITHUB_GET_THE_AUTHENTICATED_USER'] },
      });
      // SDKs send the list for execution in updates only.
      await composio.authConfigs.update(made.id, {
        type: 'custom',
        credentials: {},
        toolAccessConfig: { toolsAvailableForExecution: ['GITHUB_GET_THE_AUTHENTICATED_USER'] },
      });
      const session = await composio.create(newUser(), { toolkits: ['github'], authConfigs: { github: made.id } });
      await connect(session, 'github', 'alice');
      assert.equal((await session.execute('GITHUB_GET_THE_AUTHENTICATED_USER', {})).data.login, 'alice');
      await assert.rejects(
        () => session.execute('GITHUB_LIST_REPOSITORIES_FOR_THE_AUTHENTICATED_USER', {}),
        /tools_available_for_execution|NoActiveConnection/,
      );
      await composio.authConfigs.update(made.id, { type: 'custom', credentials: {} });
      assert.deepEqual((await composio.authConfigs.get(made.id)).toolAccessConfig.toolsAvailableForExecution, ['GITHUB_GET_THE_AUTHENTICATED_USER']);
    });

    test('delete takes its accounts along and ends their grants', async () => {
      const made = await composio.authConfigs.create('github', { type: 'use_composio_managed_auth', name: 'to be deleted' });
      const request = await composio.connectedAccounts.link(newUser(), made.id);
      await consent(request.redirectUrl, 'bob');
      await request.waitForConnection(5_000);
      await composio.authConfigs.delete(made.id);
      await assert.rejects(() => composio.connectedAccounts.get(request.id), /404/);
    });

    test('recommended scopes', async () => {
      if (!composio.toolkits.recommendScopes || !composio.client.toolkits.recommendScopes) return; // the SDK may be ahead of its client
      const { scopes } = await composio.toolkits.recommendScopes('gmail', { tools: ['GMAIL_FETCH_EMAILS', 'GMAIL_SEND_EMAIL'] });
      assert.ok(scopes.leastPrivilege.length > 0 && scopes.fewest.length > 0 && scopes.fewest.length <= scopes.leastPrivilege.length);
      assert.deepEqual(scopes.conditional, []);
      const whole = await composio.toolkits.recommendScopes('gmail', { tools: [] });
      assert.ok(whole.scopes.leastPrivilege.length >= scopes.leastPrivilege.length);
    });

    test('list filters by toolkit and by who manages it', async () => {
      await composio.authConfigs.create('stripe', { type: 'use_custom_auth', name: 'key', authScheme: 'API_KEY', credentials: {} });
      const stripe = await composio.authConfigs.list({ toolkit: 'stripe' });
      assert.ok(stripe.items.length > 0 && stripe.items.every((item) => item.toolkit.slug === 'stripe'));
      const managed = await composio.authConfigs.list({ isComposioManaged: true });
      assert.ok(managed.items.every((item) => item.isComposioManaged));
    });
  });
}
