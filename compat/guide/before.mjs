// The migration guide's own "Before" program, TypeScript. Only the address and the ids are this server's.
import { Composio } from '@composio/core';

const composio = new Composio({ apiKey: process.env.COMPOSIO_API_KEY });

const server = await composio.mcp.create('my-gmail-server', {
  toolkits: [{ toolkit: 'gmail', authConfigId: process.env.AUTH_CONFIG_ID }],
  allowedTools: ['GMAIL_FETCH_EMAILS', 'GMAIL_SEND_EMAIL'],
});
const instance = await composio.mcp.generate(process.env.GUIDE_USER, server.id);
const mcpUrl = instance.url;

console.log(JSON.stringify({ id: server.id, mcpUrl }));
