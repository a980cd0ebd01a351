// What the emulated providers know (people, repositories, OAuth clients) and how patchbay is told to use them.

/** The OAuth client that each provider has registered for this patchbay. */
export const CLIENTS = {
  github: { id: 'Iv1.compat', secret: 'github-secret' },
  google: { id: 'compat.apps.googleusercontent.com', secret: 'google-secret' },
  slack: { id: '12345.67890', secret: 'slack-secret' },
  linear: { id: 'linear-compat', secret: 'linear-secret' },
};

/** Those of the providers that only the scheme suite uses. */
export const MORE_CLIENTS = {
  microsoft: { id: 'ms-compat', secret: 'microsoft-secret-0123456789' },
  okta: { id: 'okta-compat', secret: 'okta-secret-0123456789' },
};

export const OIDC_CLIENT = { id: 'oidc-compat', secret: 'oidc-secret-0123456789', method: 'client_secret_basic' };

/** How the protected resource asks that server about tokens, and what a token must be good for. */
export const RESOURCE_CLIENT = { id: 'resource-compat', secret: 'resource-secret-0123456789' };
export const RESOURCE_SCOPE = 'profile:read';

/** The client that Zitadel's example server has built in. Its secret is no word to look for in a log. */
export const ZITADEL_CLIENT = { id: 'web', secret: 'secret' };

/** Who may sign in there, and with which password (the file's form is the example server's). */
export const ZITADEL_PASSWORD = 'zitadel-password-0123456789';
export function zitadelPeople() {
  const person = (name, last) => ({ ID: name, Username: name, Password: ZITADEL_PASSWORD, FirstName: name, LastName: last, Email: `${name}@example.com`, EmailVerified: true });
  return JSON.stringify({ alice: person('alice', 'A'), bob: person('bob', 'B') });
}

/** The seed of the emulators, for a patchbay that lives at the given URL. */
export function seedFile(patchbayURL) {
  const redirect = `redirect_uris: ["${patchbayURL}/api/v3.1/toolkits/auth/callback"]`;
  return `
github:
  users:
    - { login: alice, name: Alice A, email: alice@example.com }
    - { login: bob, name: Bob B, email: bob@example.com }
  repos:
    - { owner: alice, name: hello-world, language: Go, auto_init: true }
    - { owner: bob, name: bobs-private, private: true, auto_init: true }
  oauth_apps:
    - { client_id: "${CLIENTS.github.id}", client_secret: "${CLIENTS.github.secret}", name: Compat, ${redirect} }
google:
  users:
    - { email: alice@example.com, name: Alice A }
    - { email: bob@example.com, name: Bob B }
  oauth_clients:
    - { client_id: "${CLIENTS.google.id}", client_secret: "${CLIENTS.google.secret}", name: Compat, ${redirect} }
  messages:
    - { id: msg1, user_email: alice@example.com, from: welcome@example.com, to: alice@example.com, subject: Welcome, body_text: Hello Alice, label_ids: [INBOX, UNREAD] }
    - { id: msg2, user_email: bob@example.com, from: welcome@example.com, to: bob@example.com, subject: Hi Bob, body_text: Hello Bob, label_ids: [INBOX] }
  calendars:
    - { id: primary, user_email: alice@example.com, summary: alice@example.com, primary: true, selected: true, time_zone: UTC }
    - { id: primary, user_email: bob@example.com, summary: bob@example.com, primary: true, selected: true, time_zone: UTC }
slack:
  team: { name: Compat, domain: compat }
  users:
    - { name: alice, real_name: Alice A, email: alice@example.com }
    - { name: bob, real_name: Bob B, email: bob@example.com }
  channels: [{ name: general, topic: General }, { name: random, topic: Random }]
  oauth_apps:
    - { client_id: "${CLIENTS.slack.id}", client_secret: "${CLIENTS.slack.secret}", app_id: A000000001, name: Compat, bot_name: compat-bot, scopes: [chat:write, channels:read, channels:history, users:read], user_scopes: [users:read], ${redirect} }
  strict_scopes: true
linear:
  organization: { name: Acme, url_key: acme }
  users:
    - { email: alice@example.com, name: Alice A, admin: true }
    - { email: bob@example.com, name: Bob B }
  teams:
    - { key: ENG, name: Engineering, states: [{ name: Todo, type: unstarted }, { name: Done, type: completed }] }
  oauth_apps:
    - { client_id: "${CLIENTS.linear.id}", client_secret: "${CLIENTS.linear.secret}", name: Compat, scopes: [read, write, "issues:create", "comments:create", admin], actor: user, ${redirect} }
  strict_scopes: true
`;
}

