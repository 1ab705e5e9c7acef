import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { addRow, emptyCurve, roundedCurve } from '../../src/studio/curves.ts'
import { MetricsEnds } from '../../src/studio/server/metrics-end.ts'
import { MetricsLog, MetricsLogs } from '../../src/studio/server/metrics-log.ts'
import { addLines } from '../../src/studio/ui/charts/growing.ts'

const root = await mkdtemp(join(tmpdir(), 'tenfold-curves-'))
afterAll(() => rm(root, { recursive: true }))

const line = (step: number, loss: unknown, type = 'step') =>
  `${JSON.stringify({ type, step, epoch: 0, seconds: 1, loss })}\n`
const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => line(from + i, Math.sin(from + i))).join('')

test('few rows are a curve as they are', () => {
  const curve = emptyCurve()
  for (const [step, loss] of [[1, 3] as const, [2, null] as const, [3, Number.NaN] as const, [5, 1] as const])
    addRow(curve, step, [['loss', loss]])
  expect(curve).toMatchObject({ every: 1, rows: 4, x: [1, 2, 3, 5] })
  expect(curve.series.loss).toEqual({
    mean: [3, null, null, 1],
    min: [3, null, null, 1],
    max: [3, null, null, 1],
    count: [1, 0, 0, 1],
  })
})

test('of many rows, buckets keep mean, least and greatest value, and a metric may begin late', () => {
  const curve = emptyCurve()
  for (let step = 1; step <= 11; step++)
    addRow(
      curve,
      step,
      step > 6
        ? [
            ['loss', step],
            ['late', 1],
          ]
        : [['loss', step]],
      4,
    )
  expect(curve).toEqual({
    every: 4,
    rows: 11,
    x: [4, 8, 11],
    series: {
      loss: { mean: [2.5, 6.5, 10], min: [1, 5, 9], max: [4, 8, 11], count: [4, 4, 3] },
      late: { mean: [null, 1, 1], min: [null, 1, 1], max: [null, 1, 1], count: [0, 2, 3] },
    },
  })
})

test('the server reads only what is new, whole lines at a time, and nothing that is no line of metrics', async () => {
  const path = join(root, 'new.jsonl')
  const log = new MetricsLog(path)
  await log.update()
  expect(log.lines.step.rows).toBe(0)
  await writeFile(
    path,
    `${line(1, 2)}not json\nnull\n[1]\n{"type":"other","step":1}\n${line(1, 0.5, 'evaluation')}${line(2, 'x')}{"type":"st`,
  )
  await log.update()
  expect([log.lines.step.rows, log.lines.evaluation.rows]).toEqual([2, 1])
  await appendFile(path, `ep","step":3,"epoch":0,"loss":1}\n`)
  await log.update()
  expect(log.lines.step.since(0)).toEqual({ steps: [1, 2, 3], values: { loss: [2, null, 1] } })
  expect(log.generation).toBe(0)
})

test('the list knows the end of the metrics, whatever else is written behind it', async () => {
  const path = join(root, 'end.jsonl')
  const evaluation = { type: 'evaluation', step: 2, epoch: 0, seconds: 1, loss: 0.5 }
  await writeFile(path, `${lines(1, 2)}${JSON.stringify(evaluation)}\n${line(3, 1)}`)
  await appendFile(path, 'null\n{}\n{"type":"step","step":"four","epoch":0}\n{"type":"step","epoch":0}\n')
  expect(await new MetricsEnds().read(path)).toEqual({ step: 3, epoch: 0, evaluation, stepsPerEpoch: undefined })
})

test('a log that a resumed training has replaced is read again', async () => {
  const path = join(root, 'replaced.jsonl')
  const log = new MetricsLog(path)
  await writeFile(path, lines(1, 10))
  await log.update()
  await writeFile(`${path}.new`, lines(1, 12))
  await rename(`${path}.new`, path)
  await log.update()
  expect([log.generation, log.lines.step.rows]).toEqual([1, 12])
  // Steps that were taken back, without a new file.
  await appendFile(path, line(5, 7))
  await log.update()
  expect(log.lines.step.since(3)).toMatchObject({ steps: [4, 5], values: { loss: [Math.sin(4), 7] } })
})

test('a curve that the page grows line by line is the one that the server makes of all lines', async () => {
  const path = join(root, 'grown.jsonl')
  await writeFile(path, lines(1, 3000))
  const log = await new MetricsLogs().get(path)
  const grown = { step: log.lines.step.curve(), evaluation: emptyCurve() }
  await appendFile(path, lines(3001, 5000))
  await log.update()
  for (const [from, rows] of [[3000, 700] as const, [3700, 1300] as const]) {
    const { steps, values } = log.lines.step.since(from)
    const sent = { id: 'a', kind: 'step' as const, from, steps: steps.slice(0, rows), values }
    expect(addLines(grown, sent)).toBe(true)
    // The same again, as after a reconnection.
    expect(addLines(grown, sent)).toBe(true)
  }
  expect(roundedCurve(grown.step)).toEqual(roundedCurve(log.lines.step.curve()))
  expect(grown.step).toMatchObject({ every: 8, rows: 5000 })
  expect(addLines(grown, { id: 'a', kind: 'step', from: 5001, steps: [], values: {} })).toBe(false)
})

test('a part of a curve has more detail', async () => {
  const path = join(root, 'part.jsonl')
  await writeFile(path, lines(1, 5000))
  const { step } = (await new MetricsLogs().get(path)).lines
  expect(step.curve(101, 200)).toMatchObject({ every: 1, rows: 100 })
  expect(step.curve(101, 200).x).toEqual(Array.from({ length: 100 }, (_, i) => 101 + i))
  expect(step.curve(6000, 7000)).toEqual({
    every: 1,
    rows: 0,
    x: [],
    series: { loss: { mean: [], min: [], max: [], count: [] } },
  })
})
