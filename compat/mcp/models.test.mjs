// Endpoints of models beside the search, played by aimock (npm): its chat model words the plan, its embeddings know nothing of what
// texts mean, and its failures must cost a search nothing.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { LLMock } from '@copilotkit/aimock';

const key = 'ak_modelsmodelsmodelsmodels';
const useCase = 'open an issue about the broken login in GitHub';

// A server of our own, with both endpoints at aimock. Its log is what it has said so far.
async function serve(t, model) {
  const data = mkdtempSync(join(tmpdir(), 'patchbay-models-'));
  const endpoint = (name) => ({ [`PATCHBAY_SEARCH_${name}_URL`]: `${model.url}/v1`, [`PATCHBAY_SEARCH_${name}_MODEL`]: 'any' });
  const child = spawn(process.env.BED_BINARY, ['serve', '--listen', '127.0.0.1:0', '--data', data], {
    cwd: data,
    env: { ...process.env, PATCHBAY_API_KEY: key, ...endpoint('CHAT'), ...endpoint('EMBEDDINGS') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill();
    await ended;
    rmSync(data, { recursive: true, force: true, maxRetries: 10 });
  });
  const said = { log: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said.log += text));
  await until('serving', () => {
    assert.equal(child.exitCode, null, said.log);
    return /"msg":"serving"/.test(said.log);
  });
  return { url: said.log.match(/"url":"(http:[^"]+)"/)[1], said };
}

async function until(what, done) {
  for (let i = 0; i < 600; i++) {
    if (await done()) return;
    await pause(50);
  }
  assert.fail(`not ${what}`);
}

async function post(url, path, body) {
  const res = await fetch(`${url}/api/v3.1${path}`, { method: 'POST', headers: { 'x-api-key': key, 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const answer = await res.json();
  assert.ok(res.ok, `${path}: ${res.status} ${JSON.stringify(answer)}`);
  return answer;
}

test('a chat model words the plan, and what it makes up is left out', async (t) => {
  const model = new LLMock({ port: 0 });
  model.onMessage(/broken login/, {
    content: JSON.stringify({
      steps: [
        { tool: 'GITHUB_CREATE_AN_ISSUE', do: 'Open the issue with the login as its title.' },
        { tool: 'GITHUB_INVENTED', do: 'Do something that no tool does.' },
      ],
    }),
  });
  await model.start();
  t.after(() => model.stop());
  const { url, said } = await serve(t, model);
  const { session_id } = await post(url, '/tool_router/session', { user_id: 'alice', toolkits: { enable: ['github', 'slack'] } });
  const search = async (query) => (await post(url, `/tool_router/session/${session_id}/search`, { queries: [{ use_case: query }] })).results[0];

  const found = await search(useCase);
  assert.equal(found.primary_tool_slugs[0], 'GITHUB_CREATE_AN_ISSUE');
  const plan = found.recommended_plan_steps.join('\n');
  assert.match(plan, /Open the issue with the login as its title\./);
  assert.doesNotMatch(plan, /INVENTED|no tool does/);

  const chats = model.getRequests().filter((r) => r.path.endsWith('/chat/completions'));
  assert.equal(chats.length, 1);
  assert.ok(!JSON.stringify(chats).includes('alice'), 'a user was told to the model');
  await search(useCase);
  assert.equal(model.getRequests().filter((r) => r.path.endsWith('/chat/completions')).length, 1, 'the same question was asked again');

  // Vectors that say nothing of what texts mean are refused before a search goes by them.
  await until('refused', () => /does not tell/.test(said.log));
  assert.ok(model.getRequests().some((r) => r.path.endsWith('/embeddings')));
});

for (const [name, chaos] of [
  ['errors', { dropRate: 1 }],
  ['answers that are none', { malformedRate: 1 }],
  ['connections that break', { disconnectRate: 1 }],
]) {
  test(`endpoints with ${name} cost a search its plan's words and nothing else`, async (t) => {
    const model = new LLMock({ port: 0, chaos });
    model.onMessage(/./, { content: '{"steps":[{"tool":"GITHUB_CREATE_AN_ISSUE","do":"Never said."}]}' });
    await model.start();
    t.after(() => model.stop());
    const { url } = await serve(t, model);
    const { session_id } = await post(url, '/tool_router/session', { user_id: 'alice', toolkits: { enable: ['github'] } });
    const { results } = await post(url, `/tool_router/session/${session_id}/search`, { queries: [{ use_case: useCase }] });
    assert.equal(results[0].primary_tool_slugs[0], 'GITHUB_CREATE_AN_ISSUE');
    assert.ok(results[0].recommended_plan_steps.length > 0, 'no plan at all');
    assert.doesNotMatch(results[0].recommended_plan_steps.join('\n'), /Never said/);
    assert.ok(model.getRequests().length > 0, 'the endpoint was not asked');
  });
}
