// A strict gate in front of one emulated provider.
//
// The emulator is generous where the real provider is not: any unknown bearer token acts as its first user, tokens never
// end, revoked ones fall back to somebody else. Isolation, expiry and revocation cannot be proven against that. The gate
// lets only those tokens through that the emulator's own token endpoint has issued and that are still alive, answers the
// rest in the provider's own shape, and injects faults on demand.
//
// Where the emulator has no endpoint to revoke tokens (github, slack), the gate answers as the provider documents it.
//
// Control:  POST /__gate  {"expire": TOKEN|"*"} {"revoke": TOKEN|"*"} {"ttl": SECONDS} {"deny": true} {"clear": true}
//                         {"endGrants": true} as if the person had removed the app's access: no token and no refresh token works any more
//                         {"fault": {"status", "headers", "body", "drop", "delayMs", "count", "path", "method"}}
//           GET  /__gate  -> counters, refresh tokens (the newest last) and the requests that were let through since the last read with ?drain=1
import http from 'node:http';

const DIALECTS = {
  github: {
    token: /^\/login\/oauth\/access_token$/,
    open: /^\/(login\/oauth|settings|_emulate|$)/,
    anonymous: true,
    ends: { path: /^\/applications\/[^/]+\/token$/, token: (_request, body) => JSON.parse(body).access_token, reply: [204, ''] },
    refuse: [401, { message: 'Bad credentials', documentation_url: 'https://docs.github.com/rest', status: '401' }],
  },
  google: {
    token: /^\/oauth2\/token$/,
    revoke: /^\/oauth2\/revoke$/,
    open: /^\/(o\/oauth2|oauth2\/(token|revoke|v3)|\.well-known|discovery|_emulate|$)/,
    refuse: [
      401,
      { error: { code: 401, message: 'Request had invalid authentication credentials.', status: 'UNAUTHENTICATED' } },
      { 'www-authenticate': 'Bearer realm="https://accounts.google.com/", error="invalid_token"' },
    ],
  },
  slack: {
    token: /^\/api\/oauth\.v2\.access$/,
    open: /^\/(oauth|api\/oauth|services|upload|_emulate|$)/,
    anonymous: true,
    ends: { path: /^\/api\/auth\.revoke$/, token: (request) => bearerOf(request), reply: [200, { ok: true, revoked: true }] },
    refuse: [200, { ok: false, error: 'invalid_auth' }],
    refuseExpired: [200, { ok: false, error: 'token_expired' }],
  },
  linear: {
    token: /^\/oauth\/token$/,
    revoke: /^\/oauth\/revoke$/,
    open: /^\/(oauth|_emulate|$)/,
    bareToken: true, // API keys come without "Bearer"
    refuse: [
      401,
      { errors: [{ message: 'Authentication required, not authenticated', extensions: { code: 'AUTHENTICATION_ERROR' } }] },
    ],
  },
  microsoft: {
    token: /^\/oauth2\/v2\.0\/token$/,
    revoke: /^\/oauth2\/v2\.0\/revoke$/,
    open: /^\/(oauth2|\.well-known|discovery|_emulate|$)/,
    refuse: [401, { error: { code: 'InvalidAuthenticationToken', message: 'Lifetime validation failed, the token is expired.' } }],
  },
  okta: {
    token: /^\/oauth2\/default\/v1\/token$/,
    revoke: /^\/oauth2\/default\/v1\/revoke$/,
    open: /^\/(oauth2\/default\/(v1\/(authorize|token|revoke|keys)|\.well-known)|_emulate|$)/,
    refuse: [401, { error: 'invalid_token', error_description: 'The access token is invalid.' }],
  },
  zitadel: { // no emulator: a real server, whose tokens live for five minutes unless the gate ends them
    token: /^\/oauth\/token$/,
    revoke: /^\/revoke$/,
    open: /^\/(auth|login|oauth\/token|revoke|\.well-known|$)/,
    refuse: [401, { error: 'access_denied', error_description: 'access token invalid' }],
  },
};

