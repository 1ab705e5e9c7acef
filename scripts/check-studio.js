// Uses `tenfold studio` in Chromium as a person would: `npm run check:studio`. Needs a Chromium, /usr/bin/chromium or what CHROMIUM names;
// fetches playwright-core into .web. `npm run check:studio -- --measure` also measures it with hundreds of runs and a million lines;
// `-- --pictures DIR` keeps pictures of the pages.
import { spawn } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { encodePng } from '../dist/io/png.js'
import { measure } from './check-studio-measure.js'
import { metricsLine, writeRun } from './studio-runs.js'
import { chromiumPath, webPackages } from './web-packages.js'

const program = fileURLToPath(new URL('../bin/tenfold.js', import.meta.url))
const packages = webPackages()
const { chromium } = createRequire(pathToFileURL(join(packages, '..', 'package.json')))('playwright-core')
const place = mkdtempSync(join(tmpdir(), 'tenfold-check-studio-'))
const runs = join(place, 'runs')
const pictures = process.argv[process.argv.indexOf('--pictures') + 1 || Number.NaN]
const patience = 120_000

const children = []

function check(what, passed, found = '') {
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${what}${passed || found === '' ? '' : `: ${found}`}`)
  if (!passed) process.exitCode = 1
}

/** Starts the studio; resolves with its address and its process. */
function startStudio() {
  const child = spawn(process.execPath, [program, 'studio', '--runs', runs, '--no-open', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the studio ended with ${code}`)))
    createInterface(child.stdout).on('line', (line) => {
      const event = JSON.parse(line)
      if (event.event === 'studio') resolve({ url: event.url, child, ended })
    })
  })
}

/** A page that fails the check if it asks anything of another place, or reports a problem. */
async function openPage(browser, { url }, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(patience)
  const { origin } = new URL(url)
  page.on('request', (request) => {
    const asked = request.url()
    if (!/^(data|blob):/.test(asked) && new URL(asked).origin !== origin) check('asks only itself', false, asked)
  })
  page.on('pageerror', (error) => check('no error in the page', false, error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') check('no problem in the console', false, message.text())
  })
  await page.goto(url)
  await page.waitForSelector('h1')
  return page
}

async function keepPicture(page, name, options = {}) {
  if (pictures === undefined) return
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`), ...options })
}

/** A digit 1, dark on light: what somebody would draw. */
function drawnOne() {
  const pixels = new Uint8Array(28 * 28).fill(255)
  for (let y = 5; y < 23; y++) for (let x = 13; x < 16; x++) pixels[28 * y + x] = 0
  return encodePng(pixels, 28, 28, 1)
}

async function startFromForm(page) {
  await page.goto(`${new URL(page.url()).origin}/#/new`)
  await page.getByRole('searchbox').fill('mnist digits')
  await page.getByRole('link', { name: 'mixer/mnist', exact: true }).click()
  await page.getByText('optimizer', { exact: false }).first().waitFor()
  await page.getByLabel('lr', { exact: true }).fill('-1')
  const wrong = page.getByRole('alert').filter({ hasText: 'optimizer.lr' })
  await wrong.waitFor()
  check(
    'a wrong setting is said as the command line says it',
    /^setting "optimizer\.lr": .*found -1$/.test(await wrong.innerText()),
  )
  await keepPicture(page, 'form')
  await page.getByLabel('lr', { exact: true }).fill('0.004')
  await page.locator('summary', { hasText: 'model' }).click()
  const small = { hidden_dim: 16, num_blocks: 1, tokens_mlp_dim: 8, channels_mlp_dim: 16 }
  for (const [name, value] of Object.entries(small)) await page.getByLabel(name, { exact: true }).fill(String(value))
  await page.getByLabel('steps', { exact: true }).fill('2000')
  await page.getByLabel('threads', { exact: true }).fill('1')
  await page.getByLabel('run name').fill('live')
  await page.getByRole('button', { name: 'Train' }).and(page.locator(':enabled')).click()
}

