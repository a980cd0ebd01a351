// A real OAuth and OpenID server (npm package "oidc-provider"): PKCE is required, refresh tokens rotate, and one that is used twice
// ends the whole grant.
//
//   node oidc.mjs PORT REDIRECT_URI
//
// Any name and password signs in. POST /__bed {"reuse": true} presents a refresh token that was used before, as a thief would,
// and answers what the server said; GET /__bed answers how often tokens were renewed and the tokens that were issued.
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';
import { OIDC_CLIENT } from './settings.mjs';

const [port, redirect] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const key = { ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'k1' };
const issued = new Set();
const renewed = []; // refresh tokens that were used
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
  ],
  jwks: { keys: [key] },
  cookies: { keys: ['bed'] },
  pkce: { required: () => true },
  scopes: ['openid', 'email', 'profile', 'offline_access'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  findAccount: async (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, email: `${id}@example.com`, email_verified: true, name: id }) }),
  features: { devInteractions: { enabled: true }, revocation: { enabled: true } },
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  ttl: { AccessToken: 2, AuthorizationCode: 60, RefreshToken: 3600, IdToken: 600, Interaction: 600, Session: 3600, Grant: 7200 },
});
provider.on('grant.revoked', () => revokedGrants++);
provider.use(async (ctx, next) => {
  if (ctx.path === '/__bed') {
    ctx.body = ctx.method === 'POST' ? await reuse() : { renewals: renewed.length, revokedGrants, issued: [...issued] };
    return;
  }
  await next();
  if (ctx.path !== '/token' || ctx.status !== 200) return;
  for (const name of ['access_token', 'refresh_token', 'id_token']) if (ctx.body[name]) issued.add(ctx.body[name]);
  if (ctx.oidc?.params?.grant_type === 'refresh_token') renewed.push(ctx.oidc.params.refresh_token);
});

async function reuse() {
  const basic = Buffer.from(`${OIDC_CLIENT.id}:${OIDC_CLIENT.secret}`).toString('base64');
  const reply = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: renewed.at(-1) }),
  });
  return { status: reply.status, said: await reply.json() };
}

provider.listen(Number(port), '127.0.0.1');
