import { describe, expect, test } from 'vitest'
import { arrayDataset } from '../../../src/data/index.ts'
import { openingOf } from '../../../src/data/opening.ts'
import { recordWhole } from '../../../src/data/record.ts'
import * as ops from '../../../src/ops/index.ts'
import { PictureTransformer, tokensOf } from '../../../src/systems/frozen-transformer/pictures/model.ts'
import { picturesRecipe } from '../../../src/systems/frozen-transformer/pictures/recipe.ts'
import { FrozenParameters } from '../../../src/train/frozen.ts'
import { configFrom, parseAssignment } from '../../../src/train/settings.ts'

const body = { kind: 'gpt2', n_embd: 8, n_layer: 1, n_head: 2, n_positions: 64, vocab_size: 1 } as const

describe('pictures as tokens', () => {
  test.each([
    [{ patch_size: 4, grey: false }, 3, { tokens: 4, input_dim: 48 }],
    [{ patch_size: 4, grey: true }, 3, { tokens: 4, input_dim: 16 }],
    [{ patch_size: 1, grey: true }, 3, { tokens: 64, input_dim: 1 }],
    [{ patch_size: 2, grey: false }, 1, { tokens: 16, input_dim: 4 }],
  ])('%j of %i channels', (patches, in_channels, wanted) => {
    expect(tokensOf(patches, { image_size: [8, 8], in_channels })).toEqual(wanted)
    const model = new PictureTransformer({ body, input_dim: wanted.input_dim, output_dim: 3 }, patches)
    const images = ops.zeros([2, in_channels, 8, 8])
    expect(model.tokens(images).shape).toEqual([2, wanted.tokens, wanted.input_dim])
    expect(model.forward(images).shape).toEqual([2, 3])
    expect(model.features(images).shape).toEqual([2, 8])
  })

  test('are normalised as officially: digits from 0 to 1, grey from -1 to 1', async () => {
    const corners = async (grey: boolean, channels: number) => {
      const model = new PictureTransformer({ body, input_dim: 1, output_dim: 2 }, { patch_size: 1, grey })
      const image = ops.broadcastTo(ops.reshape(ops.linspace(-1, 1, 2), [1, 1, 1, 2]), [1, channels, 1, 2])
      return model.tokens(image).numbers()
    }
    expect(await corners(false, 1)).toEqual([0, 1])
    const [black = 0, white = 0] = await corners(true, 3)
    expect(black).toBeCloseTo(-1, 5)
    expect(white).toBeCloseTo(0.9998, 4) // the official shares of the colours add up to 0.9999
  })

  test('patches must fill the picture', () => {
    expect(() => tokensOf({ patch_size: 3, grey: false }, { image_size: [8, 8], in_channels: 1 })).toThrow(
      'frozen-transformer: pictures of 8x8 pixels cannot be cut into patches of 3x3',
    )
  })
})

test('dark and light pictures are told apart around a frozen body', async () => {
  const config = configFrom(
    picturesRecipe.config,
    [
      'model.patch_size=4',
      'model.embedding_size=16',
      'model.n_layer=1',
      'model.n_head=2',
      'model.dropout=0',
      'optimizer.lr=0.01',
      'train.batch_size=16',
      'train.epochs=3',
    ].map(parseAssignment),
  )
  const label = Int32Array.from({ length: 64 }, (_, i) => i % 2)
  const pixels = Uint8Array.from({ length: 64 * 64 }, (_, i) => 90 * (Math.floor(i / 64) % 2) + ((i * i) % 120))
  const pictures = arrayDataset({
    image: { dtype: 'uint8', shape: [64, 1, 8, 8], data: pixels },
    label: { dtype: 'int32', shape: [64], data: label },
  })
  const facts = { labels: ['dark', 'light'], image_size: [8, 8], in_channels: 1 }
  const opening = openingOf(['64 pictures'], [], recordWhole('picture', {}))
  const data = { train: pictures, test: pictures, facts, opening }
  const experiment = picturesRecipe.build(config, facts, { seed: 1 })
  const frozen = new FrozenParameters(experiment.weights)
  const { task } = experiment.prepare(data)
  for (let epoch = 0; epoch < 3; epoch++) for await (const batch of task.loader) await task.step(batch)
  frozen.check()
  expect(frozen.tensors).toBe(9)
  expect(await experiment.evaluate(data)).toMatchObject({ accuracy: 1 })
})