const lastStep = (folder) => {
  const lines = readFileSync(join(runs, folder, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
  return JSON.parse(lines.at(-1)).step
}

async function trainStopResume(page) {
  await startFromForm(page)
  await page.locator('.chart canvas').first().waitFor()
  const shown = () => page.locator('.legend b').first().innerText()
  await page.waitForFunction(() => /\d/.test(document.querySelector('.legend b')?.textContent ?? ''))
  const before = await shown()
  await page.waitForFunction((old) => document.querySelector('.legend b')?.textContent !== old, before)
  check('the curve of a training grows on the page', true)
  // The second half of a double click must not end it without saving.
  await page.getByRole('button', { name: 'Stop' }).dblclick()
  await page.locator('.badge.stopped').waitFor()
  const stoppedAt = lastStep('live')
  check('a training is stopped, and has saved', stoppedAt > 0 && stoppedAt < 2000, stoppedAt)
  await page.getByRole('button', { name: 'Resume' }).click()
  await page.getByLabel('Steps in all').fill(String(stoppedAt + 60))
  await page.locator('.resume').getByRole('button', { name: 'Resume' }).click()
  await page.locator('.badge.finished').waitFor()
  check('it is resumed to a new end', lastStep('live') === stoppedAt + 60, lastStep('live'))
  await keepPicture(page, 'run')
}

async function dropPicture(page) {
  await page.getByRole('link', { name: 'use', exact: true }).click()
  const data = await page.evaluateHandle(
    (bytes) => {
      const transfer = new DataTransfer()
      transfer.items.add(new File([new Uint8Array(bytes)], 'one.png', { type: 'image/png' }))
      return transfer
    },
    [...drawnOne()],
  )
  await page.dispatchEvent('.drop', 'drop', { dataTransfer: data })
  await page.locator('.choices li').first().waitFor()
  const [best] = await page.locator('.choices li').allInnerTexts()
  check('a dropped picture is predicted', /\d\s+[\d.]+ %/.test(best.replaceAll('\n', ' ')), best)
  check('its preview is shown', await page.locator('.answer img').evaluate((image) => image.naturalWidth === 28))
  await keepPicture(page, 'use')
}

async function lookAround(page) {
  await page.getByRole('link', { name: 'report', exact: true }).click()
  await page.frameLocator('iframe.page').getByRole('heading', { name: 'Confusion matrix' }).waitFor()
  check('the report is shown', true)
  await page.getByRole('link', { name: 'charts', exact: true }).click()
  // The plot is drawn, and sized, in the frames after its numbers.
  await page.waitForFunction(() => /\d/.test(document.querySelector('.legend b')?.textContent ?? ''))
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))))
  const plot = page.locator('.plot').first()
  await plot.focus()
  await page.keyboard.press('Home')
  const at = page.locator('.chart .at').first()
  await page.waitForTimeout(100)
  check('a chart is read with the keyboard', (await at.innerText()) === 'step 1', await at.innerText())
}

async function compareRuns(page) {
  await page.getByRole('link', { name: 'Runs', exact: true }).click()
  await page.getByRole('searchbox').fill('lr=0.00')
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 3)
  check('runs are found by a setting', true)
  for (const name of ['live', 'slow']) await page.getByLabel(`Compare ${name}`).check()
  await keepPicture(page, 'list')
  await page.getByRole('link', { name: 'Compare' }).click()
  const row = page.locator('.compare tr', { hasText: 'optimizer.lr' })
  await row.waitFor()
  check('settings that differ stand side by side', /0\.004.*0\.001/s.test(await row.innerText()), await row.innerText())
  check('settings that agree do not', (await page.locator('.compare tr', { hasText: 'train.epochs' }).count()) === 0)
  check('curves are overlaid', (await page.locator('.chart').first().locator('.legend li').count()) === 4)
  await keepPicture(page, 'compare')
}

