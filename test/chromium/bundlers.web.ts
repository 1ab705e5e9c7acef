/** The package as a page's author bundles it, by vite and by esbuild: `import ... from 'tenfold'`, minified, and run in Chromium. */
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Browser, launch, openPage } from './support/browser.ts'
import { importsNode, packages, root, serveFiles } from './support/site.ts'

const worker = `
import { compile, manualSeed, nn, ops, optim, tensor } from 'tenfold'
import { serve } from 'tenfold/worker'

serve(async () => {
  manualSeed(1)
  const model = new nn.Sequential(new nn.Linear(2, 8), new nn.GELU(), new nn.Linear(8, 2))
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.1 })
  const run = compile((x, y) => {
    const loss = ops.crossEntropy(model.forward(x), y)
    optimizer.minimize(loss)
    return loss
  })
  const [x, y] = [tensor([[1, 2], [3, -1], [0, 1]]), tensor([0, 1, 1], 'int32')]
  return {
    step: async () => ({ loss: (await run(x, y)).item() }),
    requests: { mistake: () => compile((z) => model.forward(z))(tensor([[1, 2, 3]])) },
  }
})
`

const page = `
import { TrainingWorker } from 'tenfold/web'

const losses = []
const worker = new TrainingWorker(() => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }), {
  onSteps: (reports) => losses.push(...reports.map(({ values }) => values.loss)),
})
window.page = {
  train: async () => {
    await worker.start({}, { files: '/runtime/' })
    await worker.train({ steps: 5 })
    const mistake = await worker.ask('mistake').catch((error) => error.message)
    return { losses, mistake }
  },
}
`

/** The part of esbuild that is used; it is fetched with the other packages for pages. */
interface Esbuild {
  build(options: object): Promise<unknown>
}

let folder: string
let browser: Browser

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenfold-bundlers-'))
  await mkdir(join(folder, 'node_modules'))
  await symlink(root, join(folder, 'node_modules', 'tenfold'), 'dir')
  for (const name of ['onnxruntime-web', 'onnxruntime-common'])
    await symlink(join(packages, name), join(folder, 'node_modules', name), 'dir')
  await writeFile(join(folder, 'page.js'), page)
  await writeFile(join(folder, 'worker.js'), worker)
  await writeFile(join(folder, 'index.html'), '<!doctype html><script type="module" src="./page.js"></script>')
  browser = await launch()
})

afterAll(async () => {
  await browser.close()
  await rm(folder, { recursive: true })
})

async function buildWithVite(out: string): Promise<void> {
  const { build } = await import('vite')
  await build({
    ...{ root: folder, configFile: false, logLevel: 'silent', base: './' },
    resolve: { preserveSymlinks: true },
    // The runtime is loaded when it is needed, which a worker in the default format could not do.
    worker: { format: 'es', rolldownOptions: { output: { keepNames: true } } },
    build: { outDir: out, emptyOutDir: true, rolldownOptions: { output: { keepNames: true } } },
  })
}

async function buildWithEsbuild(out: string): Promise<void> {
  const { build } = createRequire(join(packages, 'package.json'))('esbuild') as Esbuild
  await build({
    ...{ entryPoints: ['page.js', 'worker.js'], absWorkingDir: folder, outdir: out },
    ...{ bundle: true, format: 'esm', splitting: true, minify: true, keepNames: true, preserveSymlinks: true },
    logLevel: 'error',
  })
  await writeFile(join(out, 'index.html'), await readFile(join(folder, 'index.html')))
}

test.each([
  ['vite', buildWithVite],
  ['esbuild', buildWithEsbuild],
])('%s', async (name, build) => {
  const out = join(folder, name)
  await build(out)
  const names = await readdir(out, { recursive: true })
  const scripts = names.filter((each) => /\.(js|mjs|html)$/.test(each))
  const files = new Map<string, string>()
  for (const each of scripts) files.set(each, await readFile(join(out, each), 'utf8'))
  // The runtime's own files ask whether they run in Node.
  const own = [...files].filter(([each]) => !/(^|\/)ort[.-]/.test(each))
  expect(own.filter(([, code]) => importsNode(code)).map(([each]) => each)).toEqual([])
  const site = await serveFiles(files, { isolated: false })
  const { call, tab } = await openPage(browser, site.url)
  const { losses, mistake } = await call<{ losses: number[]; mistake: string }>('train')
  await tab.close()
  site.close()
  expect(losses.length).toBe(5)
  expect(losses[4]).toBeLessThan(losses[0] ?? 0)
  // The name of a class, though all names are shortened.
  expect(mistake).toMatch(/^linear: .* in Sequential\.0 /)
})
