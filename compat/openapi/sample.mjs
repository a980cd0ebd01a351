// Chooses tools of imported toolkits: always the same ones, spread over all of them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** random gives numbers between 0 and 1, the same for the same seed (mulberry32). */
export function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** shuffled gives the elements in another order. */
export function shuffled(list, next) {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}

/** toolkits gives the imported toolkits one after the other, in random order. */
export function* toolkits(directory, next) {
  const files = readdirSync(directory).filter((name) => name.endsWith('.json')).sort();
  for (const file of shuffled(files, next)) yield JSON.parse(readFileSync(join(directory, file), 'utf8'));
}
