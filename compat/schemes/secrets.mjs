// Looks for secrets in everything that patchbay said, logged and stored.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { CLIENTS, MORE_CLIENTS, OIDC_CLIENT, RESOURCE_CLIENT } from '../bed/settings.mjs';

/** Lists what was found, one line each: the first characters of the secret, and where it is. */
export function findLeaks({ issued, once, answers, directory, backup }) {
  const clients = [...Object.values({ ...CLIENTS, ...MORE_CLIENTS }), OIDC_CLIENT, RESOURCE_CLIENT].map((client) => client.secret);
  const kept = [{ name: 'patchbay.log', content: readFileSync(join(directory, 'patchbay.log')) }, ...stored(join(directory, 'data'))];
  kept.push({ name: 'the backup', content: gunzipSync(readFileSync(backup)) });
  const leaks = [];
  const look = (secret, { name, content }) => {
    if (forms(secret).some((form) => content.includes(form))) leaks.push(`${secret.slice(0, 12)}… is in ${name}`);
  };
  for (const secret of [...issued, ...clients]) {
    for (const place of kept) look(secret, place);
    for (const { request, text } of answers) look(secret, { name: request, content: text });
  }
  for (const secret of [...once, process.env.PATCHBAY_API_KEY]) for (const place of kept) look(secret, place);
  return leaks;
}

function stored(data) {
  return readdirSync(data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => ({ name: entry.name, content: readFileSync(join(entry.parentPath ?? entry.path, entry.name)) }));
}

function forms(secret) {
  return [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64'), Buffer.from(secret).toString('base64url'), Buffer.from(secret).toString('hex')];
}
