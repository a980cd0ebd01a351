// As much of Stripe as a trigger needs. The signatures are those of Stripe's own library (npm package "stripe"); its webhook API has
// no emulator, which is why the tests enter the webhook by hand and call it themselves.
import { createHash } from 'node:crypto';
import http from 'node:http';
import Stripe from 'stripe';

/** The Stripe account of a key: every key has its own. */
export const accountOf = (key) => `acct_${createHash('sha256').update(key).digest('hex').slice(0, 16)}`;

/** Says to whom a key belongs. Resolves to { url, close }. */
export function startStripe() {
  const server = http.createServer((request, response) => {
    const key = request.headers.authorization?.match(/^Bearer ((?:sk|rk)_\w+)$/)?.[1];
    const known = key && request.method === 'GET' && request.url === '/v1/account';
    const status = known ? 200 : key ? 404 : 401;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(known ? { id: accountOf(key), object: 'account' } : { error: { message: `refused with ${status}` } }));
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({ url: `http://127.0.0.1:${server.address().port}`, close: () => server.closeAllConnections() || server.close() });
    });
  });
}

/** A call as Stripe makes it: an event, signed at a time in seconds since 1970. */
export function stripeCall(event, secret, timestamp = Math.floor(Date.now() / 1000)) {
  const body = JSON.stringify(event, null, 2); // as Stripe sends it, which is why the bytes matter
  const signature = Stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp });
  return { method: 'POST', headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature }, body };
}
