/** What the latents read of a sound and of a cloud of points. */
import type { HeatmapGrid, Point, ScatterPlot } from '../../../report/figures.ts'
import type { ArrayExperiment } from '../../../tasks/arrays/experiment.ts'
import type { PointFacts } from '../../../tasks/points/open.ts'
import { readPoints } from '../../../tasks/points/predict.ts'
import type { SoundFacts } from '../../../tasks/sounds/open.ts'
import { readSound } from '../../../tasks/sounds/predict.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizes } from '../../../tensor/shape.ts'
import { constant } from '../../../tensor/tensor.ts'
import { attentionOver } from '../attention-maps.ts'
import { crossAttentionGrids } from '../explain.ts'
import type { SoundPerceiver } from './audio.ts'
import type { PointPerceiver } from './points.ts'
import { logMel, MelRows } from './sound-rows.ts'

/** Rows from top to bottom in reverse: low pitches below. */
function lowBelow(values: readonly number[], height: number, width: number): number[] {
  return Array.from({ length: height }, (_, row) =>
    values.slice((height - 1 - row) * width, (height - row) * width),
  ).flat()
}

/** A spectrogram as a picture of one tile. */
async function spectrogramFigure(samples: NDArray, rows: MelRows, title: string): Promise<HeatmapGrid> {
  const [height, width] = rows.size
  const levels = await logMel(constant(samples.data, samples.shape, 'float32'), rows.options).numbers()
  const values = lowBelow(levels, height, width)
  return {
    kind: 'heatmaps',
    title,
    caption: 'The mel spectrogram: time to the right, pitch upwards; red is louder than the mean, blue quieter.',
    matrices: [{ values, width, height }],
    size: 336,
  }
}

/** The size of a map over the rows of a sound: pitch and time, or time alone. */
function mapSize(rows: SoundPerceiver['input_preprocessor']['sound'], count: number): readonly [number, number] {
  return rows instanceof MelRows && rows.sizes.length === 2 ? rows.size : [1, count]
}

/** The maps of cells with low pitches below, as the spectrogram is drawn. */
function upright(map: NDArray, [height, width]: readonly [number, number]): NDArray {
  const [, latents] = sizes(map.shape, 3)
  const values = toNumbers(map.data)
  const area = height * width
  const turned = Array.from({ length: latents }, (_, n) =>
    lowBelow(values.slice(n * area, (n + 1) * area), height, width),
  )
  return { ...map, data: Float32Array.from(turned.flat()) }
}

/** The use `attention` of sounds: of the first piece of a recording. */
export const attentionOverSounds = attentionOver<ArrayExperiment<SoundPerceiver, SoundFacts>, 'samples'>({
  summary: 'what each cross attention reads of a sound, over its spectrogram or its time',
  over: 'the rows of the sound',
  read: async (file, facts) => (await readSound(file, { ...facts, windows: 1 })).arrays,
  outputs: (model, inputs) => model.outputs(inputs),
  draw: async ({ samples }, maps, { model }, latents, title) => {
    const rows = model.input_preprocessor.sound
    const size = mapSize(rows, maps[0]?.shape.at(-1) ?? 0)
    const drawn = rows instanceof MelRows ? [await spectrogramFigure(samples, rows, title)] : []
    return [
      ...drawn,
      ...crossAttentionGrids(
        maps.map((map) => upright(map, size)),
        size,
        latents,
      ),
    ]
  },
})

const shares = ['least', 'less', 'more', 'most'] as const

/** A cloud seen from one side, its points in four groups by how much all latents together read them. */
function cloudFigure(points: readonly number[], reading: readonly number[], title: string): ScatterPlot {
  const order = [...reading.keys()].sort((a, b) => (reading[a] ?? 0) - (reading[b] ?? 0))
  const quarter = Math.ceil(order.length / shares.length)
  const at = (i: number): Point => ({ x: points[3 * i] ?? 0, y: points[3 * i + 2] ?? 0 })
  return {
    kind: 'scatter',
    title,
    caption: 'Each point of the cloud, seen along its second axis: in quarters by the mean over all latents.',
    x: { label: 'x' },
    y: { label: 'z' },
    series: shares.map((share, i) => ({
      name: `read ${share}`,
      points: order.slice(i * quarter, (i + 1) * quarter).map(at),
    })),
  }
}

/** The mean over the latents of a map [1, N, M]. */
function meanReading(map: NDArray): number[] {
  const [, latents, rows] = sizes(map.shape, 3)
  const values = toNumbers(map.data)
  return Array.from({ length: rows }, (_, m) => {
    let sum = 0
    for (let n = 0; n < latents; n++) sum += values[n * rows + m] ?? 0
    return sum / latents
  })
}

/** The use `attention` of clouds of points. */
export const attentionOverPoints = attentionOver<ArrayExperiment<PointPerceiver, PointFacts>, 'points'>({
  summary: 'which points each cross attention reads',
  over: 'the points',
  read: async (file, facts) => (await readPoints(file, facts)).arrays,
  outputs: (model, inputs) => model.outputs(inputs),
  draw: ({ points }, maps, _, __, title) =>
    maps.map((map, t) => cloudFigure(toNumbers(points.data), meanReading(map), `${title}, cross attention ${t + 1}`)),
})
