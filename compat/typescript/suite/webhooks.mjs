import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { accountOf, stripeCall } from '../../bed/stripe.mjs';
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

  const call = async (method, path, body) => {
    const headers = { 'x-api-key': apiKey, 'content-type': 'application/json' };
    const reply = await fetch(`${baseURL}/api/v3.1${path}`, { method, headers, body: body && JSON.stringify(body) });
    assert.ok(reply.ok, `${method} ${path} answered ${reply.status}`);
    return reply.json();
  };

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
      for (const { id } of (await call('GET', '/webhook_subscriptions')).items) await call('DELETE', `/webhook_subscriptions/${id}`);
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
      const { secret } = await call('POST', `/webhook_subscriptions/${before.id}/rotate_secret`);
      assert.notEqual(secret, before.secret);
      await openIssue('while rotating');
      const delivery = await sink.next();
      await verify(delivery, secret);
      await verify(delivery, before.secret);
    });

    test('what happens in Linear is delivered, and verified', async () => {
      const { secret } = await composio.triggers.setWebhookSubscription({ webhookUrl: sink.url, version: 'V3' });
      const session = await composio.create(user, { toolkits: ['linear'] });
      await connect(session, 'linear', 'alice');
      const run = async (slug, args) => {
        const answer = await composio.tools.execute(slug, { userId: user, arguments: args, dangerouslySkipVersionCheck: true });
        assert.equal(answer.successful, true, JSON.stringify(answer));
        return JSON.stringify(answer.data);
      };
      const team = (await run('LINEAR_LIST_LINEAR_TEAMS', {})).match(/"id":"([^"]+)"/)[1];
      const made = await composio.triggers.create(user, 'LINEAR_ISSUE_CREATED_TRIGGER', { triggerConfig: { team_id: team } });
      await run('LINEAR_CREATE_LINEAR_ISSUE', { team_id: team, title: 'delivered from Linear' });
      const { payload } = await verify(await sink.next(), secret);
      assert.equal(payload.id, made.triggerId);
      assert.equal(payload.triggerSlug, 'LINEAR_ISSUE_CREATED_TRIGGER');
      assert.equal(payload.payload.data.title, 'delivered from Linear');
      await composio.triggers.delete(made.triggerId);
    });

    test('what Stripe signs is delivered, and verified; what it did not sign is refused', async () => {
      const { secret } = await composio.triggers.setWebhookSubscription({ webhookUrl: sink.url, version: 'V3' });
      const key = `sk_test_${newUser('payer').replace('-', '')}`;
      const config = await composio.authConfigs.create('stripe', { type: 'use_custom_auth', name: 'k', authScheme: 'API_KEY', credentials: {} });
      await composio.connectedAccounts.initiate(user, config.id, {
        config: { authScheme: 'API_KEY', val: { status: 'ACTIVE', api_key: key, generic_api_key: key } },
      });
      const signing = `whsec_${newUser('stripe')}`;
      const endpoint = await call('POST', '/webhook_endpoints', { toolkit_slug: 'stripe', client_id: config.id });
      await call('PATCH', `/webhook_endpoints/${endpoint.id}`, { data: { webhook_signing_secret: signing } });
      const made = await composio.triggers.create(user, 'STRIPE_CHARGE_FAILED_TRIGGER', { triggerConfig: {} });

      const charge = (id, account = accountOf(key)) => ({
        id: `evt_${id}`,
        object: 'event',
        account,
        created: Math.floor(Date.now() / 1000),
        livemode: false,
        type: 'charge.failed',
        data: { object: { id: `ch_${id}`, object: 'charge', amount: 1999, failure_code: 'card_declined' } },
      });
      const post = async (request) => {
        const reply = await fetch(endpoint.webhook_url, request);
        return [reply.status, (await reply.json()).status];
      };
      const old = Math.floor(Date.now() / 1000) - 301;
      const forged = stripeCall(charge('forged'), `${signing}x`);
      const altered = stripeCall(charge('altered'), signing);
      const unsigned = stripeCall(charge('unsigned'), signing);
      delete unsigned.headers['stripe-signature'];
      for (const bad of [forged, unsigned, stripeCall(charge('stale'), signing, old), { ...altered, body: altered.body.replace('1999', '1') }]) {
        assert.equal((await post(bad))[0], 401);
      }
      assert.deepEqual(await post(stripeCall(charge('others', 'acct_of_somebody_else'), signing)), [200, 'ignored']);

      const good = stripeCall(charge('good'), signing);
      assert.deepEqual(await post(good), [200, 'accepted']);
      assert.deepEqual(await post(good), [200, 'repeated']);
      const delivery = await sink.next(); // the first that arrives is the good one: nothing of the others was kept
      const { payload } = await verify(delivery, secret);
      assert.equal(payload.id, made.triggerId);
      assert.equal(payload.triggerSlug, 'STRIPE_CHARGE_FAILED_TRIGGER');
      assert.equal(payload.userId, user);
      assert.equal(payload.payload.event_id, 'evt_good');
      assert.equal(payload.payload.object.failure_code, 'card_declined');
      await assert.rejects(() => verify(delivery, signing), /signature/i);
      const { items } = await call('GET', `/events?cursor=0&trigger_ids=${made.triggerId}&limit=100`);
      assert.deepEqual(items.map((event) => event.data.event_id), ['evt_good']);
      await composio.triggers.delete(made.triggerId);
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
