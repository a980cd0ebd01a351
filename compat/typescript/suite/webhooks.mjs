import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { apiKey, baseURL, connect, newUser, options } from './harness.mjs';

const TRIGGER = 'GITHUB_ISSUE_ADDED_EVENT';
const repository = { owner: 'alice', repo: 'hello-world' };

/** A webhook's receiver: what came, for one to take after the other. */
function startSink() {
  const waiting = [];
  const arrived = [];
  const server = http.createServer((request, response) => {
    let payload = '';
    request.setEncoding('utf8').on('data', (part) => (payload += part));
    request.on('end', () => {
      response.writeHead(204).end();
      const delivery = { headers: request.headers, payload };
      if (waiting.length) waiting.shift()(delivery);
      else arrived.push(delivery);
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({
        url: `http://127.0.0.1:${server.address().port}/hook`,
        next: () => (arrived.length ? Promise.resolve(arrived.shift()) : new Promise((done) => waiting.push(done))),
        close: () => server.close(),
      });
    });
  });
}

/** TLS in front of patchbay, as an operator would put it there. The certificate is nobody's. */
function startTLS() {
  const directory = mkdtempSync(join(tmpdir(), 'patchbay-tls-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=127.0.0.1', '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const target = new URL(baseURL);
  const forward = (request) => ({
    host: target.hostname,
    port: target.port,
    path: request.url,
    method: request.method,
    headers: { ...request.headers, 'x-forwarded-proto': 'https', 'x-forwarded-host': request.headers.host },
  });
  const server = https.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    request.pipe(
      http.request(forward(request), (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      }),
    );
  });
  server.on('upgrade', (request, socket) => {
    const upstream = http.request(forward(request));
    upstream.on('upgrade', (answer, behind, already) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
      socket.write(already);
      behind.pipe(socket).pipe(behind);
      for (const end of [socket, behind]) end.on('error', () => {});
    });
    upstream.on('response', () => socket.destroy());
    upstream.end();
  });
  rmSync(directory, { recursive: true });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({ url: `https://127.0.0.1:${server.address().port}`, close: () => server.close() || server.closeAllConnections() });
    });
  });
}

