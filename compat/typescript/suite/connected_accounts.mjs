import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Browser, consent, fillIn } from '../../bed/browser.mjs';
import { CLIENTS } from '../../bed/settings.mjs';
import { apiKey, baseURL, connect, newUser, options, orderGate } from './harness.mjs';

/** A request with members that the SDK's types do not have. */
async function rest(method, path, body) {
  const reply = await fetch(`${baseURL}/api/v3.1${path}`, {
    method,
    headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: reply.status, body: await reply.json() };
}

export function accountSuite(sdk) {
  const { Composio } = sdk;
  const composio = new Composio(options());
  const named = (name) => (error) => {
    assert.equal(error.constructor.name, name, `${error.constructor.name}: ${error.message}`);
    return true;
  };
  /** An auth config over the bed's own OAuth client, with members beyond the contract. */
  const own = async (members) => {
    const { status, body } = await rest('POST', '/auth_configs', {
      toolkit: { slug: 'github' },
      auth_config: {
        type: 'use_custom_auth',
        authScheme: 'OAUTH2',
        credentials: { client_id: CLIENTS.github.id, client_secret: CLIENTS.github.secret },
        ...members,
      },
    });
    assert.equal(status, 201, JSON.stringify(body));
    return body.auth_config.id;
  };
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

    test('an ACL belongs to shared accounts, and a change counts at once', async () => {
      const owner = newUser('owner');
      const friend = newUser('friend');
      const config = await managed('github');
      const request = await composio.connectedAccounts.link(owner, config.id, { experimental: { accountType: 'SHARED' } });
      await consent(request.redirectUrl, 'alice');
      await request.waitForConnection(5_000);
      await assert.rejects(() => composio.create(friend, { toolkits: ['github'], connectedAccounts: { github: request.id } }), /400/);
      const mine = await composio.create(owner, { toolkits: ['github'], connectedAccounts: { github: request.id } });
      assert.equal((await mine.execute('GITHUB_GET_THE_AUTHENTICATED_USER', {})).data.login, 'alice'); // its creator always may
      const unlisted = await composio.connectedAccounts.list({ userIds: [owner] });
      assert.deepEqual(unlisted.items, [], 'a list shows private accounts unless it is asked for others');
      if (!composio.connectedAccounts.updateAcl) return;
      await composio.connectedAccounts.updateAcl(request.id, { allowedUserIds: [friend] });
      const theirs = await composio.create(friend, { toolkits: ['github'], connectedAccounts: { github: request.id } });
      assert.equal((await theirs.execute('GITHUB_GET_THE_AUTHENTICATED_USER', {})).data.login, 'alice');
      await composio.connectedAccounts.updateAcl(request.id, { allowedUserIds: [] });
      await assert.rejects(() => theirs.execute('GITHUB_GET_THE_AUTHENTICATED_USER', {}), /403/);
      const session = await composio.create(newUser());
      const account = await connect(session, 'github', 'alice');
      await assert.rejects(() => composio.connectedAccounts.updateAcl(account.id, { allowAllUsers: true }), named('ComposioAclOnlyForSharedError'));
    });

    test('import: an OAuth grant that the application holds, renewed when it has ended', async () => {
      const session = await composio.create(newUser());
      const id = await own({ expose_credentials: true });
      const first = await composio.connectedAccounts.link(newUser(), id);
      await consent(first.redirectUrl, 'bob');
      await first.waitForConnection(5_000);
      const { body } = await rest('GET', `/connected_accounts/${first.id}`);
      const token = body.state.val.access_token;
      assert.match(token, /^gh/, 'the auth config lets credentials be read');
      const user = session.userId ?? newUser();
      const request = await composio.connectedAccounts.initiate(user, id, {
        config: { authScheme: 'OAUTH2', val: { status: 'ACTIVE', access_token: token, token_type: 'bearer', scope: 'repo,user' } },
      });
      const account = await composio.connectedAccounts.get(request.id);
      assert.equal(account.status, 'ACTIVE');
      await assert.rejects(
        () => composio.connectedAccounts.initiate(newUser(), id, { config: { authScheme: 'OAUTH2', val: { status: 'ACTIVE', access_token: 'gho_nonsense' } } }),
        /does not accept/,
      );
    });

    test('revoke: what ended; again; and what cannot be', async () => {
      const session = await composio.create(newUser());
      const account = await connect(session, 'github', 'alice');
      const revoke = (id) =>
        composio.connectedAccounts.revoke
          ? composio.connectedAccounts.revoke(id)
          : rest('POST', `/connected_accounts/${id}/revoke`, {}).then(({ body }) => ({
              revokedTokens: body.revoked_tokens,
              connectedAccount: body.connected_account,
            }));
      const result = await revoke(account.id);
      assert.equal(result.connectedAccount.status, 'REVOKED');
      assert.ok(Array.isArray(result.revokedTokens), JSON.stringify(result)); // the emulated GitHub has no way to end a grant
      assert.deepEqual((await revoke(account.id)).revokedTokens, []);
      await assert.rejects(() => composio.connectedAccounts.waitForConnection(account.id, 3_000), named('ConnectionRequestFailedError'));
      if (!composio.connectedAccounts.revoke) return;
      const config = await managed('github');
      const pending = await composio.connectedAccounts.link(newUser(), config.id);
      await assert.rejects(() => revoke(pending.id), named('ComposioConnectedAccountNotRevokableError'));
      const keys = await composio.authConfigs.create('stripe', { type: 'use_custom_auth', name: 'k', authScheme: 'API_KEY', credentials: {} });
      const key = await composio.connectedAccounts.initiate(newUser(), keys.id, {
        config: { authScheme: 'API_KEY', val: { status: 'ACTIVE', api_key: 'sk_test_revoke', generic_api_key: 'sk_test_revoke' } },
      });
      await assert.rejects(() => revoke(key.id), named('ComposioConnectedAccountRevocationNotSupportedError'));
    });

    test('a link that cannot be made', async () => {
      await assert.rejects(() => composio.connectedAccounts.link(newUser(), 'ac_unknown'), named('ComposioFailedToCreateConnectedAccountLink'));
    });

    test('completeAuth: the application says who signed in', async () => {
      const completeAuth = (userId, sessionUri) =>
        composio.connectedAccounts.completeAuth && composio.client.connectedAccounts.completeAuth // the SDK may be ahead of its client
          ? composio.connectedAccounts.completeAuth({ userId, sessionUri })
          : rest('POST', '/connected_accounts/complete_auth', { user_id: userId, session_uri: sessionUri }).then(({ status, body }) => {
              if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
              return { connectedAccountId: body.connected_account_id, toolkitSlug: body.toolkit_slug };
            });
      const config = await own({ verifier_url: 'https://app.example/verify?tab=2' });
      const begin = async (user) => {
        const request = await composio.connectedAccounts.link(user, config, { callbackUrl: 'https://app.example/done' });
        const at = new URL((await consent(request.redirectUrl, 'alice')).url);
        assert.equal(at.origin + at.pathname, 'https://app.example/verify');
        assert.equal(at.searchParams.get('tab'), '2');
        assert.equal((await composio.connectedAccounts.get(request.id)).status, 'INITIATED');
        return { request, claim: at.searchParams.get('session_uri') };
      };
      const user = newUser();
      const good = await begin(user);
      assert.deepEqual(await completeAuth(user, good.claim), { connectedAccountId: good.request.id, toolkitSlug: 'github' });
      assert.equal((await good.request.waitForConnection(5_000)).status, 'ACTIVE');
      await assert.rejects(() => completeAuth(user, good.claim), /404/);

      const forwarded = await begin(newUser('mallory'));
      await assert.rejects(() => completeAuth(newUser('victim'), forwarded.claim), /403/);
      await assert.rejects(() => forwarded.request.waitForConnection(5_000), (error) => {
        assert.equal(error.constructor.name, 'ConnectionRequestFailedError');
        assert.match(error.message, /IDENTITY_VERIFICATION_FAILED/);
        return true;
      });
    });

    test('the pages look as the project chose, and links lead where it lets them', async () => {
      const { body: before } = await rest('GET', '/org/project/config');
      try {
        const { status } = await rest('PATCH', '/org/project/config', {
          display_name: 'Harbour Master',
          logo_url: 'https://cdn.example/logo.png',
          accent_color: '#ff5500',
          callback_origins: ['https://app.example'],
        });
        assert.equal(status, 200);
        const config = await managed('github');
        const request = await composio.connectedAccounts.link(newUser(), config.id, { callbackUrl: 'https://app.example/done' });
        const page = await new Browser().get(request.redirectUrl);
        for (const text of ['Harbour Master', 'https://cdn.example/logo.png', '#ff5500']) assert.ok(page.html.includes(text), text);
        for (const callbackUrl of ['https://app.example.evil.example/done', 'https://app.example:8443/', 'http://app.example/']) {
          await assert.rejects(
            () => composio.connectedAccounts.link(newUser(), config.id, { callbackUrl }),
            named('ComposioFailedToCreateConnectedAccountLink'),
          );
        }
      } finally {
        await rest('PATCH', '/org/project/config', {
          display_name: before.display_name ?? '', logo_url: before.logo_url ?? '', accent_color: before.accent_color ?? '', callback_origins: before.callback_origins,
        });
      }
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
