// Runs sampled tools through a server against mocks made of the very descriptions the tools come from. The mock (Prism) checks
// every request against the description and says what is wrong with it.
//
//   node execute.mjs PATCHBAY_BINARY TOOLKITS_DIRECTORY COUNT [SEED [TOOLKIT…]]
//
// Another seed chooses other tools; with toolkits named, tools of those only. What is proven to be a mistake of the mock's, or of a
// description's, is in known.json below "mock", with the proof.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Impossible, object } from './arguments.mjs';
import { random, shuffled, toolkits } from './sample.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const modules = process.env.COMPAT_MODULES ?? join(here, 'node_modules');
const [binary, directory, count, seed] = [process.argv[2], process.argv[3], Number(process.argv[4] ?? 100), Number(process.argv[5] ?? 100)];
const only = process.argv.slice(6);
const known = JSON.parse(readFileSync(join(here, 'known.json'), 'utf8')).mock;
const PER_TOOLKIT = 4;
const SECRET = 'secret1secret1secret1'; // some descriptions say of what characters a key is
const LARGEST = 3 << 20; // bytes of a description: Prism needs long for larger ones
const next = random(seed);
const work = mkdtempSync(join(tmpdir(), 'patchbay-openapi-'));
const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(work, { recursive: true, force: true });
});

const chosen = choose();
const key = 'ak_compat_0123456789abcdefghijklmnopqrstuvwxyz';
const server = await startPatchbay();
let executed = 0;
let used = 0;
let unloadable = 0;
const invalid = [];
const excused = [];
for (const one of chosen) {
  if (executed >= count) break;
  let mocked = false;
  for (const { calls, description } of groups(one)) {
    const mock = await startMock(one, description);
    if (!mock) continue;
    mocked = true;
    for (const call of calls) {
      if (executed >= count) break;
      mock.said = '';
      const refused = await execute(one.toolkit, call);
      if (refused) await new Promise((done) => setTimeout(done, 200)); // the mock says why after it has answered
      const violations = mock.said.match(/Violation: request.*|\[VALIDATOR\] \S+ +error .*/g) ?? [];
      executed++;
      if (!refused && violations.length === 0) continue;
      const problem = [refused, ...new Set(violations)].filter(Boolean).join('; ');
      const line = `${call.tool.slug} ${JSON.stringify(call.arguments).slice(0, 300)}: ${problem}`;
      const excuse = known.find((k) => new RegExp(k.tool).test(call.tool.slug) && violations.length > 0 && violations.every((v) => v.includes(k.says)));
      if (excuse) excused.push(`${line}\n  ${excuse.whose ?? "the mock's"} mistake: ${excuse.proof}`);
      else invalid.push(line);
    }
    mock.kill('SIGKILL');
    await mock.ended;
  }
  if (mocked) used++;
  else unloadable++;
}
for (const line of [...excused, ...invalid]) console.log(line);
console.log(
  `seed ${seed}: ${executed} executions of ${used} toolkits, ${invalid.length} invalid requests, ${excused.length} that are wrongly taken for invalid` +
    ` (${unloadable} descriptions that the mock cannot load)`,
);
process.exit((executed >= count || only.length > 0) && invalid.length === 0 ? 0 : 1);

// groups puts the calls of a toolkit together that one mock can take. Some descriptions tell operations of one path apart by what
// stands behind a # in it, which no request carries: each of those has a mock of its own, made of a description in which it is the
// only one.
function groups({ toolkit, calls }) {
  const text = readFileSync(toolkit.source.url, 'utf8');
  const whole = text.startsWith('{') && text.includes('#') ? JSON.parse(text) : {};
  const together = { calls: [], description: toolkit.source.url };
  const out = [];
  for (const call of calls) {
    const path = Object.keys(whole.paths ?? {}).find((p) => isOf(p, whole.paths[p], call.tool));
    if (!path) {
      together.calls.push(call);
      continue;
    }
    const description = join(work, `${call.tool.slug}.json`);
    writeFileSync(description, JSON.stringify({ ...whole, paths: { [path.split('#')[0]]: whole.paths[path] } }));
    out.push({ calls: [call], description });
  }
  return together.calls.length > 0 ? [together, ...out] : out;
}

// isOf says whether a path with a # is the one of a tool: the tool always sends what stands behind it.
function isOf(path, item, tool) {
  const [bare, behind] = path.split('#');
  if (behind === undefined || bare !== tool.http?.path || !(tool.http.method.toLowerCase() in item)) return false;
  return behind.split('&').every((pair) => {
    const [name, value] = pair.split('=');
    return value === undefined || (tool.http.parameters ?? []).some((p) => (p.as ?? p.argument) === name && p.fixed === value);
  });
}

