import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const program = new URL('../../bin/tenfold.js', import.meta.url).pathname
const run = promisify(execFile)

test('bench fnet measures every encoder in a process of its own and writes a page', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenfold-bench-'))
  const args = [
    'bench',
    'fnet',
    '--lengths',
    '16',
    '--encoders',
    'fnet,bert',
    '--steps',
    '1',
    '--json',
    '--out',
    folder,
  ]
  const { stdout } = await run(process.execPath, [program, ...args])
  const events = stdout
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text))
  expect(events.map(({ event, encoder }) => encoder ?? event)).toEqual(['FNet', 'BERT', 'ratio', 'done'])
  expect(events.slice(0, 2).every(({ milliseconds, peakMebibytes }) => milliseconds > 0 && peakMebibytes > 0)).toBe(
    true,
  )
  expect(readFileSync(join(folder, 'speed.html'), 'utf8')).toContain('FNet: speed against length')
  expect(readFileSync(join(folder, 'speed.md'), 'utf8')).toMatch(/^\| length \| FNet ms /)
  for (const name of ['time', 'memory']) {
    expect(readFileSync(join(folder, `speed-${name}.svg`), 'utf8')).toMatch(/^<svg .*FNet.*BERT/s)
  }
})

test('an unknown encoder is told in one line', async () => {
  const failing = run(process.execPath, [program, 'bench', 'fnet', '--encoders', 'gpt'])
  await expect(failing).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('FNet-Hybrid, BERT.') })
})
