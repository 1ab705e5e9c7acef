// `npm run check:pages [NAME ...]`: each page of the site (folder `site/try`, made by `npm run site`) in Chromium, used as a visitor would, and something true
// of what it then shows. With --pictures FOLDER screenshots: desktop, phone, dark. The name "documentation": that the documentation beside them fits a small
// phone; it has some 1,450 pages, which take minutes, so it is looked at only when it is named.
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { pageSizes } from './site/pages.js'
import { serveFolder } from './site/server.js'
import { chromiumPath, webPackages } from './web-packages.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { folder: { type: 'string', default: 'site/try' }, pictures: { type: 'string' } },
})
const folder = resolve(values.folder)
const documentation = join(folder, '..')
const checks = new URL('site/checks/', import.meta.url)
const limits = { page: 60_000, worker: 120_000 }

function check(what, passed) {
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${what}`)
  if (!passed) process.exitCode = 1
}

/** A tab that notes what must not happen: errors, and requests to anyone else. */
async function openTab(browser, address, options) {
  const context = await browser.newContext(options)
  const tab = await context.newPage()
  const wrong = []
  tab.on('pageerror', ({ message }) => wrong.push(`error: ${message}`))
  tab.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') wrong.push(`console: ${message.text()}`)
  })
  context.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(address))
      wrong.push(`request: ${request.url()}`)
  })
  context.on('requestfailed', (request) => wrong.push(`failed: ${request.url()}`))
  return { tab, wrong, close: () => context.close() }
}

/** Whether the page is wider than its window: a phone would scroll sideways. */
const isTooWide = (tab) => tab.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)

/** How a page is looked at once it was used: the same tab, so that it is used once. */
const looks = {
  desktop: { width: 1280, colorScheme: 'light' },
  dark: { width: 1280, colorScheme: 'dark' },
  phone: { width: 390, colorScheme: 'light' },
}

async function checkPage(browser, address, name) {
  const { page, worker } = await pageSizes(folder, name)
  const sizes = `page ${(page / 1000).toFixed(1)} KB, worker ${(worker / 1000).toFixed(1)} KB`
  check(`${name}: ${sizes}`, page <= limits.page && worker <= limits.worker)
  const { tab, wrong, close } = await openTab(browser, address, { viewport: { width: 1280, height: 900 } })
  try {
    const { use } = await import(new URL(`${name}.js`, checks).href)
    await tab.goto(`${address}/${name}/index.html`)
    await use(tab, (what, passed) => check(`${name}: ${what}`, passed))
  } catch (error) {
    check(`${name}: ${error.message.split('\n', 1)[0]}`, false)
  }
  for (const [look, { width, colorScheme }] of Object.entries(looks)) {
    await tab.setViewportSize({ width, height: 844 })
    await tab.emulateMedia({ colorScheme })
    check(`${name}, ${look}: fits its width`, !(await isTooWide(tab)))
    if (values.pictures) await tab.screenshot({ path: join(values.pictures, `${name}-${look}.png`), fullPage: true })
  }
  check(`${name}: nothing wrong${wrong.map((each) => `\n     ${each}`).join('')}`, wrong.length === 0)
  await close()
}

/** Whether no page of the documentation scrolls sideways on the smallest phone; what is wide in it has to scroll within itself. */
async function checkDocumentation(browser) {
  const { address, close: closeServer } = await serveFolder(documentation)
  // A page is there without its scripts, which make its menus, and sooner.
  const options = { viewport: { width: 320, height: 740 }, javaScriptEnabled: false }
  const { tab, close } = await openTab(browser, address, options)
  const pages = readdirSync(documentation, { recursive: true })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.html') && !file.startsWith('try/'))
  const wide = []
  for (const page of pages) {
    await tab.goto(`${address}/${encodeURI(page)}`)
    if (await isTooWide(tab)) wide.push(page)
  }
  const found = wide.map((page) => `\n     ${page}`).join('')
  check(`documentation: ${pages.length} pages fit 320 pixels${found}`, wide.length === 0)
  await close()
  closeServer()
}

const { chromium } = createRequire(pathToFileURL(join(webPackages(), '..', 'package.json')))('playwright-core')
if (!existsSync(folder)) {
  console.error(`there are no pages in ${folder}: run npm run site first`)
  process.exit(1)
}
const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'page.js')) && name !== 'index')
const wanted = positionals.length > 0 ? positionals : names
if (values.pictures) mkdirSync(values.pictures, { recursive: true })
const server = await serveFolder(folder)
const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] })
try {
  for (const name of wanted)
    await (name === 'documentation' ? checkDocumentation(browser) : checkPage(browser, server.address, name))
} finally {
  await browser.close()
  server.close()
}
