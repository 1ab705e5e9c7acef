import { describe, expect, test } from 'vitest'
import { ImageClassifier, RedNet } from '../../../src/systems/involution/model.ts'
import {
  backboneSizesOf,
  classifierOf,
  loadBackbone,
  loadOfficial,
  redNetConfigOf,
} from '../../../src/systems/involution/official.ts'
import type { NDArray } from '../../../src/tensor/dtype.ts'

const tiny = { depth: 26, stem_channels: 32, base_channels: 16 } as const
const scalar: NDArray = { dtype: 'float32', shape: [], data: new Float32Array(1) }

/** What mmcv writes: {meta, state_dict, optimizer}, counters of batches as stored by PyTorch. */
function checkpoint(model: ImageClassifier): Map<string, NDArray> {
  const weights = [...model.stateDict()].map(([name, array]) => [`state_dict.${name}`, array] as const)
  return new Map([...weights, ['optimizer.state.0.momentum_buffer', scalar], ['meta.epoch', scalar]])
}

const firstOf = (model: { stateDict(): Map<string, NDArray> }, name: string): unknown =>
  model.stateDict().get(name)?.data

describe('official checkpoints', () => {
  const model = new ImageClassifier(new RedNet({ ...tiny, avg_down: true, stem_involution_kernel_size: 7 }), 5)
  const file = checkpoint(model)

  test('make a classifier of their own sizes', () => {
    const loaded = classifierOf(file)
    expect(redNetConfigOf(file)).toMatchObject({
      ...tiny,
      avg_down: true,
      stem_involution_kernel_size: 7,
      expansion: 4,
    })
    expect(loaded.stateDict()).toEqual(model.stateDict())
  })

  test('give a backbone without the head', () => {
    const backbone = new RedNet({ ...tiny, avg_down: true, stem_involution_kernel_size: 7 })
    loadBackbone(backbone, file)
    expect(firstOf(backbone, 'layer4.0.conv3.weight')).toEqual(firstOf(model, 'backbone.layer4.0.conv3.weight'))
  })

  test('of the other stem say so', () => {
    const other = new ImageClassifier(new RedNet({ ...tiny, avg_down: true }), 5)
    expect(() => loadOfficial(other, file)).toThrow("the checkpoint's stem has involutions of 7x7, the model's of 3x3")
  })

  test('of something else say so', () => {
    expect(() => classifierOf(new Map([['state_dict.conv1.weight', scalar]]))).toThrow(
      'the checkpoint has no classifier: head.fc.weight and head.fc.bias are missing',
    )
    expect(() => redNetConfigOf(new Map([['conv1.weight', scalar]]))).toThrow(
      'the checkpoint holds no RedNet: it has no stem with an involution, or no first stage',
    )
    const short = new Map([...file].filter(([name]) => !name.includes('layer3.3.')))
    expect(() => classifierOf(short)).toThrow('no RedNet has stages of 1, 2, 3, 1 blocks')
    // A training may begin from it all the same, as from any run of one's own.
    expect(backboneSizesOf(short)).toMatchObject({ blocks: [1, 2, 3, 1], depth: undefined, sizes: { num_stages: 4 } })
  })
})
