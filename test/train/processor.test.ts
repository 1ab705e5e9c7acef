import { cpus } from 'node:os'
import { expect, test } from 'vitest'
import { processorName } from '../../src/train/processor.ts'

test('processors, their name, and the vectors of the kernels', async () => {
  const name = await processorName()
  expect(name.startsWith(`${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`)).toBe(true)
  if (process.arch === 'x64') expect(name).toMatch(/ \((AVX-512|AVX2)\)$/)
})
