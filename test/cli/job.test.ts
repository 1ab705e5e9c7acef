import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { runJobHere } from '../../src/cli/job.ts'
import { silentReporter } from '../../src/cli/ui.ts'
import { defineJob } from '../../src/systems/define.ts'
import { mixer } from '../../src/systems/mixer/index.ts'
import { UsageError } from '../../src/util/errors.ts'
import { tenfold } from './process.ts'

test('run fnet/speed measures every encoder in a process of its own, keeps it, and writes a page', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenfold-job-'))
  const settings = ['lengths=[16]', 'encoders=["FNet","BERT"]', 'steps=1'].flatMap((set) => ['--set', set])
  const run = async () => {
    const { code, out } = await tenfold('run', 'fnet/speed', ...settings, '--json', '--out', folder)
    expect(code).toBe(0)
    return out
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text))
  }
  const events = await run()
  expect(events.map(({ event, encoder, ratio }) => encoder ?? (ratio ? 'ratio' : event))).toEqual([
    'FNet',
    'BERT',
    'ratio',
    'done',
  ])
  expect(events.slice(0, 2).every(({ milliseconds, peakMebibytes }) => milliseconds > 0 && peakMebibytes > 0)).toBe(
    true,
  )
  expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('FNet: speed against length')
  expect(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'))).toMatchObject({
    job: 'fnet/speed',
    seed: 0,
    config: { lengths: [16], steps: 1, batch: 1 },
    report: { title: 'FNet: speed against length' },
  })
  expect(readFileSync(join(folder, 'speed.md'), 'utf8')).toMatch(/^\| length \| FNet ms /)
  for (const name of ['time', 'memory'])
    expect(readFileSync(join(folder, `speed-${name}.svg`), 'utf8')).toMatch(/^<svg .*FNet.*BERT/s)
  // The same command again takes what is there.
  expect((await run()).slice(0, 3)).toEqual(events.slice(0, 3))
  rmSync(folder, { recursive: true })
})

test('a mistake is told in one line', async () => {
  expect(await tenfold('run', 'fnet/speed', '--set', 'encoders=["GPT"]')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^error: setting "encoders\.0": .*FNet-Hybrid.*\n$/),
  })
  expect(await tenfold('run', 'mixer/mnist')).toEqual({
    code: 2,
    out: '',
    err: 'error: mixer/mnist is a recipe to train, not a job (tenfold train mixer/mnist)\n',
  })
  expect((await tenfold('train', 'mixer/scale')).err).toBe(
    'error: mixer/scale is a job, not a recipe to train (tenfold run mixer/scale)\n',
  )
})

test('a program that is missing is told before anything is said or made', async () => {
  const folder = join(tmpdir(), 'tenfold-job-without-program')
  const job = defineJob({
    name: 'tiny',
    summary: 'needs a program',
    config: z.strictObject({}),
    requirePrograms: () => {
      throw new UsageError('the program is missing')
    },
    run: async () => ({ title: '', summary: [], sections: [] }),
  })
  const said: string[] = []
  const reporter = { ...silentReporter, say: (line: string) => void said.push(line) }
  await expect(runJobHere(mixer, job, {}, { folder, seed: 0 }, reporter)).rejects.toThrow('the program is missing')
  expect([said, existsSync(folder)]).toEqual([[], false])
})
