// Builds the interactive pages of src/pages: a folder of static files.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { build, runnerImport } from 'vite'
import { webPackages } from '../web-packages.js'
import { claims, documentOf, formulas } from './markup.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const source = join(root, 'src', 'pages')

/** Folders of src/pages that have a file of this name. */
const foldersWith = (file) => readdirSync(source).filter((name) => existsSync(join(source, name, file)))

/** Where in a page what can be touched stands (Shell.svelte). */
const place = 'touch'

/**
 * `page:NAME` is the script of a page: only what can be touched, Try.svelte, is in it. `rendered:NAME` makes the page's HTML when the site is built,
 * its texts, formulas and tables, which need no script.
 */
const entries = {
  name: 'entries',
  resolveId: (id) => (/^(page|rendered):/.test(id) ? `\0${id}` : null),
  load: (id) => {
    const [, kind, name] = /^\0(page|rendered):(.*)/.exec(id) ?? []
    if (!kind) return null
    const imported = (component) =>
      `import ${component} from ${JSON.stringify(join(source, name, `${component}.svelte`))}\n`
    const hasTry = existsSync(join(source, name, 'Try.svelte'))
    const style = `import ${JSON.stringify(join(source, 'shell', 'shell.css'))}\n`
    if (kind === 'page')
      return `${style}${imported('Try')}import { hydrate } from 'svelte'\nhydrate(Try, { target: document.getElementById('${place}') })`
    const touched = hasTry ? 'render(Try).body' : "''"
    return `${hasTry ? imported('Try') : ''}${imported('Page')}import { render } from 'svelte/server'\nexport const rendered = () => {\n  const { head, body } = render(Page)\n  return { head, body, touched: ${touched} }\n}`
  },
}

/** What the texts of the pages need to know of the site (src/pages/shell/modules.d.ts). */
function builtSite(docs) {
  const names = foldersWith('Page.svelte')
  const documents = names.flatMap((name) => {
    const readme = join(root, 'src', 'systems', name, 'README.md')
    const document = existsSync(readme) ? documentOf(readme, docs) : undefined
    return document === undefined ? [] : [[name, document]]
  })
  return { names, documents: Object.fromEntries(documents), hasDocs: docs !== undefined }
}

/** What all builds share. `runtime`: the file that is `#runtime`; `docs`: the folder of the documentation, for the build of the HTML. */
function config(modules, { runtime = 'web.ts', isForServer = false, docs }) {
  return {
    root,
    base: './',
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    resolve: {
      alias: {
        '#runtime': join(root, 'src', 'runtime', runtime),
        // Its files lie beside the pages, for all of them.
        'onnxruntime-web/wasm': join(modules, 'onnxruntime-web', 'dist', 'ort.wasm.min.mjs'),
      },
    },
    plugins: [
      entries,
      claims(docs),
      svelte({ configFile: false, preprocess: [formulas(modules)], compilerOptions: { css: 'external' } }),
    ],
    ...(isForServer && { ssr: { noExternal: true }, define: { builtSite: JSON.stringify(builtSite(docs)) } }),
  }
}

/** Entry names are paths: `mixer/page` becomes `mixer/page.js`. */
const outputOf = (extra = {}) => ({
  entryFileNames: '[name].js',
  chunkFileNames: 'assets/[name]-[hash].js',
  assetFileNames: 'assets/[name]-[hash][extname]',
  ...extra,
})

const common = { emptyOutDir: false, target: 'es2022', modulePreload: false, reportCompressedSize: false }

async function buildScripts(folder, modules, names) {
  const input = Object.fromEntries(names.map((name) => [`${name}/page`, `page:${name}`]))
  const { output } = await build({
    ...config(modules, {}),
    build: { ...common, outDir: folder, cssCodeSplit: false, rolldownOptions: { input, output: outputOf() } },
  })
  const chunks = new Map(output.map((each) => [each.fileName, each]))
  /** The files that a page loads, so that the browser asks for all of them at once. */
  const reached = (file, found = new Set()) => {
    for (const next of chunks.get(file)?.imports ?? []) {
      if (found.has(next)) continue
      found.add(next)
      reached(next, found)
    }
    return [...found]
  }
  const style = output.find(({ fileName }) => fileName.endsWith('.css'))?.fileName
  return { style, preloads: new Map(names.map((name) => [name, reached(`${name}/page.js`)])) }
}

async function buildWorkers(folder, modules) {
  const input = Object.fromEntries(
    foldersWith('worker.ts').map((name) => [`${name}/worker`, join(source, name, 'worker.ts')]),
  )
  await build({
    ...config(modules, {}),
    build: {
      ...common,
      outDir: folder,
      rolldownOptions: {
        input,
        // What several pages' workers need is one file: it is in the browser's cache when the next page is opened.
        output: outputOf({ codeSplitting: { groups: [{ name: 'engine', minShareCount: 2 }] } }),
      },
    },
  })
}

