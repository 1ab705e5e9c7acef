import { expect, test, vi } from 'vitest'
import type { PlotFigure } from '../../src/report/figures.ts'
import { renderFigureSvg, renderReport } from '../../src/report/render.ts'
import { MissingPackageError } from '../../src/util/errors.ts'

vi.mock('linkedom', () => {
  throw new Error("Cannot find package 'linkedom'")
})

const plot: PlotFigure = { kind: 'bars', title: '', value: { label: '' }, bars: [] }
const report = { title: '', summary: [], sections: [{ title: '', figures: [plot] }] }

test('plots without the plotting packages: the error names them and how to install them', async () => {
  const error = await renderReport(report).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(MissingPackageError)
  expect(error).toMatchObject({
    message: 'plots need the packages @observablehq/plot and linkedom, which are not installed',
    hint: 'npm install @observablehq/plot linkedom',
  })
  await expect(renderFigureSvg(plot)).rejects.toThrow(MissingPackageError)
})

test('a report without plots does without them', async () => {
  const text = { kind: 'text', title: '', paragraphs: ['words'] } as const
  expect(await renderReport({ ...report, sections: [{ title: '', figures: [text] }] })).toContain('<p>words</p>')
})
