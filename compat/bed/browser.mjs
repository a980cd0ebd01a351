// A browser small enough to read: it keeps cookies, follows redirects and submits forms. One Browser is one person's.

export class Browser {
  #cookies = new Map(); // origin -> Map(name -> value)

  async get(url) {
    return this.#go('GET', url);
  }

  /** Submits a form found on a page, with values put over its own. */
  async submit(page, form, values = {}) {
    const fields = new URLSearchParams({ ...form.fields, ...values });
    return this.#go(form.method, new URL(form.action || page.url, page.url).href, fields);
  }

  async #go(method, url, fields) {
    for (let hop = 0; hop < 20; hop++) {
      const headers = { accept: 'text/html', cookie: this.#cookieHeader(url) };
      if (method === 'POST') Object.assign(headers, { origin: new URL(url).origin, 'sec-fetch-site': 'same-origin' });
      const reply = await fetch(url, { method, redirect: 'manual', headers, body: method === 'POST' ? fields : undefined });
      this.#keepCookies(url, reply);
      const location = reply.headers.get('location');
      if (reply.status < 300 || reply.status > 399 || !location) {
        const html = await reply.text();
        return { url, status: reply.status, html, forms: formsOf(html) };
      }
      url = new URL(location, url).href;
      method = 'GET';
      if (!url.startsWith('http://127.0.0.1')) return { url, status: reply.status, html: '', forms: [] }; // the application's own page
    }
    throw new Error(`too many redirects, last to ${url}`);
  }

  #cookieHeader(url) {
    const jar = this.#cookies.get(new URL(url).origin) ?? new Map();
    return [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  #keepCookies(url, reply) {
    const origin = new URL(url).origin;
    if (!this.#cookies.has(origin)) this.#cookies.set(origin, new Map());
    for (const line of reply.headers.getSetCookie()) {
      const [pair] = line.split(';');
      const at = pair.indexOf('=');
      this.#cookies.get(origin).set(pair.slice(0, at), pair.slice(at + 1));
    }
  }
}

/** Opens a Connect Link as a person and consents at the provider as the named user. Resolves to the last page. */
export async function consent(linkURL, user, browser = new Browser()) {
  const link = await browser.get(linkURL);
  if (link.status !== 200) throw new Error(`the link answered ${link.status}: ${link.html.slice(0, 300)}`);
  const provider = await browser.submit(link, link.forms[0]);
  const form = provider.forms.find((f) => f.text.toLowerCase().includes(user.toLowerCase()));
  if (!form) throw new Error(`no form for ${user} at ${provider.url} (${provider.status}): ${provider.html.slice(0, 300)}`);
  return browser.submit(provider, form);
}

/** Opens a Connect Link of a toolkit that asks for keys and fills in its fields. */
export async function fillIn(linkURL, values, browser = new Browser()) {
  const link = await browser.get(linkURL);
  return browser.submit(link, link.forms[0], values);
}

function formsOf(html) {
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([, attributes, inner]) => ({
    action: attribute(attributes, 'action'),
    method: (attribute(attributes, 'method') || 'GET').toUpperCase(),
    fields: Object.fromEntries(
      [...inner.matchAll(/<input\b([^>]*)>/gi)]
        .map(([, a]) => [attribute(a, 'name'), attribute(a, 'value')])
        .filter(([name]) => name),
    ),
    text: inner,
  }));
}

function attribute(text, name) {
  const value = text.match(new RegExp(`\\b${name}="([^"]*)"`, 'i'))?.[1] ?? '';
  return value.replaceAll('&amp;', '&').replaceAll('&#34;', '"').replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>');
}
