import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { options } from './harness.mjs';

export function toolkitSuite({ Composio }) {
  const composio = new Composio(options());

  describe('toolkits', () => {
    test('list', async () => {
      const list = await composio.toolkits.get({ limit: 50 });
      const items = list.items ?? list;
      const slugs = items.map((item) => item.slug);
      for (const slug of ['github', 'gmail', 'googlecalendar', 'slack', 'notion', 'linear', 'stripe', 'hackernews']) {
        assert.ok(slugs.includes(slug), `${slug} in ${slugs}`);
      }
    });

    test('detail', async () => {
      const github = await composio.toolkits.get('github');
      assert.equal(github.slug, 'github');
      assert.ok(github.authConfigDetails.some((detail) => detail.mode === 'OAUTH2'));
      assert.ok(github.meta.toolsCount >= 40);
    });

    test('categories', async () => {
      const categories = await composio.toolkits.listCategories();
      assert.ok(categories.items.length > 0);
    });

    test('the fields of an auth config and of an account', async () => {
      const creation = await composio.toolkits.getAuthConfigCreationFields('github', 'OAUTH2', { requiredOnly: true });
      assert.deepEqual(creation.map((field) => field.name).sort(), ['client_id', 'client_secret']);
      const initiation = await composio.toolkits.getConnectedAccountInitiationFields('stripe', 'API_KEY');
      assert.ok(initiation.length > 0);
    });
  });
}
