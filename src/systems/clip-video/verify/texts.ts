/** Reference cases of what surrounds the networks: lyrics and captions, BigGAN's helpers. */
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { FormatError } from '../../../util/errors.ts'
import { MersenneTwister } from '../../../util/mersenne-twister.ts'
import { arrayOf } from '../../../verify/arrays.ts'
import {
  type CaseTargetRule,
  numberSetting,
  numbersSetting,
  type ReferenceCase,
  requiredTensor,
  type Settings,
  stringSetting,
} from '../../../verify/target.ts'
import { colourBytes, oneHotRows, truncatedNoise } from '../biggan/sampling.ts'
import { isWithin, statisticsPlace } from '../biggan/statistics.ts'
import { captionOf } from '../video/captions.ts'
import { officialFrames } from '../video/frames.ts'
import { blendWeights, ease, pictureCount } from '../video/interpolation.ts'
import { type LyricsEntry, OfficialLyricsFormatError, officialLyrics } from '../video/official-lyrics.ts'
import { numbersOf, recordsOf, requireSame } from './arrays.ts'

type Found = Promise<Map<string, NDArray>>

/** The entries, or what Python says instead. */
function parsed(text: string): { readonly entries: LyricsEntry[] | undefined; readonly error: string | null } {
  try {
    return { entries: officialLyrics(text), error: null }
  } catch (error) {
    if (error instanceof OfficialLyricsFormatError) return { entries: undefined, error: error.official }
    throw error
  }
}

function lyricsOutputs(lyrics: Settings, i: number, rates: readonly number[]): [string, NDArray][] {
  const { entries, error } = parsed(stringSetting(lyrics, 'text'))
  const found = entries?.map(({ time, text }) => [time, text])
  requireSame(`lyrics ${i}: the error`, error, lyrics.error ?? null)
  requireSame(`lyrics ${i}: the entries`, found ?? null, lyrics.entries ?? null)
  if (!entries) return []
  const times = entries.map(({ time }) => time)
  const seconds = times.slice(1).map((time, j) => time - (times[j] ?? 0))
  return [
    [`output/times_${i}`, arrayOf(times)],
    ...rates.map((rate): [string, NDArray] => [
      `output/count_${i}_interp${rate}`,
      arrayOf(
        seconds.map((length) => pictureCount(length, rate)),
        'int64',
      ),
    ]),
  ]
}

async function runLyrics(reference: ReferenceCase): Found {
  const { config, fields } = reference
  const rates = numbersSetting(config, 'interpolation')
  const [fps, width] = [numberSetting(config, 'fps', 24), numberSetting(config, 'caption_width', 35)]
  const texts = recordsOf(fields, 'lyrics').flatMap((lyrics, i) => lyricsOutputs(lyrics, i, rates))
  for (const [i, caption] of recordsOf(fields, 'captions').entries()) {
    const found = captionOf(stringSetting(caption, 'text'), width)
    requireSame(`caption ${i}`, found, caption.wrapped)
  }
  const segments = recordsOf(config, 'segments').flatMap((segment, j): [string, NDArray][] => {
    const count = numberSetting(segment, 'N')
    const frames = officialFrames(count, numberSetting(segment, 'seconds'), fps)
    requireSame(`segment ${j}: the number of frames`, frames.length, numberSetting(segment, 'frames'))
    return [
      [`output/frame_image_${j}`, arrayOf(frames, 'int64')],
      [`output/weight_${j}`, arrayOf(blendWeights(count))],
    ]
  })
  return new Map([...texts, ...segments, ['output/ease', arrayOf(numbersOf(reference, 'x').map(ease))]])
}

/** Where in the table: measured with row k holding k. -1: behind its end. */
function statisticsOutputs(rows: number, truncations: readonly number[]): [string, NDArray][] {
  const places = truncations.map((truncation) => statisticsPlace(truncation, rows))
  const positions = places.map((place) => {
    if (!isWithin(place, rows)) return -1
    const { index, coefficient } = place
    return coefficient === 0 ? index : index * coefficient + (index + 1) * (1 - coefficient)
  })
  return [
    [`output/stat_position_n${rows}`, arrayOf(positions)],
    [
      `output/start_index_n${rows}`,
      arrayOf(
        places.map(({ index }) => index),
        'int64',
      ),
    ],
    [`output/coefficient_n${rows}`, arrayOf(places.map(({ coefficient }) => coefficient))],
    [
      `output/index_error_n${rows}`,
      arrayOf(
        places.map((place) => (isWithin(place, rows) ? 0 : 1)),
        'uint8',
      ),
    ],
  ]
}

function noiseOutput(reference: ReferenceCase, noise: Settings, i: number): [string, NDArray] {
  const [batch, width] = [numberSetting(noise, 'batch_size'), numberSetting(noise, 'dim_z')]
  const given = requiredTensor(reference.tensors, `input/uniform_${i}`)
  const drawn = new MersenneTwister(numberSetting(noise, 'seed')).uniform(batch * width)
  const differs = toNumbers(given.data).findIndex((value, j) => value !== Math.fround(drawn[j] ?? 0))
  if (differs >= 0) throw new FormatError(`input "uniform_${i}" is not what the seed draws, from ${differs} on`)
  const values = truncatedNoise(drawn, numberSetting(noise, 'truncation'))
  return [`output/noise_${i}`, { dtype: 'float32', shape: [batch, width], data: values }]
}

function oneHotOutput(settings: Settings, i: number): [string, NDArray] {
  const given = settings.int_or_list
  const labels = typeof given === 'number' ? given : numbersSetting(settings, 'int_or_list')
  const batch = numberSetting(settings, 'batch_size')
  const rows = oneHotRows(labels, batch)
  const index = Array.from({ length: batch }, (_, row) => rows.subarray(1000 * row, 1000 * (row + 1)).indexOf(1))
  return [`output/one_hot_index_${i}`, arrayOf(index, 'int64')]
}

async function runBigGANUtilities(reference: ReferenceCase): Found {
  const { config, tensors } = reference
  const truncations = numbersSetting(config, 'truncations')
  const image = requiredTensor(tensors, 'input/image')
  const [height = 0, width = 0] = image.shape.slice(2)
  return new Map([
    ...recordsOf(config, 'noise').map((noise, i) => noiseOutput(reference, noise, i)),
    ...numbersSetting(config, 'n_stats').flatMap((rows) => statisticsOutputs(rows, truncations)),
    ...recordsOf(config, 'one_hot').map(oneHotOutput),
    [
      'output/image_bytes',
      { dtype: 'uint8', shape: [height, width, 3], data: colourBytes(toNumbers(image.data), height, width) },
    ],
  ])
}

export const textTargets: readonly CaseTargetRule[] = [
  { target: 'lyrics', run: runLyrics },
  { target: 'biggan_utils', run: runBigGANUtilities },
]
