// Hundreds of runs and a million lines in one: how long the studio takes. Part of `npm run check:studio -- --measure`.
import { appendFileSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { metricsLine, writeRun } from './studio-runs.js'

const [many, long] = [500, 1_000_000]

/** Says how long something takes, and how much of it the studio computes. */
async function timed(what, work, pid) {
  const before = pid === undefined ? 0 : usage(pid).milliseconds
  const start = performance.now()
  const result = await work()
  const time = (performance.now() - start).toFixed(0)
  const computed = usage(pid ?? result.child.pid).milliseconds - before
  console.log(`     ${time.padStart(6)} ms, ${computed.toFixed(0).padStart(5)} of it computed by the studio: ${what}`)
  return result
}

/** Processor time of a process in milliseconds, and its memory in megabytes; on Linux. */
function usage(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  const memory = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return { milliseconds: 10 * (Number(fields[11]) + Number(fields[12])), megabytes: Number(memory) / 1024 }
}

/** The longest time between two frames of a page while something happens. */
async function longestFrame(page, work) {
  await page.evaluate(() => {
    window.longest = 0
    let last = performance.now()
    const frame = (now) => {
      window.longest = Math.max(window.longest, now - last)
      last = now
      requestAnimationFrame(frame)
    }
    requestAnimationFrame(frame)
  })
  await work()
  return page.evaluate(() => window.longest)
}

export async function measure({ runs, config, startStudio, openPage }) {
  for (let i = 0; i < many; i++) {
    const started = new Date(Date.UTC(2026, 0, 3, 0, i)).toISOString()
    writeRun(runs, { config, name: `many-${i}`, steps: 1876, seed: i, lr: 0.0005 + i / 1e5, started })
  }
  writeRun(runs, { config, name: 'long', steps: long, seed: 0, lr: 0.003, started: '2026-01-05T10:00:00.000Z' })
  const megabytes = statSync(join(runs, 'long', 'metrics.jsonl')).size / 1e6
  console.log(`     ${many} runs of 1,876 steps, one of ${long.toLocaleString('en')} (${megabytes.toFixed(0)} MB)`)
  const studio = await timed('the studio starts and has looked at all runs', startStudio)
  const { pid } = studio.child
  const page = await timed(
    'the list is on the page',
    async () => {
      const opened = await openPage(studio)
      await opened.locator('tbody tr').first().waitFor()
      return opened
    },
    pid,
  )
  await timed(
    'a search is answered',
    async () => {
      await page.getByRole('searchbox').fill('many-123')
      await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1)
    },
    pid,
  )
  const origin = new URL(page.url()).origin
  const open = async (hash) => {
    await page.goto(`${origin}/${hash}`)
    await page.waitForFunction(() => /\d/.test(document.querySelector('.legend b')?.textContent ?? ''))
  }
  await timed('the curves of a million steps, for the first time', () => open('#/run/long'), pid)
  await page.goto(`${origin}/#/`)
  await timed('the same again', () => open('#/run/long'), pid)
  const ten = Array.from({ length: 10 }, (_, i) => `many-${i}`).join(',')
  await timed('ten runs compared', () => open(`#/compare/${ten}`), pid)
  console.log(`     ${usage(pid).megabytes.toFixed(0)} MB of memory in the studio`)
  await open('#/run/long')
  const longest = await longestFrame(page, async () => {
    for (let i = 1; i <= 100; i++) {
      appendFileSync(join(runs, 'long', 'metrics.jsonl'), metricsLine(long + i, 0.5))
      await page.waitForTimeout(20)
    }
  })
  console.log(
    `     ${longest.toFixed(0).padStart(6)} ms  the longest frame while a million-step run grows by 50 lines a second`,
  )
  const idle = usage(pid).milliseconds
  await page.waitForTimeout(10_000)
  console.log(
    `     ${((usage(pid).milliseconds - idle) / 100).toFixed(1).padStart(6)} %   of a core, while nothing happens`,
  )
  await page.context().close()
  studio.child.kill('SIGINT')
  await studio.ended
}