/** From a line in the file of a run to the number on the page, in milliseconds. */
async function latency(page) {
  await page.goto(`${new URL(page.url()).origin}/#/run/slow`)
  await page.locator('.chart canvas').first().waitFor()
  const times = []
  for (let i = 1; i <= 10; i++) {
    const loss = 0.5 + i / 1000
    const seen = page.waitForFunction(
      (text) => document.querySelector('.legend b')?.textContent === text,
      String(loss),
      { polling: 10 },
    )
    await new Promise((resolve) => setTimeout(resolve, 300))
    const start = performance.now()
    appendFileSync(join(runs, 'slow', 'metrics.jsonl'), metricsLine(500 + i, loss))
    await seen
    times.push(performance.now() - start)
  }
  return times.sort((a, b) => a - b)[5]
}

async function statesOnOneLine(browser, studio) {
  mkdirSync(join(runs, 'unreadable'))
  writeFileSync(join(runs, 'unreadable', 'run.json'), '{')
  const page = await openPage(browser, studio, { viewport: { width: 1200, height: 800 } })
  await page.locator('.badge.damaged').waitFor()
  const heights = await page.locator('.runs .badge').evaluateAll((badges) => badges.map((each) => each.offsetHeight))
  check('states are on one line', new Set(heights).size === 1, heights.join(', '))
  await page.context().close()
  rmSync(join(runs, 'unreadable'), { recursive: true })
}

async function narrowAndDark(browser, studio) {
  const page = await openPage(browser, studio, { viewport: { width: 390, height: 800 }, colorScheme: 'dark' })
  for (const [name, hash] of Object.entries({
    list: '#/',
    run: '#/run/live',
    compare: '#/compare/live,slow',
    form: '#/new/mixer%2Fmnist',
  })) {
    await page.goto(`${new URL(page.url()).origin}/${hash}`)
    await page.waitForTimeout(500)
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    check(`${name}: fits on a narrow screen`, wide <= 0, `${wide} pixels too wide`)
    await keepPicture(page, `${name}-narrow-dark`, { fullPage: name !== 'form' })
  }
  await page.context().close()
}

async function endAndRestart(studio) {
  studio.child.kill('SIGINT')
  check('Ctrl-C ends the studio in order', (await studio.ended) === 130)
}

mkdirSync(runs)
const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] })
try {
  const studio = await startStudio()
  const page = await openPage(browser, studio)
  check('the token leaves the address', !page.url().includes('token'))
  await trainStopResume(page)
  await lookAround(page)
  await dropPicture(page)
  const { config } = JSON.parse(readFileSync(join(runs, 'live', 'run.json'), 'utf8'))
  writeRun(runs, { config, name: 'slow', steps: 500, seed: 1, lr: 0.001, started: '2026-01-01T10:00:00.000Z' })
  writeRun(runs, { config, name: 'fast', steps: 2000, seed: 2, lr: 0.002, started: '2026-01-02T10:00:00.000Z' })
  await compareRuns(page)
  console.log(`     ${(await latency(page)).toFixed(0)} ms from a line in metrics.jsonl to the page (median of 10)`)
  await statesOnOneLine(browser, studio)
  await narrowAndDark(browser, studio)
  await page.context().close()
  await endAndRestart(studio)
  if (process.argv.includes('--measure')) {
    await measure({ runs, config, startStudio, openPage: (opened) => openPage(browser, opened) })
  }
} finally {
  await browser.close()
  for (const child of children) child.kill('SIGKILL')
  // A training goes on without the studio.
  for (const name of readdirSync(runs, { recursive: true, encoding: 'utf8' }).filter((each) =>
    /lock-.*\.json$/.test(each),
  ))
    process.kill(JSON.parse(readFileSync(join(runs, name), 'utf8')).pid, 'SIGKILL')
  rmSync(place, { recursive: true, force: true })
}
