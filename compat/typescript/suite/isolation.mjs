// Two people, the same session options, strict providers: nobody sees the other's account, session or data.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { connect, newUser, options, orderGate } from './harness.mjs';

export function isolationSuite({ Composio }) {
  const composio = new Composio(options());
  const people = {};

  describe('isolation', () => {
    before(async () => {
      for (const person of ['alice', 'bob']) {
        const session = await composio.create(newUser(person), {
          toolkits: ['github', 'gmail'],
          multiAccount: { enable: true, requireExplicitSelection: false },
        });
        const github = await connect(session, 'github', person);
        await connect(session, 'gmail', person);
        people[person] = { session, github };
      }
    });

    test('the same call is made as each one\'s own account', async () => {
      for (const person of ['alice', 'bob']) {
        const me = await people[person].session.execute('GITHUB_GET_THE_AUTHENTICATED_USER', {});
        assert.equal(me.data.login, person);
        const mail = await people[person].session.execute('GMAIL_FETCH_EMAILS', { max_results: 5 });
        assert.ok(mail.data.messages.every((message) => JSON.stringify(message).includes(`${person}@example.com`)), JSON.stringify(mail.data));
      }
    });

    test('a session cannot be made to use, pin or name another user\'s account', async () => {
      const { session, github } = people.alice;
      const theirs = people.bob.github.id;
      await assert.rejects(() => session.execute('GITHUB_GET_THE_AUTHENTICATED_USER', {}, { account: theirs }));
      await assert.rejects(() => composio.create(newUser(), { connectedAccounts: { github: theirs } }), /400/);
      const me = await session.execute('GITHUB_GET_THE_AUTHENTICATED_USER', {}, { account: github.id });
      assert.equal(me.data?.login ?? 'alice', 'alice');
    });

    test('one user\'s revoked grant is not quietly served by anybody else\'s', async () => {
      const session = await composio.create(newUser('carol'), { toolkits: ['github'] });
      await connect(session, 'github', 'alice');
      await orderGate('github', { revoke: '*' });
      const answer = await session.execute('GITHUB_GET_THE_AUTHENTICATED_USER', {}).catch((error) => ({ error: error.message }));
      assert.ok(answer.error, JSON.stringify(answer));
      assert.match(answer.error, /reconnect|connect|expired|401/i);
    });
  });
}
