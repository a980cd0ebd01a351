// What the emulated providers know (people, repositories, OAuth clients) and how patchbay is told to use them.

/** The OAuth client that each provider has registered for this patchbay. */
export const CLIENTS = {
  github: { id: 'Iv1.compat', secret: 'github-secret' },
  google: { id: 'compat.apps.googleusercontent.com', secret: 'google-secret' },
  slack: { id: '12345.67890', secret: 'slack-secret' },
  linear: { id: 'linear-compat', secret: 'linear-secret' },
};

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
    - { client_id: "${CLIENTS.linear.id}", client_secret: "${CLIENTS.linear.secret}", name: Compat, scopes: [read, write, "issues:create", "comments:create"], actor: user, ${redirect} }
  strict_scopes: true
`;
}

/** patchbay.yaml of an operator who owns those OAuth clients. */
export function settingsFile({ port, data, gates }) {
  const toolkit = (slug, provider, authorize, token, extra = '') => `
  ${slug}:
    base_url: ${gates[provider].url}
    oauth2:
      authorize_url: ${gates[provider].url}${authorize}
      token_url: ${gates[provider].url}${token}
      client_id: "${CLIENTS[provider].id}"
      client_secret: "${CLIENTS[provider].secret}"${extra}`;
  return `
listen: 127.0.0.1:${port}
data: ${data}
outbound:
  allow: ["127.0.0.1/32"]
toolkits:${toolkit('github', 'github', '/login/oauth/authorize', '/login/oauth/access_token')}${toolkit('gmail', 'google', '/o/oauth2/v2/auth', '/oauth2/token')}${toolkit('googlecalendar', 'google', '/o/oauth2/v2/auth', '/oauth2/token')}${toolkit('slack', 'slack', '/oauth/v2/authorize', '/api/oauth.v2.access', '\n      scopes: [chat:write, channels:read, channels:history, users:read]')}${toolkit('linear', 'linear', '/oauth/authorize', '/oauth/token')}
`;
}