/** The pages' HTML: their texts are there before, and without, any script. */
async function renderPages(modules, names, docs) {
  const outDir = join(root, '.web', 'rendered')
  rmSync(outDir, { recursive: true, force: true })
  mkdirSync(outDir, { recursive: true })
  writeFileSync(join(outDir, 'package.json'), '{ "type": "module" }\n')
  const input = Object.fromEntries(names.map((name) => [name, `rendered:${name}`]))
  await build({
    ...config(modules, { isForServer: true, docs }),
    build: { ...common, ssr: true, outDir, rolldownOptions: { input, output: outputOf() } },
  })
  const found = new Map()
  for (const name of names) {
    const { rendered } = await import(`${pathToFileURL(join(outDir, `${name}.js`)).href}?${Date.now()}`)
    found.set(name, rendered())
  }
  return found
}

/** Runs a TypeScript module of src in Node. */
async function imported(modules, file) {
  const { module } = await runnerImport(join(root, 'src', file), {
    ...config(modules, { runtime: 'node.ts' }),
    plugins: [],
  })
  return module
}

/** Nothing but the site's own files is loaded; WebAssembly may be compiled. */
const policy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
].join('; ')

function html({ head, body, touched }, { up, style, colors, preloads }) {
  const links = preloads?.map((file) => `<link rel="modulepreload" href="${up}${file}">`).join('\n')
  const script = links === undefined ? '' : `${links}\n<script type="module" src="page.js"></script>`
  const whole = body.replace(`<div id="${place}"></div>`, () => `<div id="${place}">${touched}</div>`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="icon" href="data:,">
<style>${colors}</style>
<link rel="stylesheet" href="${up}${style}">
${script}
${head}
</head>
<body>${whole}</body>
</html>
`
}

/**
 * Writes the pages into a folder: `index.html`, a folder for each system, and what they share in `assets`, `data` and `runtime` (the
 * files of onnxruntime-web). Any file server can host it; with the headers COOP and COEP training uses several threads. `docs`: the folder of the
 * documentation, if it lies one above: its pages are then linked. Resolves to the names of the pages.
 */
export async function buildPages(folder, { docs } = {}) {
  const modules = webPackages()
  const names = foldersWith('Page.svelte')
  const { style, preloads } = await buildScripts(folder, modules, foldersWith('Try.svelte'))
  await buildWorkers(folder, modules)
  const rendered = await renderPages(modules, names, docs)
  const { colorVariables } = await imported(modules, 'report/palette.ts')
  const colors = `:root{${colorVariables('light')}}@media(prefers-color-scheme:dark){:root{${colorVariables('dark')}}}`
  for (const name of names) {
    const isIndex = name === 'index'
    const place = { up: isIndex ? './' : '../', style, colors, preloads: preloads.get(name) }
    if (!isIndex) mkdirSync(join(folder, name), { recursive: true })
    writeFileSync(join(folder, isIndex ? '' : name, 'index.html'), html(rendered.get(name), place))
  }
  await writeData(folder, modules)
  mkdirSync(join(folder, 'runtime'), { recursive: true })
  for (const file of ['ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'])
    cpSync(join(modules, 'onnxruntime-web', 'dist', file), join(folder, 'runtime', file))
  return names
}

async function writeData(folder, modules) {
  const { files } = await imported(modules, 'pages/data/files.ts')
  mkdirSync(join(folder, 'data'), { recursive: true })
  for (const [name, make] of Object.entries(files)) writeFileSync(join(folder, 'data', name), await make())
}

/** The sizes of a page's files, gzipped, in bytes: what it loads itself, and its worker. */
export async function pageSizes(folder, name) {
  const { gzipSync } = await import('node:zlib')
  const packed = (file) => gzipSync(readFileSync(join(folder, file))).length
  const page = readFileSync(join(folder, name === 'index' ? '' : name, 'index.html'), 'utf8')
  const own = [...page.matchAll(/(?:href|src)="((?:\.\.?\/)?[^"]+\.(?:js|css))"/g)].map(([, file]) =>
    join(name === 'index' ? '' : name, file),
  )
  const workerFile = join(name, 'worker.js')
  const workers = existsSync(join(folder, workerFile)) ? reachedFrom(folder, workerFile) : []
  const sum = (files) => files.reduce((total, file) => total + packed(file), 0)
  return { page: sum([join(name === 'index' ? '' : name, 'index.html'), ...own]), worker: sum(workers) }
}

/** A script and those that it imports. */
function reachedFrom(folder, file, found = new Set([file])) {
  const code = readFileSync(join(folder, file), 'utf8')
  for (const [, name] of code.matchAll(/(?:from|import)\s*\(?\s*["'](\.\.?\/[^"']+\.js)["']/g)) {
    const next = join(file, '..', name)
    if (!found.has(next)) reachedFrom(folder, next, found.add(next))
  }
  return [...found]
}
