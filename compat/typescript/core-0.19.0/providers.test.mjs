// The framework adapters: what session.tools() gives each of them, and a tool run through the adapter's own way.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnthropicProvider } from '@composio/anthropic';
import { Composio } from '@composio/core';
import { GoogleProvider } from '@composio/google';
import { LangchainProvider } from '@composio/langchain';
import { OpenAIProvider, OpenAIResponsesProvider } from '@composio/openai';
import { VercelProvider } from '@composio/vercel';
import { META_TOOLS } from '../suite/session.mjs';
import { newUser, options } from '../suite/harness.mjs';

const USER = 'HACKERNEWS_GET_USER';

async function sessionTools(provider) {
  const composio = new Composio({ ...options(), provider });
  const session = await composio.create(newUser(), { toolkits: ['hackernews'] });
  return { composio, session, tools: await session.tools() };
}

const names = {
  openai: (tools) => tools.map((t) => t.function.name),
  named: (tools) => tools.map((t) => t.name),
  keyed: (tools) => Object.keys(tools),
};

for (const [label, provider, namesOf] of [
  ['OpenAI chat', () => new OpenAIProvider(), names.openai],
  ['OpenAI responses', () => new OpenAIResponsesProvider(), names.named],
  ['Anthropic', () => new AnthropicProvider(), names.named],
  ['Google', () => new GoogleProvider(), names.named],
  ['Vercel', () => new VercelProvider(), names.keyed],
  ['LangChain', () => new LangchainProvider(), names.named],
]) {
  test(`${label}: session.tools() wraps every meta tool`, async () => {
    const { tools } = await sessionTools(provider());
    assert.deepEqual([...namesOf(tools)].sort(), [...META_TOOLS].sort());
  });
}

test('Vercel: a wrapped meta tool runs', async () => {
  const { tools } = await sessionTools(new VercelProvider());
  const answer = await tools.COMPOSIO_GET_TOOL_SCHEMAS.execute({ tool_slugs: [USER] }, { toolCallId: 'call_1', messages: [] });
  const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
  assert.match(text, new RegExp(USER));
});

test('LangChain: a wrapped meta tool runs', async () => {
  const { tools } = await sessionTools(new LangchainProvider());
  const schemas = tools.find((t) => t.name === 'COMPOSIO_GET_TOOL_SCHEMAS');
  assert.match(JSON.stringify(await schemas.invoke({ tool_slugs: [USER] })), new RegExp(USER));
});

test('OpenAI: handleToolCalls runs a meta tool that arrives without a session id', async () => {
  const { composio, session } = await sessionTools(new OpenAIProvider());
  const messages = await composio.provider.handleToolCalls(session.config?.userId ?? 'somebody', {
    id: 'chatcmpl_1',
    object: 'chat.completion',
    created: 0,
    model: 'none',
    choices: [
      {
        index: 0,
        finish_reason: 'tool_calls',
        logprobs: null,
        message: {
          role: 'assistant',
          content: null,
          refusal: null,
          tool_calls: [
            {
              id: 'call_1',
              type: 'function',
              function: { name: 'COMPOSIO_GET_TOOL_SCHEMAS', arguments: JSON.stringify({ tool_slugs: [USER] }) },
            },
          ],
        },
      },
    ],
  });
  assert.match(JSON.stringify(messages), new RegExp(USER));
});

test('Anthropic: executeToolCall runs a meta tool that arrives without a session id', async () => {
  const { composio } = await sessionTools(new AnthropicProvider());
  const answer = await composio.provider.executeToolCall(newUser(), {
    type: 'tool_use',
    id: 'toolu_1',
    name: 'COMPOSIO_GET_TOOL_SCHEMAS',
    input: { tool_slugs: [USER] },
  });
  assert.match(JSON.stringify(answer), new RegExp(USER));
});
