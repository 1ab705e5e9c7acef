// `npm run check:pages [NAME ...]`: each page of the site (folder `site`, made by `npm run site`) in Chromium, used as a visitor would, and something true
// of what it then shows. With --pictures FOLDER screenshots: desktop, phone, dark.
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
  options: { folder: { type: 'string', default: 'site' }, pictures: { type: 'string' } },
})
const folder = resolve(values.folder)
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

const looks = {
  desktop: { viewport: { width: 1280, height: 900 } },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true },
}

async function checkPage(browser, address, name) {
  const { page, worker } = await pageSizes(folder, name)
  check(
    `${name}: page ${(page / 1000).toFixed(1)} KB, worker ${(worker / 1000).toFixed(1)} KB`,
    page <= limits.page && worker <= limits.worker,
  )
  const { use } = existsSync(new URL(`${name}.js`, checks)) ? await import(new URL(`${name}.js`, checks).href) : {}
  check(`${name}: has a check of its own`, use !== undefined)
  for (const [look, options] of Object.entries(looks)) {
    const { tab, wrong, close } = await openTab(browser, address, options)
    await tab.goto(`${address}/${name}/index.html`)
    // The whole use once; the other looks are for the eye.
    if (use && look === 'desktop') await use(tab, (what, passed) => check(`${name}: ${what}`, passed))
    else if (use && values.pictures) await use(tab, () => {})
    check(`${name}, ${look}: fits its width`, !(await isTooWide(tab)))
    check(`${name}, ${look}: nothing wrong${wrong.map((each) => `\n     ${each}`).join('')}`, wrong.length === 0)
    if (values.pictures) await tab.screenshot({ path: join(values.pictures, `${name}-${look}.png`), fullPage: true })
    await close()
  }
}

const { chromium } = createRequire(pathToFileURL(join(webPackages(), '..', 'package.json')))('playwright-core')
const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'page.js')) && name !== 'index')
const wanted = positionals.length > 0 ? positionals : names
if (values.pictures) mkdirSync(values.pictures, { recursive: true })
const server = await serveFolder(folder)
const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] })
try {
  for (const name of wanted) await checkPage(browser, server.address, name)
} finally {
  await browser.close()
  server.close()
}
