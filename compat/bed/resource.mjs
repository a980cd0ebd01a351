// Protected resources: each says who may let people in (RFC 9728), and asks there what a token is worth (RFC 7662). A token that was
// given out for another resource, or for none, does not open it.
//
//   node resource.mjs PORT ISSUER
//
// /api/me says who asks. /mcp is whatever MCP server POST /__bed {"mcp": URL} names, behind the same gate; GET /__bed answers who
// called it.
import http from 'node:http';
import { RESOURCE_CLIENT, RESOURCE_SCOPE } from './settings.mjs';

const [port, issuer] = process.argv.slice(2);
const origin = `http://127.0.0.1:${port}`;
const resources = ['/api', '/mcp'];
const basic = Buffer.from(`${RESOURCE_CLIENT.id}:${RESOURCE_CLIENT.secret}`).toString('base64');
const callers = [];
let mcp;

http
  .createServer(async (request, response) => {
    if (request.url === '/__bed') return answer(response, 200, request.method === 'POST' ? await point(request) : { callers });
    const [, described] = request.url.match(/^\/\.well-known\/oauth-protected-resource(\/.+)$/) ?? [];
    if (resources.includes(described)) {
      return answer(response, 200, { resource: origin + described, authorization_servers: [issuer], scopes_supported: [RESOURCE_SCOPE] });
    }
    const path = resources.find((r) => request.url === r || request.url.startsWith(`${r}/`));
    if (!path) return answer(response, 404, { error: 'not_found' });
    const token = request.headers.authorization?.match(/^Bearer (.+)$/)?.[1];
    const said = token ? await introspect(token) : { active: false };
    const error = refusal(said, origin + path);
    if (error) {
      const metadata = `${origin}/.well-known/oauth-protected-resource${path}`;
      return answer(response, 401, { error }, { 'www-authenticate': `Bearer error="${error}", resource_metadata="${metadata}"` });
    }
    if (path === '/mcp') return pass(request, response, said.sub);
    answer(response, 200, { sub: said.sub, email: `${said.sub}@example.com`, client: said.client_id, scope: said.scope });
  })
  .listen(Number(port), '127.0.0.1');

async function point(request) {
  ({ mcp } = JSON.parse((await request.toArray()).join('')));
  return { mcp };
}

function pass(request, response, sub) {
  callers.push(sub);
  const { authorization, host, ...headers } = request.headers; // a token is for this resource, not for what is behind it
  const onward = http.request(mcp, { method: request.method, headers }, (reply) => {
    response.writeHead(reply.statusCode, reply.headers);
    reply.pipe(response);
  });
  onward.on('error', () => request.socket.destroy()); // as if it had died itself
  response.on('close', () => onward.destroy());
  request.pipe(onward);
}

function refusal({ active, aud, scope = '' }, resource) {
  if (!active || ![aud].flat().includes(resource)) return 'invalid_token';
  return scope.split(' ').includes(RESOURCE_SCOPE) ? '' : 'insufficient_scope';
}

async function introspect(token) {
  const reply = await fetch(`${issuer}/token/introspection`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ token }),
  });
  return reply.json();
}

function answer(response, status, body, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
