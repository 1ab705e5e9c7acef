// Trains in Chromium as a page would, with onnxruntime-web, and compares with Node: `npm run check:browser`. Needs a Chromium, /usr/bin/chromium
// or what CHROMIUM names; fetches onnxruntime-web and playwright-core into a temporary folder.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
import { train } from './check-browser-page.js'
import { chromiumPath, webPackages } from './web-packages.js'

const packages = webPackages()
const place = mkdtempSync(join(tmpdir(), 'tenfold-browser-'))
const page = fileURLToPath(new URL('check-browser-page.js', import.meta.url))
const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' }
/** Rounding differs between the instructions of the processor and those of WebAssembly. */
const tolerance = 1e-5

async function bundle(folder) {
  const modules = [packages, 'node_modules']
  const bundler = await rolldown({
    ...{ input: page, platform: 'browser', tsconfig: false, resolve: { modules } },
    // A name that a module does not export is a warning, and undefined in the page.
    onLog: (level, { code, message }) => {
      if (code === 'IMPORT_IS_UNDEFINED') throw new Error(message)
      if (level === 'warn') console.warn(message)
    },
  })
  await bundler.write({ dir: folder, format: 'esm', minify: true, entryFileNames: 'page.js' })
  writeFileSync(
    join(folder, 'index.html'),
    `<link rel="icon" href="data:,"><script type="module">
    import { train } from './page.js'
    train().then((result) => { window.answer = { result } }, (error) => { window.answer = { error: error.message } })
    </script>`,
  )
}

/** Serves the page, and the runtime's own files beside it. */
function serve(folder) {
  const runtime = join(packages, 'onnxruntime-web', 'dist')
  const server = createServer(({ url }, response) => {
    const name = url === '/' ? 'index.html' : url.slice(1)
    const from = [folder, runtime].find((each) => readdirSync(each).includes(name))
    response.writeHead(from ? 200 : 404, { 'content-type': types[extname(name)] ?? 'text/plain' })
    response.end(from ? readFileSync(join(from, name)) : name)
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server))
  })
}

async function trainInPage(server) {
  const { chromium } = createRequire(pathToFileURL(join(packages, '..', 'package.json')))('playwright-core')
  const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] })
  try {
    const tab = await browser.newPage()
    tab.on('pageerror', (error) => console.log(`page: ${error.message}`))
    await tab.goto(`http://127.0.0.1:${server.address().port}/`)
    await tab.waitForFunction('window.answer', undefined, { timeout: 120_000 })
    const { result, error } = await tab.evaluate('window.answer')
    if (error !== undefined) throw new Error(`in the page: ${error}`)
    return result
  } finally {
    await browser.close()
  }
}

function check(what, passed) {
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${what}`)
  if (!passed) process.exitCode = 1
}

try {
  const folder = join(place, 'page')
  await bundle(folder)
  const server = await serve(folder)
  const inPage = await trainInPage(server).finally(() => server.close())
  const inNode = await train()
  const differences = inNode.losses.map((loss, i) => Math.abs(loss - inPage.losses[i]))
  const largest = Math.max(...differences)
  check(
    `losses of ${differences.length} steps: they differ by at most ${largest.toExponential(1)}`,
    largest < tolerance,
  )
  check('undo, and the same step again', inPage.repeated === inPage.losses.at(-1))
  check('the numbers of a tensor', String(inPage.sum) === String(inNode.sum))
  const times = [inPage, inNode].map(({ milliseconds }) => milliseconds.toFixed(0))
  console.log(`     ${times[0]} ms a step in the page, ${times[1]} ms in Node`)
} finally {
  rmSync(place, { recursive: true })
}
