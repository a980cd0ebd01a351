import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { options } from './harness.mjs';

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

    test('list filters by toolkit and by who manages it', async () => {
      await composio.authConfigs.create('stripe', { type: 'use_custom_auth', name: 'key', authScheme: 'API_KEY', credentials: {} });
      const stripe = await composio.authConfigs.list({ toolkit: 'stripe' });
      assert.ok(stripe.items.length > 0 && stripe.items.every((item) => item.toolkit.slug === 'stripe'));
      const managed = await composio.authConfigs.list({ isComposioManaged: true });
      assert.ok(managed.items.every((item) => item.isComposioManaged));
    });
  });
}
