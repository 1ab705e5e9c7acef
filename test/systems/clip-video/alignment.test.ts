/** Where the towers of a mini CLIP begin: linear maps in which pairs agree, made part of the model. */
import { expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import { align, alignment } from '../../../src/systems/clip-video/clip/alignment.ts'
import { CLIP } from '../../../src/systems/clip-video/model.ts'
import { dot, unitRows } from '../../../src/systems/clip-video/pairs/retrieval.ts'
import { clipConfig, clipSettings } from '../../../src/systems/clip-video/settings.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { Generator } from '../../../src/util/random.ts'

const [pairs, side] = [24, 32]

test.each(['vit', 'resnet'] as const)(
  'after alignment pictures are nearer to their own texts than to others: %s',
  async (tower) => {
    manualSeed(1)
    const sets = {
      tower,
      embed_dim: 8,
      vision_width: 64,
      vision_layers: 1,
      resnet_width: 4,
      transformer_width: 64,
      transformer_layers: 1,
      context_length: 4,
    }
    const model = new CLIP(clipConfig(clipSettings().parse(sets), side, pairs + 2))
    const random = new Generator(1)
    const images = {
      dtype: 'float32' as const,
      shape: [pairs, 3, side, side],
      data: Float32Array.from(random.normal(pairs * 3 * side * side)),
    }
    const tokens = {
      dtype: 'int32' as const,
      shape: [pairs, 4],
      data: Int32Array.from({ length: pairs * 4 }, (_, i) => [0, 1 + Math.floor(i / 4), pairs + 1, 0][i % 4] ?? 0),
    }
    const look = compile((a: Tensor, b: Tensor) => ({ pictures: model.encodeImage(a), texts: model.encodeText(b) }))
    const features = async () => {
      const { pictures, texts } = await look(images, tokens)
      return [pictures.array, texts.array] as const
    }
    /** Mean cosine of pairs, minus that of a picture and the next one's text. */
    const margin = async (): Promise<number> => {
      const [a, b] = (await features()).map(unitRows) as [Float64Array[], Float64Array[]]
      const cosines = (shift: number) => a.map((row, i) => dot(row, b[(i + shift) % pairs] ?? row))
      const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
      return mean(cosines(0)) - mean(cosines(1))
    }
    model.train()
    const before = await margin()
    const [pictures, texts] = (await features()).map(({ shape, data }) => ({
      shape,
      data: Float64Array.from(toNumbers(data)),
    }))
    if (pictures && texts) align(model, alignment(pictures, texts))
    expect(await margin()).toBeGreaterThan(before + 0.3)
  },
)