/** The seed of the providers that only the scheme suite uses. */
export function moreSeed(patchbayURL) {
  const redirect = `redirect_uris: ["${patchbayURL}/api/v3.1/toolkits/auth/callback"]`;
  return `
microsoft:
  users:
    - { email: alice@example.com, name: Alice A }
    - { email: bob@example.com, name: Bob B }
  oauth_clients:
    - { client_id: "${MORE_CLIENTS.microsoft.id}", client_secret: "${MORE_CLIENTS.microsoft.secret}", name: Compat, ${redirect} }
okta:
  users:
    - { login: alice@example.com, email: alice@example.com, first_name: Alice, last_name: A }
    - { login: bob@example.com, email: bob@example.com, first_name: Bob, last_name: B }
  authorization_servers: [{ id: default, name: default, audiences: ["api://default"] }]
  oauth_clients:
    - { client_id: "${MORE_CLIENTS.okta.id}", client_secret: "${MORE_CLIENTS.okta.secret}", name: Compat, auth_server_id: default, ${redirect} }
`;
}

/** What the scheme suite adds to patchbay.yaml: its toolkits, ways to revoke, and a log that says everything. */
export function moreSettings({ gates, oidc, resource, toolkitDirs }) {
  const toolkit = (slug, url, client, authorize, token, revoke) => `
  ${slug}:
    base_url: ${url}
    oauth2:
      authorize_url: ${url}${authorize}
      token_url: ${url}${token}
      revoke_url: ${url}${revoke}
      client_id: "${client.id}"
      client_secret: "${client.secret}"`;
  const { microsoft, okta } = MORE_CLIENTS;
  return {
    toolkits:
      toolkit('msgraph', gates.microsoft.url, microsoft, '/oauth2/v2.0/authorize', '/oauth2/v2.0/token', '/oauth2/v2.0/revoke') +
      toolkit('okta', gates.okta.url, okta, '/oauth2/default/v1/authorize', '/oauth2/default/v1/token', '/oauth2/default/v1/revoke') +
      toolkit('oidc', oidc, OIDC_CLIENT, '/auth', '/token', '/token/revocation') +
      toolkit('zitadel', gates.zitadel.url, ZITADEL_CLIENT, '/auth', '/oauth/token', '/revoke') +
      `
  protected:
    base_url: ${resource}/api`,
    rest: `
toolkit_dirs: ["${toolkitDirs}"]
log: { level: debug }
`,
    revoke: {
      github: `${gates.github.url}/applications/${CLIENTS.github.id}/token`,
      gmail: `${gates.google.url}/oauth2/revoke`,
      slack: `${gates.slack.url}/api/auth.revoke`,
      linear: `${gates.linear.url}/oauth/revoke`,
    },
  };
}

/** patchbay.yaml of an operator who owns those OAuth clients. */
export function settingsFile({ port, data, gates, stripe }, more = { toolkits: '', rest: '', revoke: {} }) {
  const toolkit = (slug, provider, authorize, token, extra = '') => `
  ${slug}:
    base_url: ${gates[provider].url}
    oauth2:
      authorize_url: ${gates[provider].url}${authorize}
      token_url: ${gates[provider].url}${token}
      client_id: "${CLIENTS[provider].id}"
      client_secret: "${CLIENTS[provider].secret}"${more.revoke[slug] ? `\n      revoke_url: ${more.revoke[slug]}` : ''}${extra}`;
  return `
listen: 127.0.0.1:${port}
data: ${data}
outbound:
  allow: ["127.0.0.1/32"]
triggers: { interval: 1s, min_interval: 1s }
toolkits:${toolkit('github', 'github', '/login/oauth/authorize', '/login/oauth/access_token')}${toolkit('gmail', 'google', '/o/oauth2/v2/auth', '/oauth2/token')}${toolkit('googlecalendar', 'google', '/o/oauth2/v2/auth', '/oauth2/token')}${toolkit('slack', 'slack', '/oauth/v2/authorize', '/api/oauth.v2.access', '\n      scopes: [chat:write, channels:read, channels:history, users:read]')}${toolkit('linear', 'linear', '/oauth/authorize', '/oauth/token', '\n      scopes: [read, write, "issues:create", "comments:create", admin]')}
  stripe: { base_url: ${stripe} }${more.toolkits}
${more.rest}`;
}
