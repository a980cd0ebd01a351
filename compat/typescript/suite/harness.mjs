// What every suite needs: a client pointed at the bed, people, and an eye on what the SDK complains about.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after } from 'node:test';
import { consent } from '../../bed/browser.mjs';

export const baseURL = process.env.PATCHBAY_URL;
export const apiKey = process.env.PATCHBAY_API_KEY;
export const gates = JSON.parse(process.env.BED_GATES ?? '{}');

/** Options of a Composio client: only the address and the key differ from what a user of the hosted service writes. */
export function options() {
  return { apiKey, baseURL, allowTracking: false, disableVersionCheck: true };
}

export function newUser(name = 'user') {
  return `${name}-${randomBytes(4).toString('hex')}`;
}

/** The SDK logs a line when an answer does not match its types, and goes on with raw data. No suite may cause one. */
export function failOnTransformWarnings() {
  const complaints = [];
  for (const level of ['log', 'info', 'warn', 'error', 'debug']) {
    const original = console[level];
    console[level] = (...args) => {
      const text = args.map(String).join(' ');
      if (/transform.*validation failed|validation failed/i.test(text)) complaints.push(text);
      original(...args);
    };
  }
  after(() => assert.deepEqual(complaints, [], 'the SDK complained about the shape of answers'));
}

/** Connects an app for a session's user through the Connect Link, as the named person at the provider. */
export async function connect(session, toolkit, person) {
  const request = await session.authorize(toolkit);
  const page = await consent(request.redirectUrl, person);
  assert.ok(page.status < 400, `the callback answered ${page.status}: ${page.html.slice(0, 300)}`);
  const account = await request.waitForConnection(10_000);
  assert.equal(account.status, 'ACTIVE');
  return account;
}

/** The gate's counters and the requests it let through since the last drain. */
export async function drainGate(provider) {
  return (await fetch(`${gates[provider]}/__gate?drain=1`)).json();
}

export async function orderGate(provider, order) {
  return (await fetch(`${gates[provider]}/__gate`, { method: 'POST', body: JSON.stringify(order) })).json();
}
