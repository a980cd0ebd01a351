// A protected resource: it says who may let people in (RFC 9728), and asks there what a token is worth (RFC 7662). A token that was
// given out for another resource, or for none, does not open it.
//
//   node resource.mjs PORT ISSUER
import http from 'node:http';
import { RESOURCE_CLIENT, RESOURCE_SCOPE } from './settings.mjs';

const [port, issuer] = process.argv.slice(2);
const origin = `http://127.0.0.1:${port}`;
const resource = `${origin}/api`;
const metadata = `${origin}/.well-known/oauth-protected-resource/api`;
const basic = Buffer.from(`${RESOURCE_CLIENT.id}:${RESOURCE_CLIENT.secret}`).toString('base64');

http
  .createServer(async (request, response) => {
    const url = `${origin}${request.url}`;
    if (url === metadata) return answer(response, 200, { resource, authorization_servers: [issuer], scopes_supported: [RESOURCE_SCOPE] });
    if (url !== `${resource}/me`) return answer(response, 404, { error: 'not_found' });
    const token = request.headers.authorization?.match(/^Bearer (.+)$/)?.[1];
    const said = token ? await introspect(token) : { active: false };
    const error = refusal(said);
    if (error) return answer(response, 401, { error }, { 'www-authenticate': `Bearer error="${error}", resource_metadata="${metadata}"` });
    answer(response, 200, { sub: said.sub, email: `${said.sub}@example.com`, client: said.client_id, scope: said.scope });
  })
  .listen(Number(port), '127.0.0.1');

function refusal({ active, aud, scope = '' }) {
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
