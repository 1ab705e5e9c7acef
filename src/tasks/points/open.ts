/** Clouds of points by class. */
import { z } from 'zod'
import { type Cut, classLabels, type Examples } from '../../data/examples.ts'
import { cloudFiles, readCloud } from '../../data/points/clouds.ts'
import { furnitureSet } from '../../data/points/furniture.ts'
import { type Axis, type CloudChanges, changedCloud } from '../../data/points/sampling.ts'
import { surfaceCloud, surfaceNames } from '../../data/points/surfaces.ts'
import { count, whole } from '../../train/settings.ts'
import { deriveSeed } from '../../util/random.ts'
import type { OpenedArrays } from '../arrays/experiment.ts'
import { arrayFacts } from '../arrays/facts.ts'
import { type ExampleKind, exampleDataSettings, openExamples, openedArrays } from '../arrays/open.ts'
import type { KnownData } from '../define.ts'

const names = ['surfaces', 'furniture'] as const

/** What is known of clouds when a model is built. */
export const pointFacts = arrayFacts.extend({
  /** Points of a cloud. */
  points: whole,
  /** Decides which points of a surface are drawn. */
  sample_seed: count,
})

export type PointFacts = z.infer<typeof pointFacts>

/** Settings that choose clouds and say how they are changed. */
export function pointDataSettings() {
  return z.strictObject({
    ...exampleDataSettings(names, 'cloud'),
    points: whole.default(256).describe('points drawn from each surface, by area'),
    sample_seed: count.default(0).describe('decides which ones'),
    jitter: z
      .number()
      .min(0)
      .lt(1)
      .default(0.01)
      .describe('training points are scaled by 1 - jitter to 1 + jitter, each by itself'),
    rotate: z
      .enum(['auto', 'none', 'x', 'y', 'z'])
      .default('auto')
      .describe(
        'axis about which training clouds are turned; auto: the vertical one of a set by name, none of a folder',
      ),
    examples: whole.default(2000).describe('of surfaces: clouds to train on; a quarter as many are tested with'),
    noise: z.number().min(0).default(0.02).describe('of surfaces: standard deviation added to each coordinate'),
  })
}

export type PointDataSettings = z.infer<ReturnType<typeof pointDataSettings>>

/** The version of the rules by which surfaces are drawn, in records. */
const rules = 'surfaces 1'

function surfaces({ examples, points, noise, sample_seed }: PointDataSettings) {
  const clouds = (length: number, side: string): Examples<Float32Array> => {
    const labels = Array.from({ length }, (_, i) => i % surfaceNames.length)
    const seed = deriveSeed(sample_seed, side)
    return {
      length,
      labels: classLabels(labels),
      read: async (index) => surfaceCloud(labels[index] ?? 0, index, { points, seed, noise }),
    }
  }
  return {
    title: `${surfaceNames.length} generated surfaces`,
    labels: surfaceNames,
    train: clouds(examples, 'train'),
    test: clouds(Math.ceil(examples / 4), 'test'),
    sources: { generated: rules },
  }
}

/** The draw of a file's points depends on its content alone, wherever it lies. */
function kindOf(data: PointDataSettings): ExampleKind<Float32Array> {
  return {
    ...cloudFiles,
    decode: async (bytes, name) => readCloud(bytes, name, data.points, data.sample_seed),
    bytesOf: ({ byteLength }) => byteLength,
    generated: { surfaces: () => surfaces(data) },
    sets: { furniture: furnitureSet },
  }
}

function axisOf({ rotate, folder }: PointDataSettings): Axis | undefined {
  if (rotate === 'none') return undefined
  if (rotate !== 'auto') return rotate
  // Wavefront files have the y axis up, what is generated the z axis.
  return folder === 'surfaces' ? 'z' : folder === 'furniture' ? 'y' : undefined
}

/** Clouds [points, 3] in the unit cube; for training changed as in the paper. */
function cutClouds(points: number, changes: CloudChanges): Cut<Float32Array, 'points'> {
  return {
    fields: { points: { dtype: 'float32', shape: [points, 3] } },
    cut: (cloud, part) => ({ points: 'random' in part ? changedCloud(cloud, changes, part.random) : cloud }),
  }
}

/** Opens the clouds that the settings name. */
export async function openPoints(
  data: PointDataSettings,
  known?: KnownData<PointFacts>,
): Promise<OpenedArrays<PointFacts>> {
  const kind = kindOf(data)
  const opened = await openExamples(data, kind, known)
  const cut = cutClouds(data.points, { jitter: data.jitter, axis: axisOf(data) })
  return openedArrays(opened, kind.bytesOf, cut, {
    labels: [...opened.labels],
    classes_per_example: 'one',
    inputs: { points: { dtype: 'float32', shape: [data.points, 3] } },
    windows: 1,
    points: data.points,
    sample_seed: data.sample_seed,
  })
}
