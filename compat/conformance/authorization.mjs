// The suite's scenarios for authorization servers, against a running patchbay:
//
//   node authorization.mjs PATCHBAY_BINARY WORK_DIRECTORY REVISION
//
// Its client is a public one, because the suite sends a secret only where a server has no public clients; compat/mcp logs confidential
// ones in. The suite prints an address that a person has to open; here a small browser signs in with the first start's personal key and agrees.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Browser } from '../bed/browser.mjs';
import { letIn } from '../bed/person.mjs';

const [binary, work, revision] = process.argv.slice(2);
const suite = join(import.meta.dirname, 'node_modules', '@modelcontextprotocol', 'conformance', 'dist', 'index.js');
const server = spawn(binary, ['serve', '--listen', '127.0.0.1:0', '--data', join(work, `data-${revision}`), '--json'], { stdio: ['ignore', 'pipe', 'ignore'] });
process.on('exit', () => server.kill('SIGKILL'));

const { url, personal_key: key } = await greeting();
let failed = false;
for (const resource of [undefined, `${url}/mcp`]) {
  const port = await freePort();
  const client = await register(port);
  const args = ['authorization', '--url', url, '--client-id', client.client_id, '--spec-version', revision, '-p', String(port), '-o', join(work, 'results')];
  if (resource) args.push('--resource', resource);
  const { code, output } = await run(args);
  const passed = code === 0 && /authorization-code-grant: \d+ passed, 0 failed/.test(output) && !/FAILURE|WARNING|SKIPPED/.test(output);
  console.log(`${passed ? 'passed' : 'FAILED'}: authorization server${resource ? ', a token for a named resource' : ''}`);
  if (!passed) console.log(output);
  failed ||= !passed;
}
process.exit(failed ? 1 : 0);

function greeting() {
  return new Promise((resolve, reject) => {
    let text = '';
    server.on('exit', () => reject(new Error('patchbay did not start')));
    server.stdout.on('data', (chunk) => {
      text += chunk;
      if (text.trimEnd().endsWith('}')) resolve(JSON.parse(text));
    });
  });
}

async function register(port) {
  const reply = await fetch(`${url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'Conformance', redirect_uris: [`http://127.0.0.1:${port}/callback`], token_endpoint_auth_method: 'none' }),
  });
  if (reply.status !== 201) throw new Error(`registration answered ${reply.status}: ${await reply.text()}`);
  return reply.json();
}

function run(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [suite, ...args, '--verbose']);
    let output = '';
    let asked = false;
    const hear = (chunk) => {
      output += chunk;
      const address = output.match(/^(http\S+\/oauth\/authorize\?\S+)$/m)?.[1];
      if (!address || asked) return;
      asked = true;
      letIn(address, key, 'allow', new Browser()).catch((error) => {
        output += error.stack;
        child.kill();
      });
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', (code) => resolve({ code, output }));
  });
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
