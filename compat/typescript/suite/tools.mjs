import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newUser, options } from './harness.mjs';

const nameOf = (tool) => tool.function.name;

export function toolSuite({ Composio }) {
  const composio = new Composio(options());

  describe('tools', () => {
    test('get by toolkit: the important ones', async () => {
      const tools = await composio.tools.get(newUser(), { toolkits: ['github'] });
      assert.ok(tools.length >= 5, `${tools.length} tools`);
      assert.ok(tools.every((tool) => nameOf(tool).startsWith('GITHUB_')));
    });

    test('get by names, in the order asked for or not, but exactly those', async () => {
      const wanted = ['GITHUB_CREATE_AN_ISSUE', 'GMAIL_SEND_EMAIL', 'SLACK_SEND_MESSAGE'];
      const tools = await composio.tools.get(newUser(), { tools: wanted });
      assert.deepEqual(tools.map(nameOf).sort(), [...wanted].sort());
    });

    test('get by search, limit and tags', async () => {
      const tools = await composio.tools.get(newUser(), { search: 'send an email', limit: 3 });
      assert.ok(tools.length > 0 && tools.length <= 3);
      assert.ok(tools.map(nameOf).includes('GMAIL_SEND_EMAIL'), tools.map(nameOf).join());
      const readers = await composio.tools.getRawComposioTools({ toolkits: ['github'], tags: ['readOnlyHint'], limit: 50 });
      assert.ok(readers.length > 0 && readers.every((tool) => tool.tags.includes('readOnlyHint')));
    });

    test('every tool of the catalog passes the SDK parser', async () => {
      const { items } = await composio.toolkits.get({ limit: 1000 }).then((list) => ({ items: list.items ?? list }));
      for (const { slug } of items) {
        const tools = await composio.tools.getRawComposioTools({ toolkits: [slug], limit: 1000, important: false });
        assert.ok(tools.length > 0, `${slug} has no tools`);
      }
    });

    test('get one by slug, by an older name, and at a version', async () => {
      const tool = await composio.tools.getRawComposioToolBySlug('GITHUB_CREATE_AN_ISSUE');
      assert.equal(tool.slug, 'GITHUB_CREATE_AN_ISSUE');
      assert.ok(tool.inputParameters.required.includes('title'));
      assert.match(tool.version, /^\d{8}_\d\d$/);
      const same = await composio.tools.getRawComposioToolBySlug('GITHUB_CREATE_AN_ISSUE', { version: tool.version });
      assert.equal(same.version, tool.version);
      const older = await composio.tools.getRawComposioToolBySlug('GITHUB_CREATE_ISSUE');
      assert.equal(older.toolkit.slug, 'github');
    });

    test('getToolsEnum', async () => {
      const names = await composio.tools.getToolsEnum();
      const list = Array.isArray(names) ? names : String(names).split(',');
      assert.ok(list.includes('GITHUB_CREATE_AN_ISSUE'));
    });

    test('execute a tool that needs no account', async () => {
      const answer = await composio.tools.execute('GOOGLECALENDAR_GET_CURRENT_DATE_TIME', {
        userId: newUser(),
        arguments: {},
        dangerouslySkipVersionCheck: true,
      });
      assert.equal(answer.successful, true, JSON.stringify(answer));
    });
  });
}