export function webhookSuite({ Composio }) {
  const composio = new Composio(options());
  const user = newUser('subscriber');
  let sink;
  let triggerId;
  const openIssue = async (title) => {
    const answer = await composio.tools.execute('GITHUB_CREATE_AN_ISSUE', {
      userId: user,
      arguments: { ...repository, title },
      dangerouslySkipVersionCheck: true,
    });
    assert.equal(answer.successful, true, JSON.stringify(answer));
  };
  const verify = ({ headers, payload }, secret) =>
    composio.triggers.verifyWebhook({
      id: headers['webhook-id'],
      timestamp: headers['webhook-timestamp'],
      signature: headers['webhook-signature'],
      payload,
      secret,
    });

  describe('webhooks', () => {
    before(async () => {
      sink = await startSink();
      const session = await composio.create(user, { toolkits: ['github'] });
      await connect(session, 'github', 'alice');
      ({ triggerId } = await composio.triggers.create(user, TRIGGER, { triggerConfig: repository }));
    });

    after(async () => {
      await composio.triggers.delete(triggerId);
      sink.close();
      const call = (path, method) => fetch(`${baseURL}/api/v3.1${path}`, { method, headers: { 'x-api-key': apiKey } });
      for (const { id } of (await (await call('/webhook_subscriptions')).json()).items) await call(`/webhook_subscriptions/${id}`, 'DELETE');
    });

    test('setWebhookSubscription makes one, and changes it the next time', async () => {
      const first = await composio.triggers.setWebhookSubscription({ webhookUrl: 'https://example.com/hook' });
      assert.match(first.id, /^ws_/);
      assert.equal(first.version, 'V3');
      const second = await composio.triggers.setWebhookSubscription({ webhookUrl: sink.url });
      assert.equal(second.id, first.id);
      assert.equal(second.secret, first.secret);
      assert.equal(second.webhookUrl, sink.url);
    });

    for (const version of ['V1', 'V2', 'V3']) {
      test(`verifyWebhook accepts what is delivered as ${version}`, async () => {
        const { secret } = await composio.triggers.setWebhookSubscription({ webhookUrl: sink.url, version });
        await openIssue(`for ${version}`);
        const delivery = await sink.next();
        assert.equal(delivery.headers['x-composio-webhook-version'], version);
        const verified = await verify(delivery, secret);
        assert.equal(verified.version, version);
        assert.equal(verified.payload.triggerSlug, TRIGGER);
        assert.equal(verified.payload.id, triggerId);
        assert.equal(verified.payload.payload.title, `for ${version}`);
        if (version !== 'V1') assert.equal(verified.payload.userId, user);
        await assert.rejects(() => verify(delivery, `${secret}x`), /signature/i);
        await assert.rejects(() => verify({ ...delivery, payload: delivery.payload.replace('for', 'far') }, secret), /signature/i);
        await assert.rejects(() => verify({ ...delivery, headers: { ...delivery.headers, 'webhook-timestamp': '1' } }, secret));
      });
    }

    test('both secrets verify while a rotation is under way', async () => {
      const before = await composio.triggers.setWebhookSubscription({ webhookUrl: sink.url, version: 'V3' });
      const reply = await fetch(`${baseURL}/api/v3.1/webhook_subscriptions/${before.id}/rotate_secret`, { method: 'POST', headers: { 'x-api-key': apiKey } });
      const { secret } = await reply.json();
      assert.notEqual(secret, before.secret);
      await openIssue('while rotating');
      const delivery = await sink.next();
      await verify(delivery, secret);
      await verify(delivery, before.secret);
    });

    test('the subscriptions of the newer SDK', { skip: !composio.webhooks?.subscriptions }, async () => {
      const { subscriptions } = composio.webhooks;
      const { items } = await subscriptions.list({ limit: 10 });
      assert.equal(items.length, 1);
      const one = await subscriptions.get(items[0].id);
      assert.equal(one.secret, items[0].secret);
      const types = await subscriptions.listEventTypes();
      assert.ok(types.items.some((type) => type.eventType === 'composio.connected_account.expired'));
      const rotated = await subscriptions.rotateSecret(one.id);
      assert.notEqual(rotated.secret, one.secret);
      const updated = await subscriptions.update(one.id, { enabledEvents: ['composio.trigger.message', 'composio.trigger.disabled'] });
      assert.equal(updated.enabledEvents.length, 2);
      assert.equal((await subscriptions.delete(one.id)).success, true);
    });

    test('triggers.subscribe hears what happens', async () => {
      const tls = await startTLS();
      const trust = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
      const live = new Composio({ ...options(), baseURL: tls.url });
      try {
        const heard = new Promise((resolve, reject) => {
          live.triggers.subscribe(resolve, { triggerSlug: [TRIGGER], userId: user }, reject).catch(reject);
        });
        let message;
        for (let i = 0; i < 10 && !message; i++) { // until the subscription stands
          await openIssue(`heard ${i}`);
          message = await Promise.race([heard, new Promise((done) => setTimeout(done, 1000))]);
        }
        assert.equal(message?.id, triggerId);
        assert.equal(message.userId, user);
        assert.match(message.payload.title, /^heard \d$/);
        await live.triggers.unsubscribe();
      } finally {
        live.triggers.pusherService.pusherClient?.disconnect(); // the SDK has no way to say so, and would connect again for ever
        if (trust === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
        else process.env.NODE_TLS_REJECT_UNAUTHORIZED = trust;
        tls.close();
      }
    });

    test('without TLS, triggers.subscribe says what to do', async () => {
      await assert.rejects(
        () => composio.triggers.subscribe(() => {}),
        (error) => /public_url/.test(JSON.stringify([error, error.cause, error.cause?.cause, error.message], errorText)),
      );
    });
  });
}

const errorText = (_, value) => (value instanceof Error ? { message: value.message, cause: value.cause, error: value.error } : value);
