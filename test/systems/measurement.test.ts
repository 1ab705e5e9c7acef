/** Measurements in processes of their own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { z } from 'zod'
import { costOfCalls, measureApart } from '../../src/systems/measurement.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-measurement-'))
afterAll(() => rmSync(folder, { recursive: true }))
const module = pathToFileURL(join(folder, 'job.mjs')).href

/** What a script beside the module gives for a task. */
function measured(name: string, script: string, task: unknown) {
  writeFileSync(join(folder, `${name}.mjs`), script)
  return measureApart(module, name, task, z.object({ twice: z.number() }))
}

test('a process gets its task and its answer is checked; one that is killed has none; a fault is not hidden', async () => {
  const twice = 'console.log(JSON.stringify({ twice: 2 * JSON.parse(process.argv[2]).value }))'
  expect(await measured('twice', twice, { value: 21 })).toEqual({ twice: 42 })
  expect(await measured('killed', "process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 100)", {})).toBe(
    undefined,
  )
  await expect(measured('wrong', 'console.log("{}")', {})).rejects.toThrow('twice')
  await expect(measured('fault', 'throw new Error("broken")', {})).rejects.toThrow('broken')
})

test('the first call is not measured, and a long one only as often as asked', async () => {
  let calls = 0
  const { milliseconds } = await costOfCalls(
    async () => {
      calls++
      await new Promise((resolve) => setTimeout(resolve, calls === 1 ? 0 : 1600))
    },
    1,
    0,
  )
  expect(calls).toBe(2)
  expect(milliseconds).toBeGreaterThan(1500)
})
