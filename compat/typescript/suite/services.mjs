// Tools that really do something at a service that we did not write.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { connect, newUser, options, orderGate } from './harness.mjs';

export function servicesSuite({ Composio }) {
  const composio = new Composio(options());
  const user = newUser('maker');
  let session, team, channel;

  describe('services', () => {
    before(async () => {
      session = await composio.create(user);
      await connect(session, 'github', 'alice');
      await connect(session, 'gmail', 'alice');
      await connect(session, 'googlecalendar', 'alice');
      await connect(session, 'slack', 'alice');
      await connect(session, 'linear', 'alice');
    });

    const run = async (slug, args) => {
      const answer = await session.execute(slug, args);
      assert.equal(answer.error, null, `${slug}: ${answer.error}`);
      return answer.data;
    };

    test('GITHUB_CREATE_ISSUE opens an issue', async () => {
      const issue = await run('GITHUB_CREATE_ISSUE', { owner: 'alice', repo: 'hello-world', title: 'Fix login bug' });
      assert.equal(issue.title, 'Fix login bug');
      const list = await run('GITHUB_LIST_REPOSITORY_ISSUES', { owner: 'alice', repo: 'hello-world' });
      assert.ok(JSON.stringify(list).includes('Fix login bug'));
    });

    test('GMAIL_SEND_EMAIL sends, GMAIL_FETCH_EMAILS finds it', async () => {
      const subject = `Grüße aus Köln ${Date.now()}`;
      await run('GMAIL_SEND_EMAIL', { recipient_email: 'bob@example.com', subject, body: 'Hällo' });
      const found = await run('GMAIL_FETCH_EMAILS', { query: 'in:sent', max_results: 10 });
      assert.ok(found.messages.some((message) => message.subject === subject), JSON.stringify(found).slice(0, 500));
    });

    test('GOOGLECALENDAR_CREATE_EVENT puts an event into the calendar', async () => {
      const data = await run('GOOGLECALENDAR_CREATE_EVENT', {
        summary: 'Standup',
        start_datetime: '2026-12-01T09:00:00',
        event_duration_minutes: 30,
        timezone: 'UTC',
      });
      assert.ok(JSON.stringify(data).includes('Standup'));
    });

    test('SLACK_SEND_MESSAGE posts', async () => {
      const channels = await run('SLACK_LIST_ALL_CHANNELS', {});
      channel = channels.channels.find((c) => c.name === 'general').id;
      const sent = await run('SLACK_SEND_MESSAGE', { channel, text: 'hello' });
      assert.ok(sent.ts ?? sent.message?.ts, JSON.stringify(sent));
    });

    test('LINEAR_CREATE_LINEAR_ISSUE files an issue', async () => {
      const teams = await run('LINEAR_LIST_LINEAR_TEAMS', {});
      team = JSON.stringify(teams).match(/"id":"([^"]+)"/)[1];
      const made = await run('LINEAR_CREATE_LINEAR_ISSUE', { team_id: team, title: 'From the compat suite' });
      assert.ok(JSON.stringify(made).includes('"id"'), JSON.stringify(made));
    });

    test('COMPOSIO_MULTI_EXECUTE_TOOL: five at once, one fails, four work', async () => {
      const data = await session.execute('COMPOSIO_MULTI_EXECUTE_TOOL', {
        tools: [
          { tool_slug: 'GITHUB_CREATE_ISSUE', arguments: { owner: 'alice', repo: 'hello-world', title: 'In a batch' } },
          { tool_slug: 'GITHUB_CREATE_ISSUE', arguments: { owner: 'alice', repo: 'no-such-repository', title: 'Nowhere' } },
          { tool_slug: 'GMAIL_SEND_EMAIL', arguments: { recipient_email: 'bob@example.com', subject: 'Batch', body: 'x' } },
          { tool_slug: 'SLACK_SEND_MESSAGE', arguments: { channel, text: 'from a batch' } },
          { tool_slug: 'LINEAR_CREATE_LINEAR_ISSUE', arguments: { team_id: team, title: 'In a batch' } },
        ],
        sync_response_to_workbench: false,
      });
      const { results, total_count, success_count, error_count } = data.data;
      assert.deepEqual([total_count, success_count, error_count], [5, 4, 1], JSON.stringify(data).slice(0, 800));
      assert.deepEqual(results.map((r) => r.index), [0, 1, 2, 3, 4]);
      assert.ok(results[1].error, 'the failing one says why');
      assert.match(data.error ?? '', /1 out of 5/);
    });

    test('session.proxyExecute reaches the raw API with the same account', async () => {
      const me = await session.proxyExecute({ toolkit: 'github', endpoint: '/user', method: 'GET' });
      assert.equal(me.status, 200);
      assert.equal(me.data.login, 'alice');
      await assert.rejects(
        () => session.proxyExecute({ toolkit: 'github', endpoint: 'https://evil.example/user', method: 'GET' }),
        /OriginMismatch/,
      );
    });

    test('tools.execute: the direct way, with an account chosen by user id', async () => {
      const answer = await composio.tools.execute('GITHUB_GET_THE_AUTHENTICATED_USER', {
        userId: user,
        arguments: {},
        dangerouslySkipVersionCheck: true,
      });
      assert.equal(answer.successful, true, answer.error);
      assert.equal(answer.data.login, 'alice');
    });

    test('tools.execute and tools.proxyExecute with a named account and version', async () => {
      const { items } = await composio.connectedAccounts.list({ userIds: [user], toolkitSlugs: ['github'] });
      const { version } = await composio.tools.getRawComposioToolBySlug('GITHUB_GET_THE_AUTHENTICATED_USER');
      const answer = await composio.tools.execute('GITHUB_GET_THE_AUTHENTICATED_USER', {
        userId: user,
        connectedAccountId: items[0].id,
        version,
        arguments: {},
      });
      assert.equal(answer.data.login, 'alice', answer.error);
      const raw = await composio.tools.proxyExecute({ endpoint: '/user', method: 'GET', connectedAccountId: items[0].id });
      assert.equal(raw.data.login, 'alice');
    });

    test('tools.execute with a token that the caller brings along', async () => {
      const answer = await composio.tools.execute('GITHUB_GET_THE_AUTHENTICATED_USER', {
        userId: newUser(),
        arguments: {},
        dangerouslySkipVersionCheck: true,
        customConnectionData: { authScheme: 'BEARER_TOKEN', toolkitSlug: 'github', val: { token: 'not-a-token' } },
      });
      assert.match(answer.error ?? '', /401|Bad credentials/);
    });

    test('a write is sent once, whatever the provider answers', async () => {
      await orderGate('github', { fault: { status: 503, path: '^/repos/.*/issues$', method: 'POST', count: 1 } });
      const answer = await session.execute('GITHUB_CREATE_ISSUE', { owner: 'alice', repo: 'hello-world', title: 'Once only' });
      assert.match(answer.error, /503/);
      const list = await run('GITHUB_LIST_REPOSITORY_ISSUES', { owner: 'alice', repo: 'hello-world' });
      assert.ok(!JSON.stringify(list).includes('Once only'));
    });
  });
}
