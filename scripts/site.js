// `npm run site [FOLDER]`: the interactive pages of the ten systems as a static site, in `site` unless another folder is named.
import { mkdirSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { buildPages, pageSizes } from './site/pages.js'

const folder = resolve(process.argv[2] ?? 'site')
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
for (const name of await buildPages(folder)) {
  const { page, worker } = await pageSizes(folder, name)
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(0)} KB`
  console.log(`${name}: page ${kilobytes(page)}${worker ? `, worker ${kilobytes(worker)}` : ''} (gzipped)`)
}
console.log(`the site is in ${folder}: any file server can host it`)
