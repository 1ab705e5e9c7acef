import { expect, test } from 'vitest'
import {
  type SpeedResult,
  speedMarkdown,
  speedRatios,
  speedSections,
  speedTable,
} from '../../../src/systems/fnet/jobs/speed-measurement.ts'

const result = (encoder: SpeedResult['encoder'], length: number, milliseconds?: number): SpeedResult => ({
  encoder,
  length,
  milliseconds,
  peakMebibytes: milliseconds && 2 * milliseconds,
  parameters: 1,
})
const results = [result('FNet', 512, 10), result('BERT', 512, 15), result('FNet', 4096, 100), result('BERT', 4096)]

test('ratios are of the lengths at which both came to their end', () => {
  expect(speedRatios(results)).toEqual([{ length: 512, time: 1.5, memory: 1.5 }])
})

test("the table has the paper's ratios in brackets and a dash where nothing was measured", () => {
  expect(speedTable(results).rows).toEqual([
    ['512', '10.0', '20', '15.0', '30', '1.5 (2.0)', '1.5 (2.0)'],
    ['4096', '100.0', '200', '-', '-', '-', '-'],
  ])
  expect(speedSections(results).map(({ figures }) => figures.length)).toEqual([2, 2, 1])
})

test('the table for documents', () => {
  expect(speedMarkdown(results.slice(0, 2))).toBe(
    `| length | FNet ms | FNet MiB | BERT ms | BERT MiB | time: BERT / FNet | memory: BERT / FNet |
| --- | --- | --- | --- | --- | --- | --- |
| 512 | 10.0 | 20 | 15.0 | 30 | 1.5 (2.0) | 1.5 (2.0) |
`,
  )
})
