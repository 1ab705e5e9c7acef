import { expect, test } from 'vitest'
import { Conv2d, Flatten, freeze, LayerNorm, Linear, ReLU, Sequential, summary } from '../../src/nn/index.ts'
import { multiplyAdds, variantConfig } from '../../src/systems/mixer/config.ts'
import { Mixer } from '../../src/systems/mixer/model.ts'

test('lists modules with outputs, parameters and multiply-adds', () => {
  const norm = new LayerNorm(72)
  const model = new Sequential(
    new Conv2d(1, 2, 3, { padding: 1 }),
    new ReLU(),
    new Flatten(),
    norm,
    new Sequential(new Linear(72, 10)),
  )
  freeze(norm)
  expect(String(summary(model, [4, 1, 6, 6]))).toMatchInlineSnapshot(`
    "module           output        parameters  multiply-adds
    Sequential       [4, 10]              894          5,472
      0: Conv2d      [4, 2, 6, 6]          20          2,592
      1: ReLU        [4, 2, 6, 6]           0              0
      2: Flatten     [4, 72]                0              0
      3: LayerNorm   [4, 72]              144              0
      4: Sequential  [4, 10]              730          2,880
        0: Linear    [4, 10]              730          2,880
    894 parameters (750 trainable), 5,472 multiply-adds"
  `)
})

test('agrees with the formula for MLP-Mixer', () => {
  const config = { ...variantConfig('S/32', { image: 64, num_classes: 7 }), num_blocks: 2, hidden_dim: 16 }
  expect(summary(new Mixer(config), [1, 3, 64, 64]).multiplyAdds).toBe(multiplyAdds(config))
})
