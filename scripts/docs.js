// `npm run docs`: guide, systems, decisions and the reference of everything public as one static site in `site/`, with search. Fails if a link
// leads nowhere.
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildDocs } from './docs/build.js'
import { checkLinks } from './docs/links.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'site')
const start = performance.now()
await buildDocs(folder)
const { pages, links, dead } = checkLinks(folder)
for (const line of dead) console.error(`dead link: ${line}`)
if (dead.length > 0) process.exitCode = 1
const seconds = Math.round((performance.now() - start) / 1000)
console.log(
  `${pages} pages, ${links} links, ${dead.length} of them dead, ${seconds} s: ${relative('.', join(folder, 'index.html'))}`,
)
