import { expect, test } from 'vitest'
import { observeProgress, StatusLine } from '../../src/train/progress.ts'

test('the time that the first step is compiled in counts neither for the throughput nor for the time left', () => {
  const lines: string[] = []
  const observer = observeProgress(new StatusLine({ write: (text: string) => lines.push(text.trimEnd()) }), () => ({}))
  const at = (step: number, seconds: number) =>
    observer.onStep?.({ step, totalSteps: 100, epoch: 0, epochs: 1, metrics: { loss: 1 }, examples: 8, seconds })
  for (let step = 1; step <= 21; step++) at(step, 6 + (step - 1) / 2)
  expect(lines).toEqual([
    'epoch 1/1  step 1/100  loss 1.000',
    'epoch 1/1  step 21/100  loss 1.000  16 examples/s  0:40 left',
  ])
})
