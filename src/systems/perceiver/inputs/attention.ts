/** What the latents read of a sound and of a cloud of points. */
import type { HeatmapGrid, LinePlot, Point, ScatterPlot } from '../../../report/figures.ts'
import type { PointFacts } from '../../../tasks/points/open.ts'
import { readPoints } from '../../../tasks/points/predict.ts'
import type { SoundFacts } from '../../../tasks/sounds/open.ts'
import { readSound } from '../../../tasks/sounds/predict.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizeOf, sizes } from '../../../tensor/shape.ts'
import { constant } from '../../../tensor/tensor.ts'
import { crossAttentionGrids, latentLines, latentsOf, type RowNames } from '../attention-figures.ts'
import { attentionOver } from '../attention-maps.ts'
import type { ReadingPlan } from '../attention-reader.ts'
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
function spectrogramFigure(levels: readonly number[], [height, width]: MelRows['size'], title: string): HeatmapGrid {
  return {
    kind: 'heatmaps',
    title,
    caption: 'The mel spectrogram: time to the right, pitch upwards; red is louder than the mean, blue quieter.',
    matrices: [{ values: lowBelow(levels, height, width), width, height }],
    size: 336,
  }
}

/** The maps of cells with low pitches below, as the spectrogram is drawn. */
function upright(map: NDArray, [height, width]: readonly [number, number]): NDArray {
  const turned = latentsOf(map).map((values) => lowBelow(values, height, width))
  return { ...map, data: Float32Array.from(turned.flat()) }
}

const levelsOf = ({ data, shape }: NDArray, { options }: MelRows): Promise<number[]> =>
  logMel(constant(data, shape, 'float32'), options).numbers()

/** A waveform, every so-manyth sample; `rate`: samples in a unit of time. */
export function waveFigure(
  samples: readonly number[],
  { rate, unit }: { readonly rate: number; readonly unit: string },
  title: string,
): LinePlot {
  const step = Math.max(1, Math.floor(samples.length / 1000))
  const points = samples.filter((_, i) => i % step === 0).map((y, i): Point => ({ x: (i * step) / rate, y }))
  return {
    kind: 'lines',
    title,
    caption: 'The waveform.',
    x: { label: unit },
    y: { label: 'sample' },
    series: [{ name: 'sound', points }],
  }
}

const seconds = (samples: number, rate: number): string => `${(samples / rate).toFixed(3)} s`

/** What the rows of a sound are, and which are louder than the mean. */
async function soundNames(
  samples: NDArray,
  rows: SoundPerceiver['input_preprocessor']['sound'],
  rate: number,
): Promise<RowNames> {
  if (!(rows instanceof MelRows)) {
    const values = toNumbers(samples.data)
    const { samplesPerPatch: size } = rows
    const power = Array.from({ length: rows.rows }, (_, row) =>
      values.slice(row * size, (row + 1) * size).reduce((sum, value) => sum + value ** 2, 0),
    )
    const mean = power.reduce((a, b) => a + b, 0) / power.length
    return {
      unit: 'pieces',
      place: (row) => `from ${seconds(row * size, rate)}`,
      groups: [{ name: 'what is louder than the mean', has: (row) => (power[row] ?? 0) > mean }],
    }
  }
  const levels = await levelsOf(samples, rows)
  const [bands, frames] = rows.size
  const hop = rows.options.hop_length
  if (rows.sizes.length === 1) {
    const loudness = (frame: number): number =>
      Array.from({ length: bands }, (_, band) => levels[band * frames + frame] ?? 0).reduce((a, b) => a + b, 0)
    return {
      unit: 'frames',
      place: (row) => `at ${seconds(row * hop, rate)}`,
      groups: [{ name: 'what is louder than the mean', has: (row) => loudness(row) > 0 }],
    }
  }
  return {
    unit: 'cells',
    place: (row) => `band ${Math.floor(row / frames)} at ${seconds((row % frames) * hop, rate)}`,
    groups: [{ name: 'what is louder than the mean', has: (row) => (levels[row] ?? 0) > 0 }],
  }
}

