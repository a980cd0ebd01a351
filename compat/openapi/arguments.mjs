// Makes arguments that a schema allows: the required ones, and some of the others.

/** Impossible says that no value is known for a schema, for example for an intricate pattern. */
export class Impossible extends Error {}

/** value gives a value that the schema allows. */
export function value(schema, next, depth = 0) {
  if (schema.file_uploadable) return { name: 'a.txt', mimetype: 'text/plain', s3key: 'data:text/plain;base64,aGVsbG8=' };
  if (schema.enum) return schema.enum.find((v) => v !== null) ?? null;
  const told = /One of \d+ values, such as ([^,…]+),/.exec(schema.description ?? ''); // where they are too many to be listed
  if (told && schema.type === 'string') return told[1];
  if (schema.anyOf) return value(schema.anyOf[0], next, depth);
  const type = [schema.type ?? 'string'].flat().find((t) => t !== 'null');
  switch (type) {
    case 'string': return text(schema);
    case 'integer': return number(schema, 1);
    case 'number': return number(schema, 0.5);
    case 'boolean': return true;
    case 'array': return Array.from({ length: Math.max(schema.minItems ?? 1, 1) }, (_, i) => distinct(value(schema.items ?? {}, next, depth + 1), i));
    default: return object(schema, next, depth);
  }
}

/** object gives the required members, and at the top some of the others. */
export function object(schema, next, depth = 0) {
  const out = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const required = (schema.required ?? []).includes(name);
    if (!required && (depth > 0 || next() > 0.3)) continue;
    try {
      out[name] = value(property, next, depth + 1);
    } catch (error) {
      if (required || !(error instanceof Impossible)) throw error;
    }
  }
  return out;
}

function distinct(v, i) {
  return typeof v === 'number' ? v + i : v;
}

function number(schema, step) {
  const low = Math.max(schema.minimum ?? -Infinity, (schema.exclusiveMinimum ?? -Infinity) + step);
  const high = Math.min(schema.maximum ?? Infinity, (schema.exclusiveMaximum ?? Infinity) - step);
  let n = Math.min(Math.max(1, Number.isFinite(low) ? low : 1), high);
  if (schema.multipleOf) n = Math.ceil(n / schema.multipleOf) * schema.multipleOf;
  return n;
}

const FORMATS = {
  'date-time': '2026-11-22T10:00:00Z', date: '2026-11-22', time: '10:00:00Z', email: 'ada@example.com', uuid: '0b7a3c1e-6d0f-4c5e-9f43-2f8f6b1f7a11',
  uri: 'https://example.com/a', url: 'https://example.com/a', 'uri-reference': '/a', hostname: 'example.com', ipv4: '192.0.2.1', ipv6: '2001:db8::1',
  byte: 'aGVsbG8=', int64: '12', int32: '12', duration: 'PT1H', 'google-datetime': '2026-11-22T10:00:00Z', 'google-duration': '3.5s', 'google-fieldmask': 'a',
  iri: 'https://example.com/a', 'json-pointer': '/a', regex: 'a', password: 'secret-1', double: '1.5', float: '1.5', uint32: '12', uint64: '12',
};

const WORDS = ['example', '12', 'ABC', 'a1b2c3d4', 'AB12CD34EF56', '2026-11-22', 'US', 'USD', 'en', 'en-US', 'https://example.com', 'ada@example.com',
  '0b7a3c1e-6d0f-4c5e-9f43-2f8f6b1f7a11', '#aabbcc', '+15555550100', '0', '1.5', 'a', 'AC' + '0'.repeat(32), '0123456789abcdef01234567', '10:00', '/a', 'arn:aws:x:y:123456789012:z'];

function text(schema) {
  const min = schema.minLength ?? 0;
  const max = schema.maxLength ?? Infinity;
  if (schema.pattern === undefined) {
    const known = FORMATS[schema.format] ?? 'example';
    return schema.format in FORMATS && known.length >= min && known.length <= max ? known : known.padEnd(min, 'x').slice(0, max);
  }
  let pattern;
  try {
    pattern = new RegExp(schema.pattern, 'u');
  } catch {
    throw new Impossible(`the pattern ${schema.pattern}`);
  }
  for (const word of [FORMATS[schema.format], ...WORDS].filter(Boolean)) {
    for (const candidate of [word, word.padEnd(min, word[0]), word.slice(0, max)]) {
      if (candidate.length >= min && candidate.length <= max && pattern.test(candidate)) return candidate;
    }
  }
  throw new Impossible(`the pattern ${schema.pattern}`);
}
