/** Bundles programs for a page and serves them, with onnxruntime-web's files under /runtime/. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type OutputChunk, rolldown } from 'rolldown'
import { webPackages } from '../../../scripts/web-packages.js'

export const root = fileURLToPath(new URL('../../..', import.meta.url))

/** The folder of the packages that pages need. */
export const packages: string = webPackages()

/** A bundle's files in memory. */
export interface Bundled {
  /** By name. */
  readonly files: ReadonlyMap<string, string>
  /** Gzipped bytes of a file with all that it imports at once: the runtime is imported when it is needed. */
  readonly size: (name: string) => number
}

/** Bundles programs of test/chromium/programs (from src), each as NAME.js. */
export async function bundle(...names: readonly string[]): Promise<Bundled> {
  const bundler = await rolldown({
    input: Object.fromEntries(names.map((name) => [name, join(root, 'test', 'chromium', 'programs', `${name}.ts`)])),
    platform: 'browser',
    // Not the paths of this clone's compiler, which are Node's.
    tsconfig: false,
    resolve: {
      modules: [packages, join(root, 'node_modules')],
      alias: { '#runtime': join(root, 'src', 'runtime', 'web.ts') },
    },
    onLog: (level, { code, message }) => {
      if (level === 'warn' && code === 'IMPORT_IS_UNDEFINED') throw new Error(message)
    },
  })
  const { output } = await bundler.generate({ format: 'esm', minify: true, entryFileNames: '[name].js' })
  await bundler.close()
  const chunks = output.filter((each): each is OutputChunk => each.type === 'chunk')
  const files = new Map(chunks.map(({ fileName, code }) => [fileName, code]))
  const size = (name: string): number => {
    const all = new Set([name])
    for (const each of all)
      for (const next of chunks.find(({ fileName }) => fileName === each)?.imports ?? []) all.add(next)
    return [...all].reduce((sum, each) => sum + gzipSync(files.get(each) ?? '').length, 0)
  }
  return { files, size }
}

/** Whether a script imports a module of Node's. */
export const importsNode = (code: string): boolean => /\b(?:from|import|require)\s*\(?\s*["'`]node:/.test(code)

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
}

/** Serves files, and a page at / that loads page.js unless there is one. `isolated`: with the headers that threads need. */
export async function serveFiles(
  files: ReadonlyMap<string, string>,
  { isolated }: { readonly isolated: boolean },
): Promise<{ readonly url: string; readonly close: () => void }> {
  const page =
    '<!doctype html><title>page</title><link rel="icon" href="data:,"><script type="module" src="./page.js"></script>'
  const server = createServer(async ({ url = '/' }, response) => {
    const name = url.slice(1) || 'index.html'
    const runtime = /^runtime\/(ort[\w.-]+)$/.exec(name)?.[1]
    const own = files.get(name) ?? (name === 'index.html' ? page : undefined)
    const body =
      own ?? (runtime && (await readFile(join(packages, 'onnxruntime-web', 'dist', runtime)).catch(() => undefined)))
    response.writeHead(body === undefined ? 404 : 200, {
      'content-type': types[extname(name)] ?? 'text/plain',
      ...(isolated && { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }),
    })
    response.end(body ?? name)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() }
}
