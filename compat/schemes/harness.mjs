// Asks patchbay as an application does, and keeps what it answers.
import { randomBytes } from 'node:crypto';

export const gates = JSON.parse(process.env.BED_GATES);
/** Everything that patchbay answered. */
export const answers = [];
/** What was shown to its owner once, and must not be kept: link tokens, states. */
export const secretsOfRequest = [];

export const note = (secret) => secretsOfRequest.push(secret);

export async function ask(method, path, body) {
  const reply = await fetch(`${process.env.PATCHBAY_URL}/api/v3.1${path}`, {
    method,
    headers: { 'x-api-key': process.env.PATCHBAY_API_KEY, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const text = await reply.text();
  answers.push({ request: `${method} ${path}`, text });
  return { status: reply.status, body: text ? JSON.parse(text) : {} };
}

export function newUser(name = 'user') {
  return `${name}-${randomBytes(4).toString('hex')}`;
}
