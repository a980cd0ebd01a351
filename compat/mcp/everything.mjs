// server-everything (npm), over streamable HTTP at a free port.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('node_modules/@modelcontextprotocol/server-everything/dist/index.js', import.meta.url));

export async function startEverything() {
  const port = await freePort();
  const child = spawn(process.execPath, [program, 'streamableHttp'], { env: { ...process.env, PORT: String(port) }, stdio: ['ignore', 'ignore', 'pipe'] });
  await new Promise((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`server-everything ended with ${code}`)));
    child.stderr.on('data', (text) => String(text).includes('listening') && resolve());
  });
  return { child, url: `http://127.0.0.1:${port}/mcp` };
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
