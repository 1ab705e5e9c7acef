// `npm run site`: the whole site in `site/`: the documentation, and the interactive pages of the systems in `site/try`. `-- --pages`: the pages alone, which
// is quicker. Fails if a link leads nowhere.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildDocs } from './docs/build.js'
import { checkLinks } from './docs/links.js'
import { buildPages, pageSizes } from './site/pages.js'

const { values } = parseArgs({ options: { pages: { type: 'boolean', default: false } } })
const site = fileURLToPath(new URL('../site', import.meta.url))
const folder = join(site, 'try')
if (!values.pages) await buildDocs(site, { links: { 'Try it': 'try/index.html' } })
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
const names = await buildPages(folder, values.pages ? {} : { docs: site })
for (const name of names) {
  const { page, worker } = await pageSizes(folder, name)
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(0)} KB`
  console.log(`${name}: page ${kilobytes(page)}${worker ? `, worker ${kilobytes(worker)}` : ''} (gzipped)`)
}
const { pages, links, dead } = checkLinks(values.pages ? folder : site)
for (const line of dead) console.error(`dead link: ${line}`)
if (dead.length > 0) process.exitCode = 1
console.log(
  `${pages} pages, ${links} links, ${dead.length} of them dead; any file server can host ${values.pages ? folder : site}`,
)
