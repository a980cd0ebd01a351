// The migration guide's own "After" program, TypeScript. Only the address and the ids are this server's.
import { Composio, SessionPreset } from '@composio/core';

const composio = new Composio({ apiKey: process.env.COMPOSIO_API_KEY });
const authConfigs = { gmail: process.env.AUTH_CONFIG_ID };

const session = await composio.create(process.env.GUIDE_USER, {
  toolkits: ['gmail'],
  authConfigs,
  tools: { gmail: { enable: ['GMAIL_FETCH_EMAILS', 'GMAIL_SEND_EMAIL'] } },
});
const { mcp } = session;
const mcpUrl = mcp.url;

const direct = await composio.create(process.env.GUIDE_USER, {
  toolkits: ['gmail'],
  authConfigs,
  tools: { gmail: { enable: ['GMAIL_FETCH_EMAILS', 'GMAIL_SEND_EMAIL'] } },
  sessionPreset: SessionPreset.DIRECT_TOOLS,
});
const tools = await direct.tools();
const dynamic = await session.tools();

console.log(JSON.stringify({
  mcpUrl,
  directUrl: direct.mcp.url,
  direct: tools.map((tool) => tool.function.name),
  dynamic: dynamic.map((tool) => tool.function.name),
}));
