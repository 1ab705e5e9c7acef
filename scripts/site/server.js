// A folder of files over HTTP, as any file server has it, isolated from other origins so that WebAssembly may use threads.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'

const types = {
  ...{ '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css' },
  ...{ '.wasm': 'application/wasm', '.json': 'application/json', '.svg': 'image/svg+xml', '.png': 'image/png' },
}
const isolation = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }

/** Serves a folder on loopback at a free port; `isIsolated`: with the headers that allow threads. Resolves to its address and `close`. */
export async function serveFolder(folder, { isIsolated = true } = {}) {
  const server = createServer(({ url }, response) => {
    const path = normalize(decodeURIComponent(new URL(url, 'http://localhost').pathname))
    const found = join(folder, path.endsWith('/') ? `${path}index.html` : path)
    const isFile = found.startsWith(folder) && existsSync(found) && statSync(found).isFile()
    const headers = { 'content-type': types[extname(found)] ?? 'application/octet-stream' }
    response.writeHead(isFile ? 200 : 404, { ...(isIsolated && isolation), ...headers })
    response.end(isFile ? readFileSync(found) : path)
  })
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return { address: `http://127.0.0.1:${server.address().port}`, close: () => server.close() }
}
