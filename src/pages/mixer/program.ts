/** What the worker of Mixer's page computes: a small Mixer that learns digits, and what it makes of a drawn one. */
import { gradient } from '../../autodiff/gradient.ts'
import { compile } from '../../compile/compile.ts'
import * as ops from '../../ops/index.ts'
import type { HeatmapGrid } from '../../report/figures.ts'
import { patchFilters, tokenMixingWeights } from '../../systems/mixer/explain.ts'
import { Mixer } from '../../systems/mixer/model.ts'
import { normalizePixels } from '../../tasks/pictures/classifier.ts'
import { toNumbers } from '../../tensor/dtype.ts'
import { manualSeed } from '../../tensor/random-state.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Host } from '../../web/serve.ts'
import { digitClassifier, readDigits } from '../data/digit-classifier.ts'
import { type Digits, digitImages, side } from '../data/read-digits.ts'
import { type PixelOrder, reordered, tokenOrder } from './pixel-order.ts'
import { sizes } from './sizes.ts'

export interface MixerPageSettings {
  readonly order: PixelOrder
  readonly seed: number
}

const modelConfig = {
  patch_size: [sizes.patch, sizes.patch],
  image_size: [side, side],
  in_channels: 1,
  num_classes: 10,
  num_blocks: sizes.blocks,
  hidden_dim: sizes.width,
  tokens_mlp_dim: 32,
  channels_mlp_dim: 128,
  stoch_depth: 0,
  gelu: 'tanh',
} as const

/** What the network makes of one picture. */
export interface Look {
  /** Of the ten digits. */
  readonly probabilities: readonly number[]
  /** Root mean square of each token: after the stem, then after each block; in the picture's own order of patches. */
  readonly tokens: readonly (readonly number[])[]
}

/** Which token of a block's mixing is asked for. */
export interface MixingQuestion {
  readonly pixels: Uint8Array
  readonly block: number
  readonly patch: number
}

function inOrder({ images, labels }: Digits, order: PixelOrder): Digits {
  return { images: reordered(images, order), labels }
}

/** Root mean square of each token, [1, S]. */
const strength = (tokens: Tensor): Tensor => ops.sqrt(ops.mean(ops.mul(tokens, tokens), -1))

/**
 * How strongly each token is heard by one: the mean over channels of the derivatives of the block's mixed token, where `asked` [1, S, 1]
 * is 1, by its normalised inputs.
 */
function heard(model: Mixer, image: Tensor, block: number, asked: Tensor): Tensor {
  const { stem, blocks } = model.outputs(normalizePixels(image))
  const before = blocks[block - 1] ?? ops.transpose(ops.flatten(stem, 2))
  const { norm1, mlp_tokens } = model.blocks[block] as (typeof model.blocks)[number]
  const tokens = norm1.forward(before)
  const [slopes] = gradient(ops.sum(ops.mul(mlp_tokens.forward(tokens), asked)), [tokens])
  return ops.mean(slopes as Tensor, -1)
}

/** Opens the digits and makes the network. */
export async function mixerProgram({ order, seed }: MixerPageSettings, host: Host) {
  const { train, test } = await readDigits(host)
  host.progress({ what: 'making the network' })
  manualSeed(seed)
  const model = new Mixer(modelConfig)
  const { steps, batch } = sizes
  const data = { train: inOrder(train, order), test: inOrder(test, order) }
  const classifier = digitClassifier(model, data, { seed, steps, batch, lr: 0.006, numWarmupSteps: 40 })
  const see = compile((image: Tensor) => {
    const { stem, blocks, logits } = model.outputs(normalizePixels(image))
    const maps = [ops.transpose(ops.flatten(stem, 2)), ...blocks].map(strength)
    return { probabilities: ops.softmax(logits, -1), tokens: ops.concat(maps, 0) }
  })
  const mix = compile((image: Tensor, asked: Tensor, block: number) => heard(model, image, block, asked))
  /** The network's token that stands for each patch of the picture. */
  const places = tokenOrder(order)
  const inPicture = (values: readonly number[]): number[] => places.map((token) => values[token] ?? 0)
  const picture = (pixels: Uint8Array) => digitImages(reordered(pixels, order))

  return {
    step: classifier.step,
    requests: {
      test: classifier.test,
      look: async (pixels: Uint8Array): Promise<Look> => {
        const { probabilities, tokens } = await see(picture(pixels))
        const all = toNumbers(tokens.array.data)
        return {
          probabilities: toNumbers(probabilities.array.data),
          tokens: Array.from({ length: sizes.blocks + 1 }, (_, i) =>
            inPicture(all.slice(i * sizes.tokens, (i + 1) * sizes.tokens)),
          ),
        }
      },
      mixing: async ({ pixels, block, patch }: MixingQuestion): Promise<number[]> => {
        const asked = new Float32Array(sizes.tokens)
        asked[places[patch] ?? 0] = 1
        const slopes = await mix(picture(pixels), { dtype: 'float32', shape: [1, sizes.tokens, 1], data: asked }, block)
        return inPicture(toNumbers(slopes.array.data))
      },
      weights: (block: number): HeatmapGrid => tokenMixingWeights(model, block, 32),
      filters: (): HeatmapGrid => patchFilters(model, sizes.width),
    },
    release: async () => {
      await Promise.all([classifier.release(), see.release(), mix.release()])
    },
  }
}
