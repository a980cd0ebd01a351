import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { apiKey, baseURL, connect, newUser, options } from './harness.mjs';

const call = async (path, init = {}) => {
  const reply = await fetch(`${baseURL}/api/v3.1${path}`, { ...init, headers: { 'x-api-key': apiKey, 'content-type': 'application/json' } });
  return { status: reply.status, body: await reply.json() };
};

/** The events of one trigger, waiting until there are as many as wanted. */
async function eventsOf(triggerId, wanted) {
  for (let i = 0; i < 75; i++) {
    const { body } = await call(`/events?cursor=0&trigger_ids=${triggerId}&limit=100`);
    const mine = body.items.filter((event) => event.metadata.trigger_id === triggerId);
    if (mine.length >= wanted) return mine;
    await new Promise((done) => setTimeout(done, 200));
  }
  assert.fail(`trigger ${triggerId} has no ${wanted} events after 15 seconds`);
}

export function triggerSuite({ Composio }) {
  const composio = new Composio(options());
  const user = newUser('watcher');
  const run = async (slug, args) => {
    const answer = await composio.tools.execute(slug, { userId: user, arguments: args, dangerouslySkipVersionCheck: true });
    assert.equal(answer.successful, true, JSON.stringify(answer));
    return answer.data;
  };

  describe('triggers', () => {
    before(async () => {
      const session = await composio.create(user, { toolkits: ['github', 'gmail', 'linear', 'googlecalendar'] });
      for (const toolkit of ['github', 'gmail', 'linear', 'googlecalendar']) await connect(session, toolkit, 'alice');
    });

    test('types: list, get, enum', async () => {
      const types = await composio.triggers.listTypes({ toolkits: ['github'] });
      assert.ok(types.items.some((type) => type.slug === 'GITHUB_ISSUE_ADDED_EVENT'));
      const type = await composio.triggers.getType('GMAIL_NEW_GMAIL_MESSAGE');
      assert.equal(type.toolkit.slug, 'gmail');
      assert.ok(type.config.properties.labelIds && type.payload.properties.message_id);
      const slugs = await composio.triggers.listEnum();
      assert.ok(slugs.includes('SLACK_CHANNEL_MESSAGE_RECEIVED') && slugs.includes('STRIPE_CHARGE_FAILED_TRIGGER'));
      await assert.rejects(() => composio.triggers.getType('GMAIL_NO_SUCH_TRIGGER'));
    });

    test('a configuration that cannot work is refused with the reason', async () => {
      await assert.rejects(() => composio.triggers.create(user, 'GITHUB_ISSUE_ADDED_EVENT', { triggerConfig: { owner: 'alice' } }), /repo/);
      const { body } = await call('/trigger_instances/GITHUB_ISSUE_ADDED_EVENT/check', {
        method: 'POST',
        body: JSON.stringify({ user_id: user, trigger_config: { owner: 'alice', repo: 'no-such-repo' } }),
      });
      assert.equal(body.ok, false);
      assert.match(body.problem.message, /404/);
    });

    test('a GitHub issue arrives through its webhook, signed', async () => {
      const triggerConfig = { owner: 'alice', repo: 'hello-world' };
      const { triggerId } = await composio.triggers.create(user, 'GITHUB_ISSUE_ADDED_EVENT', { triggerConfig });
      assert.match(triggerId, /^ti_/);
      const again = await composio.triggers.create(user, 'GITHUB_ISSUE_ADDED_EVENT', { triggerConfig });
      assert.equal(again.triggerId, triggerId, 'the same again is the same');
      await run('GITHUB_CREATE_AN_ISSUE', { ...triggerConfig, title: 'seen by a trigger', body: 'text' });
      const [event] = await eventsOf(triggerId, 1);
      assert.equal(event.metadata.trigger_slug, 'GITHUB_ISSUE_ADDED_EVENT');
      assert.equal(event.metadata.user_id, user);
      assert.equal(event.data.title, 'seen by a trigger');
      assert.equal(event.data.createdBy, 'alice');

      const active = await composio.triggers.listActive({ triggerIds: [triggerId] });
      assert.equal(active.items.length, 1);
      assert.deepEqual(active.items[0].triggerConfig, triggerConfig);
      await composio.triggers.disable(triggerId);
      assert.equal((await composio.triggers.listActive({ triggerIds: [triggerId] })).items.length, 0);
      assert.equal((await composio.triggers.listActive({ triggerIds: [triggerId], showDisabled: true })).items.length, 1);
      await run('GITHUB_CREATE_AN_ISSUE', { ...triggerConfig, title: 'not seen' });
      await composio.triggers.enable(triggerId);
      await run('GITHUB_CREATE_AN_ISSUE', { ...triggerConfig, title: 'seen again' });
      const titles = (await eventsOf(triggerId, 2)).map((e) => e.data.title).sort();
      assert.deepEqual(titles, ['seen again', 'seen by a trigger']);
      await composio.triggers.delete(triggerId);
      assert.equal((await composio.triggers.listActive({ triggerIds: [triggerId], showDisabled: true })).items.length, 0);
    });

    test('a Gmail message is found by polling, once', async () => {
      const { triggerId } = await composio.triggers.create(user, 'GMAIL_NEW_GMAIL_MESSAGE', { triggerConfig: {} });
      const subject = `for the poll ${Date.now()}`;
      const raw = Buffer.from(`From: bob@example.com\r\nTo: alice@example.com\r\nSubject: ${subject}\r\n\r\nhello there`).toString('base64url');
      const { items } = await composio.connectedAccounts.list({ userIds: [user], toolkitSlugs: ['gmail'] });
      const arrived = await call('/tools/execute/proxy', {
        method: 'POST',
        body: JSON.stringify({ connected_account_id: items[0].id, method: 'POST', endpoint: '/gmail/v1/users/me/messages/import', body: { raw } }),
      });
      assert.equal(arrived.body.status, 200, JSON.stringify(arrived.body));
      const [event] = await eventsOf(triggerId, 1);
      assert.equal(event.data.subject, subject);
      assert.match(event.data.message_text, /hello there/);
      await new Promise((done) => setTimeout(done, 2500)); // two more looks
      assert.equal((await eventsOf(triggerId, 1)).length, 1, 'found once');
      await composio.triggers.delete(triggerId);
    });

    test('a calendar event is found by polling', async () => {
      const { triggerId } = await composio.triggers.create(user, 'GOOGLECALENDAR_GOOGLE_CALENDAR_EVENT_CREATED_TRIGGER', { triggerConfig: {} });
      await run('GOOGLECALENDAR_CREATE_EVENT', { summary: 'planned', start_datetime: '2027-01-02T10:00:00', event_duration_hour: 1, timezone: 'UTC' });
      const [event] = await eventsOf(triggerId, 1);
      assert.equal(event.data.summary, 'planned');
      await composio.triggers.delete(triggerId);
    });

    test('a Linear issue arrives through its webhook, signed', async () => {
      const teams = await run('LINEAR_LIST_LINEAR_TEAMS', {});
      const team = JSON.stringify(teams).match(/"id":"([^"]+)"/)[1];
      const { triggerId } = await composio.triggers.create(user, 'LINEAR_ISSUE_CREATED_TRIGGER', { triggerConfig: { team_id: team } });
      await run('LINEAR_CREATE_LINEAR_ISSUE', { team_id: team, title: 'from Linear' });
      const [event] = await eventsOf(triggerId, 1);
      assert.equal(event.data.data.title, 'from Linear');
      assert.equal(event.data.action, 'create');
      await composio.triggers.delete(triggerId);
    });
  });
}
