// A person who lets MCP clients in: has a personal key, signs in with it and agrees.
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Browser } from './browser.mjs';

/** Runs one of the operator's commands on the bed's server. Resolves to its JSON. */
export function operator(...args) {
  const settings = ['--config', join(process.env.BED_DATA, 'patchbay.yaml'), '--json'];
  return JSON.parse(execFileSync(process.env.BED_BINARY, [...args, ...settings], { cwd: process.env.BED_DATA, env: { PATH: process.env.PATH } }));
}

/** Makes a personal key for a user. */
export function personalKey(user) {
  return operator('key', 'create', '--user', user).key;
}

/** Opens a client's authorization request as a person would, signs in and answers. Resolves to the last page. */
export async function letIn(url, key, answer = 'allow', browser = new Browser()) {
  let page = await browser.get(String(url));
  if (page.html.includes('name="key"')) page = await browser.submit(page, formTo(page, 'sign-in'), { key });
  if (!page.html.includes('name="consent"')) throw new Error(`no question at ${page.url} (${page.status}): ${page.html.slice(-1500)}`);
  const asked = page;
  page = await browser.submit(page, formTo(page, 'authorize'), { answer });
  return { ...page, asked };
}

function formTo(page, action) {
  const form = page.forms.find((f) => f.action === action);
  if (!form) throw new Error(`no form to ${action} at ${page.url} (${page.status}): ${page.html.slice(-1500)}`);
  return form;
}

/** Listens for the answer to a client, as programs on a person's computer do. */
export async function listenForAnswer() {
  const answers = [];
  const server = createServer((request, reply) => {
    answers.push(new URL(request.url, 'http://127.0.0.1').searchParams);
    reply.end('You can close this page.');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { redirect: `http://127.0.0.1:${server.address().port}/callback`, answers, close: () => server.close() };
}
