// Builds the page of `tenfold studio` into dist/studio/page, if what it is made of has changed. `npm run build` calls it.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = join(root, 'src', 'studio', 'ui')
const page = join(root, 'dist', 'studio', 'page')
const stamp = join(root, 'dist', 'studio', '.inputs')
const tools = ['svelte', 'uplot', 'vite', '@sveltejs/vite-plugin-svelte']

/** A digest of everything that the page is made of. */
function inputs() {
  const files = readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  const shared = ['studio/curves.ts', 'studio/protocol.ts', 'report/palette.ts', 'report/base.css'].map((name) =>
    join(root, 'src', name),
  )
  const versions = tools.map((name) => join(root, 'node_modules', name, 'package.json'))
  const digest = createHash('sha256')
  for (const file of [...files.sort(), ...shared, ...versions, fileURLToPath(import.meta.url)])
    digest.update(`${file}\n`).update(readFileSync(file))
  return digest.digest('hex')
}

/** Builds the page unless it is there and made of the same. */
export async function buildStudio() {
  const digest = inputs()
  if (existsSync(join(page, 'index.html')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return
  const makers = await Promise.all([import('vite'), import('@sveltejs/vite-plugin-svelte')]).catch((error) => {
    console.log(
      `\`tenfold studio\` is left out: its page needs vite's native parts, which --omit=optional does not install (${error.code})`,
    )
  })
  if (!makers) return
  const [{ build }, { svelte }] = makers
  await build({
    configFile: false,
    root: source,
    logLevel: 'warn',
    plugins: [svelte({ configFile: false })],
    build: { outDir: page, emptyOutDir: true, target: 'es2023', modulePreload: { polyfill: false } },
  })
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, digest)
}
