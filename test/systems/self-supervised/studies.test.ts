/** The studies of self-supervised learning on tiny settings: what is trained, what is kept, sentences that follow the numbers. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { contourPicture } from '../../../src/systems/self-supervised/energies/contours.ts'
import { gridPoints, planeCurves, pointsOnCurve } from '../../../src/systems/self-supervised/energies/plane.ts'
import { batch } from '../../../src/systems/self-supervised/jobs/batch.ts'
import { collapse, collapseFindings } from '../../../src/systems/self-supervised/jobs/collapse.ts'
import { landscapeJob, landscapeNumbers } from '../../../src/systems/self-supervised/jobs/landscape.ts'
import { latent } from '../../../src/systems/self-supervised/jobs/latent.ts'
import { methodsJob } from '../../../src/systems/self-supervised/jobs/methods.ts'
import { negatives } from '../../../src/systems/self-supervised/jobs/negatives.ts'
import { runTiny } from './run-tiny.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-ssl-'))
afterAll(() => rmSync(folder, { recursive: true }))

const pictures = ['examples=24', 'validation=12', 'test=12', 'labelled=24', 'probe_steps=5'].map((set) => `data.${set}`)
const study = ['steps=2', 'tuning_steps=1', 'seeds=1', 'learning_rates=[0.001]', 'batch_size=8'].map(
  (set) => `study.${set}`,
)
const encoder = 'encoder.hidden=[8]'

describe('jobs', () => {
  test('collapse: arms, seeds and curves; finished ones are kept', async () => {
    const sets = [
      ...pictures,
      encoder,
      'arms=["distance","byol-plain"]',
      'seeds=1',
      'steps=2',
      'batch_size=8',
      'looks=2',
    ]
    const { report, parts } = await runTiny(folder, collapse, sets)
    expect(parts).toEqual(['new distance', 'new byol-plain'])
    expect(report.sections.map(({ title }) => title)).toEqual([
      'What was found',
      'No remedy, and negatives',
      'BYOL and SimSiam',
    ])
    expect((await runTiny(folder, collapse, sets)).parts).toEqual(['distance', 'byol-plain'])
    await expect(runTiny(folder, collapse, ['arms=["simclar"]'])).rejects.toThrow('arms: there is no arm "simclar"')
  })

  test('methods: floors, methods and a ceiling', async () => {
    const { report, parts } = await runTiny(folder, methodsJob, [
      ...pictures,
      ...study,
      encoder,
      'methods=["vicreg","pirl"]',
      'labels=[0.5]',
    ])
    expect(parts).toEqual(['pixels', 'random', 'vicreg', 'pirl', 'supervised'].map((arm) => `new members/${arm}-seed0`))
    expect(JSON.stringify(report)).toContain('12 labels')
  })

  test('negatives and batch', async () => {
    const few = await runTiny(folder, negatives, [...pictures, ...study, encoder, 'queue=[8,16]'])
    expect(few.parts).toEqual(['new members/negatives-8-seed0', 'new members/negatives-16-seed0'])
    const small = await runTiny(folder, batch, [
      ...pictures,
      ...study,
      encoder,
      'methods=["simclr"]',
      'batch_sizes=[4,8]',
    ])
    expect(small.parts).toEqual(['new members/simclr-4-seed0', 'new members/simclr-8-seed0'])
  })

  test('landscape: every loss and every latent variable as a contour plot', async () => {
    const { report, parts } = await runTiny(folder, landscapeJob, ['points=64', 'steps=2', 'batch_size=16', 'side=8'])
    expect(parts).toEqual(
      expect.arrayContaining(['new hinge', 'new perceptron', 'new nce', 'new sliced', 'new vae', 'new k-means']),
    )
    expect(report.sections.map(({ title }) => title)).toEqual([
      'What was found',
      'Losses of one energy network',
      'Codes and latent variables',
    ])
  })

  test('latent: a discrete z and a VAE of several capacities', async () => {
    const sets = [...pictures, 'values=[1,2]', 'betas=[1]', 'z_dim=2', 'hidden=8', 'seeds=1', 'steps=2', 'batch_size=8']
    const { report, parts } = await runTiny(folder, latent, sets)
    expect(parts).toEqual(['new discrete-1-seed0', 'new discrete-2-seed0', 'new vae-1-seed0'])
    expect(report.sections.at(-1)?.figures.length).toBe(3)
  })
})

test('what is told of a collapse follows the numbers', () => {
  const curve = [{ step: 1, spread: 0, std: 0, rank: 1, alignment: 0, uniformity: 0 }]
  const result = (title: string, accuracy: number, removed?: string) => ({
    name: title,
    title,
    removed,
    results: [{ accuracy, loss: 0, curve }],
  })
  const [floors, kept, taken] = collapseFindings([result('A', 0.9), result('B', 0.3, 'all')], {
    pixels: 0.5,
    random: 0.4,
  })
  expect(floors).toBe('Floors: raw pixels 50.0 %, an encoder that was never trained 40.0 %.')
  expect(kept).toBe('With their remedy, above both floors: A (90.0 %). Not above: none.')
  expect(taken).toBe('With a part taken away, below the random encoder: B (30.0 %). Not below: none.')
})

describe('energies of the plane', () => {
  test('curves lie in the square', () => {
    for (const curve of planeCurves) {
      const points = pointsOnCurve(curve, 200, 1)
      expect(points.length).toBe(400)
      expect(Math.max(...points.map(Math.abs))).toBeLessThan(1.1)
    }
  })

  test('a valley along the data is told from a flat energy', () => {
    const points = pointsOnCurve('ring', 100, 1)
    const cells = gridPoints(16)
    const valley = Array.from({ length: 256 }, (_, i) =>
      Math.abs(Math.hypot(cells[2 * i] ?? 0, cells[2 * i + 1] ?? 0) - 0.65),
    )
    expect(landscapeNumbers({ energies: valley, data: [0, 0.01] }, 16, points).above).toBe(1)
    expect(landscapeNumbers({ energies: valley.map(() => 1), data: [1, 1] }, 16, points).above).toBe(0.5)
  })

  test('contours: bands with lines between, points over them, one colour where it is flat', () => {
    const slope = Float32Array.from({ length: 16 }, (_, i) => i % 4)
    const { pixels, width, height, channels } = contourPicture(slope, 4, { size: 16, bands: 4, points: [-0.9, 0.9] })
    expect([width, height, channels]).toEqual([16, 16, 3])
    const colours = (bytes: Uint8Array) =>
      new Set(Array.from({ length: bytes.length / 3 }, (_, i) => bytes.slice(3 * i, 3 * i + 3).join()))
    expect(colours(pixels).size).toBe(6) // four bands, the lines, the point
    expect(colours(contourPicture(new Float32Array(16), 4, { size: 8 }).pixels).size).toBe(1)
  })
})
