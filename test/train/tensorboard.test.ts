import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { StepReport } from '../../src/train/loop.ts'
import { observeAll } from '../../src/train/progress.ts'
import { logToTensorBoard } from '../../src/train/tensorboard.ts'

const report = { step: 3, totalSteps: 9, epoch: 0, epochs: 1, metrics: { loss: 0.5 }, examples: 8, seconds: 1 }

test('steps are written as train/NAME, evaluations as test/NAME, beside what other observers do', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenfold-'))
  const log = logToTensorBoard(folder)
  const heard: StepReport[] = []
  const observer = observeAll([{ onStep: (step) => heard.push(step) }, log])
  const content = (): string => readFileSync(join(folder, readdirSync(folder)[0] ?? ''), 'latin1')
  observer.onStep?.(report)
  expect(content()).not.toContain('train/loss')
  observer.onEvaluation?.(3, 0, { accuracy: 0.75 }, true)
  expect(content()).toMatch(/train\/loss.*test\/accuracy/s)
  observer.onStep?.({ ...report, step: 4 })
  observer.onCheckpoint?.('checkpoint')
  expect(content().match(/train\/loss/g)).toHaveLength(2)
  log.close()
  expect(heard.map(({ step }) => step)).toEqual([3, 4])
  rmSync(folder, { recursive: true })
})
