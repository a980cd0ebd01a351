// Starts everything a compat suite needs on loopback, runs the suite's command, stops everything:
//
//   node bed.mjs [--schemes] PATCHBAY_BINARY -- COMMAND [ARG ...]
//
// The bed: emulated GitHub, Google, Slack and Linear (npm package "emulate"), a strict gate before each of them, a Stripe that
// knows its accounts, and the patchbay binary with its own empty data directory, configured as an operator would configure it. The command finds it
// through PATCHBAY_URL, PATCHBAY_API_KEY, BED_GATES (JSON: provider -> URL of its gate) and BED_DATA (data directory). With
// --schemes there are also Microsoft, Okta, an OpenID server (BED_OIDC) with a resource that it protects (BED_RESOURCE), and the
// OpenID server whose program BED_ZITADEL_BINARY names (BED_ZITADEL); and the log says everything.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync, createWriteStream, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startGate } from './gate.mjs';
import { CLIENTS, MORE_CLIENTS, moreSeed, moreSettings, seedFile, settingsFile, zitadelPeople } from './settings.mjs';
import { startStripe } from './stripe.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const schemes = process.argv[2] === '--schemes';
const [binary, dashes, ...command] = process.argv.slice(schemes ? 3 : 2);
if (schemes && !process.env.BED_ZITADEL_BINARY) {
  console.error('BED_ZITADEL_BINARY is not set: compat/run.sh schemes builds it');
  process.exit(2);
}
if (!binary || dashes !== '--' || command.length === 0) {
  console.error('usage: node bed.mjs [--schemes] PATCHBAY_BINARY -- COMMAND [ARG ...]');
  process.exit(2);
}

const directory = mkdtempSync(join(tmpdir(), 'patchbay-bed-'));
const children = [];
const gates = {};
let stripe;
let status = 1;
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
process.on('exit', stopEverything);

try {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  await startEmulators(url);
  stripe = await startStripe();
  const oidc = schemes ? await startOIDC(url) : '';
  const resource = schemes ? await startResource(oidc) : '';
  const zitadel = schemes ? await startZitadel(url) : '';
  const key = 'ak_compat_0123456789abcdefghijklmnopqrstuvwxyz';
  await startPatchbay(url, port, key, { oidc, resource });
  status = await run({
    PATCHBAY_URL: url,
    PATCHBAY_API_KEY: key,
    BED_GATES: JSON.stringify(Object.fromEntries(Object.entries(gates).map(([name, gate]) => [name, gate.url]))),
    BED_DATA: directory,
    BED_OIDC: oidc,
    BED_RESOURCE: resource,
    BED_ZITADEL: zitadel,
    BED_BINARY: binary,
  });
} catch (error) {
  console.error(error.message);
}
process.exit(status);

async function startEmulators(patchbayURL) {
  const providers = Object.keys(schemes ? { ...CLIENTS, ...MORE_CLIENTS } : CLIENTS);
  const first = await freePortRun(providers.length);
  const seed = join(directory, 'seed.yaml');
  writeFileSync(seed, seedFile(patchbayURL) + (schemes ? moreSeed(patchbayURL) : ''));
  const entry = join(here, 'node_modules', 'emulate', 'dist', 'index.js');
  start('emulate', process.execPath, [entry, 'start', '--seed', seed, '--service', providers.join(','), '--port', String(first)]);
  for (const [index, provider] of providers.entries()) {
    const target = `http://127.0.0.1:${first + index}`;
    await reachable(target, 'emulate');
    gates[provider] = await startGate(provider, target);
  }
}

async function startOIDC(patchbayURL) {
  const port = await freePort();
  start('oidc', process.execPath, [join(here, 'oidc.mjs'), String(port), `${patchbayURL}/api/v3.1/toolkits/auth/callback`]);
  const url = `http://127.0.0.1:${port}`;
  await reachable(`${url}/.well-known/openid-configuration`, 'oidc');
  return url;
}

async function startResource(issuer) {
  const port = await freePort();
  start('resource', process.execPath, [join(here, 'resource.mjs'), String(port), issuer]);
  const url = `http://127.0.0.1:${port}`;
  await reachable(url, 'resource');
  return url;
}

// It is told its port and listens at every address.
async function startZitadel(patchbayURL) {
  const port = await freePort();
  const people = join(directory, 'zitadel-people.json');
  writeFileSync(people, zitadelPeople());
  const callback = `${patchbayURL}/api/v3.1/toolkits/auth/callback`;
  start('zitadel', process.env.BED_ZITADEL_BINARY, [], { PORT: String(port), USERS_FILE: people, REDIRECT_URI: callback });
  const url = `http://127.0.0.1:${port}`;
  await reachable(`${url}/.well-known/openid-configuration`, 'zitadel');
  gates.zitadel = await startGate('zitadel', url);
  return url;
}

async function startPatchbay(url, port, key, { oidc, resource }) {
  const settings = join(directory, 'patchbay.yaml');
  const more = schemes ? moreSettings({ gates, oidc, resource, toolkitDirs: join(here, '..', 'testdata', 'toolkits') }) : undefined;
  writeFileSync(settings, settingsFile({ port, data: join(directory, 'data'), gates, stripe: stripe.url }, more));
  start('patchbay', binary, ['serve', '--config', settings], { PATCHBAY_API_KEY: key });
  await reachable(`${url}/readyz`, 'patchbay');
}

function start(name, file, args, env = {}) {
  const log = createWriteStream(join(directory, `${name}.log`));
  const child = spawn(file, args, { cwd: directory, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  children.push(child);
}

function run(env) {
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), { stdio: 'inherit', env: { ...process.env, ...env } });
    child.on('error', (error) => {
      console.error(error.message);
      resolve(127);
    });
    child.on('exit', (code, signal) => {
      if (code !== 0) showLog('patchbay');
      resolve(signal ? 1 : code);
    });
  });
}

async function reachable(url, name) {
  for (let i = 0; i < 300; i++) {
    try {
      const reply = await fetch(url, { redirect: 'manual' });
      if (reply.status < 500) return;
    } catch {
      // not listening yet
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  showLog(name);
  throw new Error(`${name} did not answer at ${url}`);
}

function showLog(name) {
  const text = readFileSync(join(directory, `${name}.log`), 'utf8');
  console.error(`--- last lines of ${name}.log\n${text.split('\n').slice(-40).join('\n')}`);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

// The emulator takes consecutive ports from the one it is given: find a run that is free.
async function freePortRun(length) {
  for (;;) {
    const first = 20000 + Math.floor(Math.random() * 20000);
    const taken = await Promise.all(Array.from({ length }, (_, i) => isTaken(first + i)));
    if (!taken.includes(true)) return first;
  }
}

function isTaken(port) {
  return new Promise((resolve) => {
    const probe = createServer().on('error', () => resolve(true));
    probe.listen(port, () => probe.close(() => resolve(false)));
  });
}

function stopEverything() {
  for (const gate of Object.values(gates)) gate.close();
  stripe?.close();
  for (const child of children) child.kill('SIGKILL');
  if (!process.env.BED_KEEP) rmSync(directory, { recursive: true, force: true });
}