/** How sounds are read and drawn. */
export const soundReading: ReadingPlan<SoundPerceiver, SoundFacts, 'samples'> = {
  over: 'the rows of the sound',
  outputs: (model, inputs) => model.outputs(inputs),
  draw: async ({ samples }, maps, { model, facts }, latents, title) => {
    const rows = model.input_preprocessor.sound
    const cross = (t: number): string => `Cross attention ${t + 1}`
    if (!(rows instanceof MelRows)) {
      const wave = waveFigure(toNumbers(samples.data), { rate: facts.sample_rate, unit: 'seconds' }, title)
      return [wave, ...latentLines(maps, latents, { title: cross, of: 'a piece of the sound' })]
    }
    const spectrogram = spectrogramFigure(await levelsOf(samples, rows), rows.size, title)
    if (rows.sizes.length === 1) return [spectrogram, ...latentLines(maps, latents, { title: cross, of: 'a frame' })]
    const cells = maps.map((map) => upright(map, rows.size))
    return [spectrogram, ...crossAttentionGrids(cells, rows.size, latents)]
  },
  rows: ({ samples }, { model, facts }) => soundNames(samples, model.input_preprocessor.sound, facts.sample_rate),
}

/** The use `attention` of sounds: of the first piece of a recording. */
export const attentionOverSounds = attentionOver<SoundPerceiver, SoundFacts, 'samples'>({
  ...soundReading,
  summary: 'what each cross attention reads of a sound, over its spectrogram or its time',
  read: async (file, facts) => (await readSound(file, { ...facts, windows: 1 })).arrays,
})

const shares = ['least', 'less', 'more', 'most'] as const

/** Points seen from one side, in four groups by how much all latents together read them. */
export function cloudFigure(
  at: (row: number) => Point,
  map: NDArray,
  { title, x, y, caption }: { title: string; x: string; y: string; caption: string },
  readable: (row: number) => boolean = () => true,
): ScatterPlot {
  const reading = meanReading(map)
  const order = [...reading.keys()].filter(readable).sort((a, b) => (reading[a] ?? 0) - (reading[b] ?? 0))
  const quarter = Math.ceil(order.length / shares.length)
  return {
    kind: 'scatter',
    title,
    caption: `${caption} In quarters by the mean over all latents.`,
    x: { label: x },
    y: { label: y },
    series: shares.map((share, i) => ({
      name: `read ${share}`,
      points: order.slice(i * quarter, (i + 1) * quarter).map(at),
    })),
  }
}

/** The mean over the latents of a map [1, N, M]. */
function meanReading(map: NDArray): number[] {
  const lines = latentsOf(map)
  return Array.from(
    { length: sizeOf(map.shape, 2) },
    (_, row) => lines.reduce((sum, line) => sum + (line[row] ?? 0), 0) / lines.length,
  )
}

/** How clouds of points are read and drawn. */
export const pointReading: ReadingPlan<PointPerceiver, PointFacts, 'points'> = {
  over: 'the points',
  outputs: (model, inputs) => model.outputs(inputs),
  draw: ({ points }, maps, _, __, title) => {
    const values = toNumbers(points.data)
    const at = (row: number): Point => ({ x: values[3 * row] ?? 0, y: values[3 * row + 2] ?? 0 })
    const caption = 'Each point of the cloud, seen along its second axis.'
    return maps.map((map, t) =>
      cloudFigure(at, map, { title: `${title}, cross attention ${t + 1}`, x: 'x', y: 'z', caption }),
    )
  },
  rows: ({ points }) => {
    const [, count] = sizes(points.shape, 3)
    const values = toNumbers(points.data)
    const axis = (row: number, i: number): number => values[3 * row + i] ?? 0
    const mean = Array.from({ length: count }, (_, row) => axis(row, 2)).reduce((a, b) => a + b, 0) / count
    return {
      unit: 'points',
      where: 'x, y, z',
      place: (row) => [0, 1, 2].map((i) => axis(row, i).toFixed(2)).join(', '),
      groups: [{ name: 'the upper half (z above the mean)', has: (row) => axis(row, 2) > mean }],
    }
  },
}

/** The use `attention` of clouds of points. */
export const attentionOverPoints = attentionOver<PointPerceiver, PointFacts, 'points'>({
  ...pointReading,
  summary: 'which points each cross attention reads',
  read: async (file, facts) => (await readPoints(file, facts)).arrays,
})