/** Starts a gate for provider in front of the emulator at target. Resolves to { url, close }. */
export function startGate(provider, target, port = 0) {
  const dialect = DIALECTS[provider];
  const upstream = new URL(target);
  const own = `http://localhost:${upstream.port}`; // what servers call themselves that know their port only
  const alive = new Map(); // token -> time it ends, in ms
  const renewable = new Set(); // refresh tokens
  const issued = new Set(); // all of them, and codes
  const counters = { requests: 0, token: 0, refresh: 0, unauthorized: 0, faults: 0 };
  let faults = [];
  let seen = [];
  let ttl = 0;
  let denyNext = false;

  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const path = request.url.split('?')[0];
    if (path === '/__gate') return control(request, body, response);

    counters.requests++;
    const fault = faults.find((f) => f.count > 0 && matches(f, request));
    if (fault) {
      fault.count--;
      counters.faults++;
      if (fault.drop) return request.socket.destroy();
      if (fault.status) return answer(response, fault.status, fault.body ?? { message: 'injected' }, fault.headers);
      if (fault.delayMs) await new Promise((done) => setTimeout(done, fault.delayMs));
    }
    if (denyNext && request.method === 'GET' && /authorize|\/auth$/.test(path)) {
      denyNext = false;
      return redirectDenied(request, response);
    }
    if (dialect.ends?.path.test(path)) {
      const token = dialect.ends.token(request, body);
      return alive.delete(token) ? answer(response, ...dialect.ends.reply) : answer(response, ...dialect.refuse);
    }
    if (dialect.token.test(path) && isDead(body)) return answer(response, 400, { error: 'invalid_grant', error_description: 'The grant was ended.' });
    if (!dialect.open.test(path) && !admitted(request, response)) return;
    forward(request, body, path, response);
  });

  function control(request, body, response) {
    if (request.method === 'POST') {
      const order = JSON.parse(body.toString() || '{}');
      const each = (which, act) => (which === '*' ? [...alive.keys()] : [which]).forEach(act);
      if (order.expire) each(order.expire, (token) => alive.set(token, 0));
      if (order.revoke) each(order.revoke, (token) => alive.delete(token));
      if (order.endGrants) alive.clear(), renewable.clear();
      if (order.fault) faults.push({ count: 1, ...order.fault });
      if (order.deny) denyNext = true;
      if (order.ttl !== undefined) ttl = order.ttl;
      if (order.clear) faults = [];
    }
    const report = { ...counters, alive: alive.size, ttl, seen, issued: [...issued], renewable: [...renewable] };
    if (request.url.includes('drain=1')) seen = [];
    answer(response, 200, report);
  }

  function admitted(request, response) {
    const header = request.headers.authorization ?? '';
    let token = bearerOf(request);
    if (!token && dialect.bareToken && !/^basic/i.test(header)) token = header;
    if (!token && dialect.anonymous) return true;
    if (token && alive.get(token) > Date.now()) return true;
    counters.unauthorized++;
    const expired = token && alive.has(token) && dialect.refuseExpired;
    answer(response, ...(expired || dialect.refuse));
    return false;
  }

  function isDead(body) {
    const form = new URLSearchParams(body.toString());
    return form.get('grant_type') === 'refresh_token' && !renewable.has(form.get('refresh_token'));
  }

  function forward(request, body, path, response) {
    seen.push({ method: request.method, url: request.url });
    const headers = { ...request.headers };
    const isToken = dialect.token.test(path);
    if (isToken) {
      counters.token++;
      if (/grant_type=refresh_token/.test(body.toString())) counters.refresh++;
      body = basicIntoBody(headers, body);
    }
    if (dialect.revoke?.test(path)) {
      const token = new URLSearchParams(body.toString()).get('token');
      alive.delete(token);
      renewable.delete(token);
    }
    headers['content-length'] = body.length;
    delete headers['transfer-encoding'];

    const onward = http.request(
      { host: upstream.hostname, port: upstream.port, method: request.method, path: request.url, headers },
      async (reply) => {
        const parts = [];
        for await (const part of reply) parts.push(part);
        let out = Buffer.concat(parts);
        if (isToken && reply.statusCode === 200) out = rememberTokens(out);
        const code = reply.headers.location?.match(/[?&]code=([^&]+)/)?.[1];
        if (code) issued.add(code);
        const replyHeaders = { ...reply.headers, 'content-length': out.length };
        if (replyHeaders.location?.startsWith(own)) replyHeaders.location = replyHeaders.location.slice(own.length); // stay at the gate
        delete replyHeaders['transfer-encoding'];
        response.writeHead(reply.statusCode, replyHeaders);
        response.end(out);
      },
    );
    onward.on('error', (error) => answer(response, 502, { error: String(error) }));
    onward.end(body);
  }

  // The emulator's Google reads client credentials from the body only; the real one takes Basic too.
  function basicIntoBody(headers, body) {
    const basic = provider === 'google' && (headers.authorization ?? '').match(/^basic\s+(.+)$/i);
    if (!basic) return body;
    const [id, secret] = Buffer.from(basic[1], 'base64').toString().split(':');
    delete headers.authorization;
    return Buffer.from(`${body}&client_id=${encodeURIComponent(id)}&client_secret=${encodeURIComponent(secret)}`);
  }

  function rememberTokens(out) {
    let reply;
    try {
      reply = JSON.parse(out);
    } catch {
      return out;
    }
    const seconds = ttl || reply.expires_in || 1e9;
    const end = Date.now() + seconds * 1000;
    if (ttl && reply.expires_in) reply.expires_in = ttl;
    if (reply.access_token) alive.set(reply.access_token, end);
    if (reply.refresh_token) renewable.add(reply.refresh_token);
    for (const token of [reply.access_token, reply.refresh_token, reply.id_token, reply.authed_user?.access_token]) if (token) issued.add(token);
    if (reply.authed_user?.access_token) alive.set(reply.authed_user.access_token, end);
    return Buffer.from(JSON.stringify(reply));
  }

  function redirectDenied(request, response) {
    const query = new URL(request.url, upstream).searchParams;
    const back = new URL(query.get('redirect_uri'));
    back.searchParams.set('error', 'access_denied');
    back.searchParams.set('error_description', 'The user denied the request');
    back.searchParams.set('state', query.get('state') ?? '');
    response.writeHead(302, { location: back.href });
    response.end();
  }

  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => {
      resolve({ url: `http://127.0.0.1:${server.address().port}`, close: () => server.closeAllConnections() || server.close() });
    });
  });
}

function bearerOf(request) {
  return (request.headers.authorization ?? '').match(/^(?:bearer|token)\s+(.+)$/i)?.[1] ?? '';
}

function matches(fault, request) {
  return (!fault.path || new RegExp(fault.path).test(request.url)) && (!fault.method || fault.method === request.method);
}

function answer(response, status, body, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
