// Holds the schemas of sampled tools against what clients take: the official SDK's parser, and the rules of the model vendors.
//
//   node schemas.mjs TOOLKITS_DIRECTORY COUNT
import { ToolSchema, jsonSchemaToZodSchema } from '@composio/core';
import { random, shuffled, toolkits } from './sample.mjs';

const [directory, count] = [process.argv[2], Number(process.argv[3] ?? 500)];
const next = random(500);
const TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'];
const failures = [];
let checked = 0;

for (const toolkit of toolkits(directory, next)) {
  for (const tool of shuffled(toolkit.tools ?? [], next).slice(0, 3)) {
    if (checked === count) break;
    checked++;
    for (const problem of problems(toolkit, tool)) failures.push(`${tool.slug}: ${problem}`);
  }
  if (checked === count) break;
}
for (const failure of failures) console.log(failure);
console.log(`${checked} tools checked, ${failures.length} problems`);
process.exit(failures.length === 0 && checked === count ? 0 : 1);

function problems(toolkit, tool) {
  const out = [];
  const parsed = ToolSchema.safeParse({
    slug: tool.slug, name: tool.name, description: tool.description, toolkit: { slug: toolkit.slug, name: toolkit.name },
    inputParameters: tool.input, outputParameters: envelope(tool.output), tags: [], isNoAuth: false, version: '20261122_00',
    availableVersions: ['20261122_00'], scopes: [],
  });
  if (!parsed.success) out.push(`the SDK refuses it: ${JSON.stringify(parsed.error.issues.slice(0, 2))}`);
  try {
    jsonSchemaToZodSchema(tool.input);
  } catch (error) {
    out.push(`the SDK's providers cannot use it: ${error.message}`);
  }
  out.push(...vendorProblems(tool));
  return out;
}

function envelope(data) {
  return { type: 'object', properties: { data: data ?? { type: 'object' }, error: { type: ['string', 'null'] }, successful: { type: 'boolean' } } };
}

// What OpenAI and Anthropic refuse in the definition of a tool: names, descriptions, the root, names of properties, types, arrays
// without items, empty enumerations, and more nesting or properties than they take.
function vendorProblems(tool) {
  const out = [];
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(tool.slug)) out.push('its name is not one of 64 letters, digits, _ and -');
  if (tool.description.length > 1024) out.push(`its description has ${tool.description.length} characters`);
  const root = tool.input;
  if (root.type !== 'object' || typeof root.properties !== 'object') out.push('its root is not a plain object');
  for (const keyword of ['oneOf', 'anyOf', 'allOf', 'enum', 'not', 'const']) if (keyword in root) out.push(`its root has ${keyword}`);
  const seen = { properties: 0, enums: 0, text: 0 };
  walk(root, '', 1, out, seen);
  if (seen.properties > 5000) out.push(`${seen.properties} properties`);
  if (seen.enums > 1000) out.push(`${seen.enums} enumerated values`);
  if (seen.text > 120_000) out.push(`${seen.text} characters of names and values`);
  return out;
}

function walk(schema, at, depth, out, seen) {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    out.push(`${at}: not a schema`);
    return;
  }
  if (depth > 10) out.push(`${at}: nested ${depth} levels deep`);
  for (const type of [schema.type ?? []].flat()) if (!TYPES.includes(type)) out.push(`${at}: the type ${type}`);
  if ([schema.type].flat().includes('array') && typeof schema.items !== 'object') out.push(`${at}: an array without items`);
  if ('enum' in schema) {
    if (!Array.isArray(schema.enum) || schema.enum.length === 0) out.push(`${at}: an empty enum`);
    seen.enums += schema.enum?.length ?? 0;
    seen.text += JSON.stringify(schema.enum ?? []).length;
  }
  if ('$ref' in schema) out.push(`${at}: a reference`);
  for (const name of schema.required ?? []) if (!(name in (schema.properties ?? {}))) out.push(`${at}: requires ${name}, which it does not have`);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (!/^[a-zA-Z0-9_.-]{1,64}$/.test(name)) out.push(`${at}/${name}: not a name that vendors take`);
    seen.properties++;
    seen.text += name.length;
    walk(property, `${at}/${name}`, depth + 1, out, seen);
  }
  if (schema.items) walk(schema.items, `${at}/items`, depth, out, seen);
  for (const keyword of ['anyOf', 'oneOf', 'allOf']) for (const [i, branch] of (schema[keyword] ?? []).entries()) walk(branch, `${at}/${keyword}/${i}`, depth, out, seen);
  if (typeof schema.additionalProperties === 'object') walk(schema.additionalProperties, `${at}/additionalProperties`, depth + 1, out, seen);
}
