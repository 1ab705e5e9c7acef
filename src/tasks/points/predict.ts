/** Predictions for files of clouds. */

import { readBytes } from '../../data/files.ts'
import { readCloud } from '../../data/points/clouds.ts'
import { predictFiles } from '../arrays/predict.ts'
import type { PointFacts } from './open.ts'

const largestFile = 2 ** 30

/** The cloud of a file as it was for testing, [1, points, 3]. */
export async function readPoints(file: string, { points, sample_seed }: PointFacts) {
  const data = readCloud(await readBytes(file, largestFile), file, points, sample_seed)
  return { input: file, arrays: { points: { dtype: 'float32' as const, shape: [1, points, 3], data } } }
}

/** The use `predict` of clouds. */
export const predictPoints = predictFiles<PointFacts>({
  summary: 'the most probable classes of meshes or clouds of points (.off, .obj, .stl, .ply, .npy)',
  read: async (file, facts) => [await readPoints(file, facts)],
})