// choose takes a few tools of some toolkits, more than are needed: some descriptions are not loaded by the mock.
function choose() {
  const out = [];
  for (const toolkit of toolkits(directory, next)) {
    if (out.length * PER_TOOLKIT >= count * 3) break;
    if (only.length > 0 && !only.includes(toolkit.slug)) continue;
    if (statSync(toolkit.source.url).size > LARGEST) continue;
    const calls = [];
    for (const tool of shuffled(toolkit.tools ?? [], next)) {
      if (calls.length === PER_TOOLKIT) break;
      try {
        calls.push({ tool, arguments: object(tool.input, next) });
      } catch (error) {
        if (!(error instanceof Impossible)) throw error;
      }
    }
    if (calls.length > 0) out.push({ toolkit, calls, port: 0 });
  }
  return out;
}

async function startPatchbay() {
  const dir = join(work, 'toolkits');
  mkdirSync(dir);
  const settings = ['outbound: {allow: [127.0.0.1/32]}', `data: ${join(work, 'data')}`, `toolkit_dirs: [${dir}]`, 'toolkits:'];
  for (const one of chosen) {
    one.port = await freePort();
    writeFileSync(join(dir, `${one.toolkit.slug}.json`), JSON.stringify(one.toolkit));
    settings.push(`  ${one.toolkit.slug}: {base_url: "http://127.0.0.1:${one.port}"}`);
  }
  const port = await freePort();
  settings.push(`listen: 127.0.0.1:${port}`);
  const file = join(work, 'patchbay.yaml');
  writeFileSync(file, settings.join('\n'));
  const child = start(binary, ['serve', '--config', file], { PATCHBAY_API_KEY: key });
  if (!(await reachable(`http://127.0.0.1:${port}/readyz`, child, 60))) throw new Error(`the server does not start: ${child.said}`);
  return `http://127.0.0.1:${port}`;
}

async function startMock(one, description) {
  const entry = join(modules, '@stoplight', 'prism-cli', 'dist', 'index.js');
  const node = join(modules, 'node', 'bin', 'node');
  const child = start(node, [entry, 'mock', description, '--port', String(one.port), '--errors', '--multiprocess', 'false']);
  if (await reachable(`http://127.0.0.1:${one.port}/`, child, 60)) return child;
  child.kill('SIGKILL');
  return undefined;
}

// execute gives what the mock finds wrong with a request; nothing for a valid one, whatever its answer is.
async function execute(toolkit, { tool, arguments: given }) {
  const auth = toolkit.auth?.[0];
  const body = { user_id: 'ada', arguments: given, version: 'latest' };
  if (auth && auth.mode !== 'NO_AUTH') body.custom_connection_data = { authScheme: auth.mode, toolkitSlug: toolkit.slug, val: credentials(auth) };
  const reply = await fetch(`${server}/api/v3.1/tools/execute/${tool.slug}`, {
    method: 'POST', headers: { 'content-type': 'application/json', 'x-api-key': key }, body: JSON.stringify(body),
  });
  const answer = await reply.json();
  if (!reply.ok) return `the server refused it: ${JSON.stringify(answer).slice(0, 400)}`;
  const complaint = JSON.stringify(answer.error ?? '');
  // Prism answers 4xx to what is not as described; with a 5xx it says that it could not make up an answer.
  return / answered 4\d\d /.test(complaint) ? complaint.slice(0, 600) : undefined;
}

function credentials(auth) {
  const val = {
    access_token: SECRET, token: SECRET, api_key: SECRET, generic_api_key: SECRET, username: 'ada', password: SECRET, client_id: 'c', client_secret: 's',
  };
  for (const field of auth.account_fields ?? []) val[field.Name] = field.Default || SECRET;
  return val;
}

function start(file, args, env = {}) {
  const child = spawn(file, args, { cwd: work, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  child.said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (child.said = (child.said + data).slice(-16000)));
  child.ended = new Promise((done) => child.on('exit', done));
  child.on('exit', () => (child.gone = children.delete(child)));
  children.add(child);
  return child;
}

async function reachable(url, child, seconds) {
  for (let i = 0; i < seconds * 5 && !child.gone; i++) {
    try {
      await fetch(url);
      return true;
    } catch {
      await new Promise((done) => setTimeout(done, 200));
    }
  }
  return false;
}

function freePort() {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}
