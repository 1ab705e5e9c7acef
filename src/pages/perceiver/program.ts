/** What the worker of the Perceiver's page computes: latents that learn to read digits pixel by pixel, and what each of them reads. */
import { compile } from '../../compile/compile.ts'
import { Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { Figure, HeatmapGrid } from '../../report/figures.ts'
import { crossAttentionGrids, crossMapsOf, readingFigures } from '../../systems/perceiver/attention-figures.ts'
import { PerceiverClassifier } from '../../systems/perceiver/classifier.ts'
import { positionFigure } from '../../systems/perceiver/explain.ts'
import { PositionEncoder } from '../../systems/perceiver/positions.ts'
import { normalizePixels } from '../../tasks/pictures/classifier.ts'
import { toNumbers } from '../../tensor/dtype.ts'
import { manualSeed } from '../../tensor/random-state.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { Generator } from '../../util/random.ts'
import type { Host } from '../../web/serve.ts'
import { digitClassifier, readDigits } from '../data/digit-classifier.ts'
import { digitImages, side } from '../data/read-digits.ts'
import { sizes } from './sizes.ts'

export type PositionKind = 'trainable' | 'fourier' | 'none'

export interface PerceiverPageSettings {
  readonly positions: PositionKind
  readonly seed: number
}

/** Every pixel a row, with the features of its place. */
class PixelRows extends Module {
  readonly places: PositionEncoder
  readonly outputChannels: number

  constructor(positions: PositionKind) {
    super()
    const position = {
      trainable: { type: 'trainable', num_channels: sizes.positions },
      fourier: { type: 'fourier', num_bands: 8 },
      none: { type: 'none' },
    } as const
    this.places = new PositionEncoder({ position: position[positions] }, [side, side], 1)
    this.outputChannels = this.places.outputChannels
  }

  /** [B, 1, H, W] -> [B, H W, channels]. */
  forward(images: Tensor): Tensor {
    return this.places.forward(ops.transpose(ops.flatten(images, 2)))
  }
}

const network = (input_channels: number) => ({
  input_channels,
  num_latents: sizes.latents,
  num_latent_channels: sizes.width,
  num_cross_attends: 2,
  num_blocks: 2,
  num_self_attends_per_block: 1,
  num_cross_attend_heads: 1,
  num_self_attend_heads: 4,
  share_weights: true,
  arrangement: 'interleaved' as const,
  num_classes: 10,
})

/** What the network makes of one drawing. */
export interface Look {
  readonly probabilities: readonly number[]
  /** Another order of the pixels. */
  readonly order: Int32Array
  /** The largest difference of a probability when all rows stand in that order. */
  readonly shuffledDifference: number
  /** What each latent reads, a grid for each reading. */
  readonly reads: readonly HeatmapGrid[]
  /** The same in words and as who reads what. */
  readonly readers: readonly Figure[]
}

/** Opens the digits and makes the network. */
export async function perceiverProgram({ positions, seed }: PerceiverPageSettings, host: Host) {
  const digits = await readDigits(host)
  host.progress({ what: 'making the network' })
  manualSeed(seed)
  const model = new PerceiverClassifier<Tensor, PixelRows>(new PixelRows(positions), network)
  const { steps, batch } = sizes
  const classifier = digitClassifier(model, digits, { seed, steps, batch, lr: 0.01, numWarmupSteps: 50 })
  const see = compile((image: Tensor, order: Tensor) => {
    const rows = model.input_preprocessor.forward(normalizePixels(image)) // [1, M, C]
    const { attentions, logits } = model.perceiver.outputs(rows)
    return {
      probabilities: ops.softmax(logits, -1),
      shuffled: ops.softmax(model.perceiver.forward(ops.indexSelect(rows, order, 1)), -1),
      scores: crossMapsOf(attentions, 'scores'),
      weights: crossMapsOf(attentions, 'weights'),
    }
  })
  const order = Int32Array.from(new Generator(5).permutation(sizes.rows))

  return {
    step: classifier.step,
    requests: {
      test: classifier.test,
      look: async (pixels: Uint8Array): Promise<Look> => {
        const found = await see(digitImages(pixels), { dtype: 'int32', shape: [sizes.rows], data: order })
        const [probabilities, shuffled] = [found.probabilities, found.shuffled].map(({ array }) =>
          toNumbers(array.data),
        )
        const names = {
          unit: 'pixels',
          place: (row: number) => `${Math.floor(row / side)}, ${row % side}`,
          where: 'row, column',
          groups: [{ name: 'the ink', has: (row: number) => (pixels[row] ?? 0) > 127 }],
          grid: [side, side] as const,
        }
        const weights = found.weights.map(({ array }) => array)
        return {
          probabilities: probabilities ?? [],
          order,
          shuffledDifference: Math.max(...(probabilities ?? []).map((p, i) => Math.abs(p - (shuffled?.[i] ?? 0)))),
          reads: crossAttentionGrids(
            found.scores.map(({ array }) => array),
            [side, side],
          ),
          readers: readingFigures(weights, names, sizes.latents),
        }
      },
      /** What a pixel knows of its place, as pictures; undefined: nothing. */
      positions: (): Promise<HeatmapGrid | undefined> =>
        positionFigure(model.input_preprocessor.places, sizes.positions),
    },
    release: async () => {
      await Promise.all([classifier.release(), see.release()])
    },
  }
}
