// The SDK turns our answers into its typed errors.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newUser, options } from './harness.mjs';

export function errorSuite(sdk) {
  const { Composio } = sdk;
  const composio = new Composio(options());
  const named = (name) => (error) => {
    assert.equal(error.constructor.name, name, `${error.constructor.name}: ${error.message}`);
    return true;
  };

  describe('errors', () => {
    test('a wrong key', async () => {
      const stranger = new Composio({ ...options(), apiKey: 'ak_wrong' });
      await assert.rejects(() => stranger.create(newUser()), /401/);
    });

    test('an unknown tool', async () => {
      await assert.rejects(() => composio.tools.getRawComposioToolBySlug('GITHUB_NO_SUCH_TOOL'), named('ComposioToolNotFoundError'));
    });

    test('an unknown toolkit', async () => {
      await assert.rejects(() => composio.toolkits.get('no-such-toolkit'), named('ComposioToolkitNotFoundError'));
    });

    test('no connected account', async () => {
      await assert.rejects(
        () =>
          composio.tools.execute('GITHUB_GET_THE_AUTHENTICATED_USER', {
            userId: newUser(),
            arguments: {},
            dangerouslySkipVersionCheck: true,
          }),
        named('ComposioConnectedAccountNotFoundError'),
      );
    });

    test('an unknown account', async () => {
      await assert.rejects(() => composio.connectedAccounts.waitForConnection('ca_unknown', 2_000), named('ComposioConnectedAccountNotFoundError'));
    });

    test('a session without connection says how to connect', async () => {
      const session = await composio.create(newUser());
      await assert.rejects(() => session.execute('GITHUB_GET_THE_AUTHENTICATED_USER', {}), /NoActiveConnection/);
    });

    test('unknown slugs are all named at once, with the nearest names', async () => {
      await assert.rejects(
        () => composio.create(newUser(), { toolkits: ['githab', 'gmial'], tools: { github: ['GITHUB_CREATE_ISUE'] } }),
        (error) => {
          for (const text of ['githab', 'gmial', 'GITHUB_CREATE_ISUE', 'github', 'gmail']) {
            assert.ok(error.message.includes(text), `${text} in ${error.message}`);
          }
          return true;
        },
      );
    });

    test('an ACL on a private account', async () => {
      if (!sdk.ComposioAclOnlyForSharedError) return;
      const session = await composio.create(newUser());
      await assert.rejects(
        () => session.authorize('github', { experimental: { accountType: 'PRIVATE', aclConfigForShared: { allowAllUsers: true } } }),
        /acl_config_for_shared|AclOnlyForShared|SHARED/,
      );
    });
  });
}
