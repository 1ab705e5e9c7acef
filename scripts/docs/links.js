// Looks for links of a static site that lead nowhere: to a page or file that is not there, or to a place that a page does not have.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const decode = (text) => decodeURIComponent(text.replaceAll('&amp;', '&'))

/** The links and the named places of a page. */
function readPage(path) {
  const html = readFileSync(path, 'utf8')
  return {
    links: [...html.matchAll(/<(?:a|img|link|script|source|use)\b[^>]*?\s(?:href|src)="([^"]*)"/g)].map(([, to]) => to),
    places: new Set([...html.matchAll(/\s(?:id|name)="([^"]+)"/g)].map(([, id]) => decode(id))),
  }
}

/** Checks every page in `folder`. `dead`: a line for each link that leads nowhere. */
export function checkLinks(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.html'))
  const pages = new Map(files.map((name) => [join(folder, name), readPage(join(folder, name))]))
  const dead = new Set()
  let count = 0
  for (const [path, { links }] of pages) {
    for (const link of links) {
      if (/^[a-z]+:/.test(link) || link === '') continue
      count++
      const [file = '', place] = link.split('#')
      let target = file === '' ? path : resolve(dirname(path), decode(file).split('?')[0])
      if (existsSync(target) && statSync(target).isDirectory()) target = join(target, 'index.html')
      const isThere = existsSync(target)
      const page = pages.get(target)
      if (!isThere || (place && page && !page.places.has(decode(place)))) dead.add(`${relative(folder, path)}: ${link}`)
    }
  }
  return { pages: pages.size, links: count, dead: [...dead] }
}
