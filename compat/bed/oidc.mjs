// A real OAuth and OpenID server (npm package "oidc-provider"): PKCE is required, refresh tokens rotate, and one that is used twice
// ends the whole grant. Clients may register themselves (RFC 7591), and a token is good for one resource (RFC 8707).
//
//   node oidc.mjs PORT REDIRECT_URI
//
// Any name and password signs in. POST /__bed {"reuse": true} presents the refresh token that was used last once more, as a thief
// would, and answers what the server said; GET /__bed answers how often tokens were renewed, who registered and what was issued.
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';
import { OIDC_CLIENT, RESOURCE_CLIENT, RESOURCE_SCOPE } from './settings.mjs';

const [port, redirect] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const key = { ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'k1' };
const issued = new Set();
const renewed = []; // refresh tokens that were used, and the clients that used them
const registered = []; // what clients said of themselves
let revokedGrants = 0;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: OIDC_CLIENT.id,
      client_secret: OIDC_CLIENT.secret,
      redirect_uris: [redirect],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: OIDC_CLIENT.method,
    },
    // the resource server, which only asks what a token is worth
    { client_id: RESOURCE_CLIENT.id, client_secret: RESOURCE_CLIENT.secret, redirect_uris: [], grant_types: [], response_types: [] },
  ],
  jwks: { keys: [key] },
  cookies: { keys: ['bed'] },
  pkce: { required: () => true },
  scopes: ['openid', 'email', 'profile', 'offline_access', RESOURCE_SCOPE],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  findAccount: async (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, email: `${id}@example.com`, email_verified: true, name: id }) }),
  features: {
    devInteractions: { enabled: true },
    revocation: { enabled: true },
    introspection: { enabled: true },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      getResourceServerInfo: (_ctx, resource) => ({ scope: RESOURCE_SCOPE, audience: resource, accessTokenTTL: 2, accessTokenFormat: 'opaque' }),
    },
  },
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  ttl: { AccessToken: 2, AuthorizationCode: 60, RefreshToken: 3600, IdToken: 600, Interaction: 600, Session: 3600, Grant: 7200 },
});
provider.on('grant.revoked', () => revokedGrants++);
provider.use(async (ctx, next) => {
  if (ctx.path === '/__bed') {
    ctx.body = ctx.method === 'POST' ? await reuse() : { renewals: renewed.length, revokedGrants, registered, issued: [...issued] };
    return;
  }
  await next();
  if (ctx.path === '/reg' && ctx.status === 201) {
    registered.push(ctx.body);
    for (const name of ['client_secret', 'registration_access_token']) if (ctx.body[name]) issued.add(ctx.body[name]);
  }
  if (ctx.path !== '/token' || ctx.status !== 200) return;
  for (const name of ['access_token', 'refresh_token', 'id_token']) if (ctx.body[name]) issued.add(ctx.body[name]);
  if (ctx.oidc?.params?.grant_type === 'refresh_token') renewed.push({ token: ctx.oidc.params.refresh_token, client: ctx.oidc.client });
});

async function reuse() {
  const { token, client } = renewed.at(-1);
  const isPublic = client.clientAuthMethod === 'none';
  const basic = Buffer.from(`${client.clientId}:${client.clientSecret}`).toString('base64');
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token });
  if (isPublic) form.set('client_id', client.clientId);
  const reply = await fetch(`${issuer}/token`, { method: 'POST', headers: isPublic ? {} : { authorization: `Basic ${basic}` }, body: form });
  return { status: reply.status, said: await reply.json() };
}

provider.listen(Number(port), '127.0.0.1');
