import { describe, expect, test } from 'vitest'
import '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { expectEqual, random } from '../support/tensors.ts'

describe('recurrent layers', () => {
  const x = random([2, 4, 2])

  test('layers and directions compose the op', async () => {
    const layer = new nn.LSTM(2, 3, { numLayers: 2, bidirectional: true })
    const state = { h: random([4, 2, 3], 5), c: random([4, 2, 3], 6) }
    const at = (source: Tensor, i: number): Tensor => ops.squeeze(ops.slice(source, [i, i + 1], 0), 0)
    const cell = (input: Tensor, i: number): ReturnType<typeof ops.lstm> => {
      const suffix = ['l0', 'l0_reverse', 'l1', 'l1_reverse'][i] as 'l0'
      const [weightIh, weightHh] = [layer[`weight_ih_${suffix}`], layer[`weight_hh_${suffix}`]]
      if (!weightIh || !weightHh) throw new Error(`no weights ${suffix}`)
      return ops.lstm(
        input,
        { weightIh, weightHh, biasIh: layer[`bias_ih_${suffix}`], biasHh: layer[`bias_hh_${suffix}`] },
        { h: at(state.h, i), c: at(state.c, i), reverse: i % 2 === 1 },
      )
    }
    const first = [cell(x, 0), cell(x, 1)]
    const middle = ops.concat(
      first.map(({ output }) => output),
      -1,
    )
    const second = [cell(middle, 2), cell(middle, 3)]
    const found = layer.forward(x, state)
    await expectEqual(
      found.output,
      ops.concat(
        second.map(({ output }) => output),
        -1,
      ),
    )
    await expectEqual(found.h, ops.stack([...first, ...second].map(({ h }) => h)))
    await expectEqual(found.c, ops.stack([...first, ...second].map(({ c }) => c)))
  })

  test('shapes of GRU and RNN', () => {
    const gru = new nn.GRU(2, 3, { numLayers: 2 }).forward(x)
    expect([gru.output.shape, gru.h.shape]).toEqual([
      [2, 4, 3],
      [2, 2, 3],
    ])
    const rnn = new nn.RNN(2, 3, { nonlinearity: 'relu', bidirectional: true }).forward(x, random([2, 2, 3]))
    expect([rnn.output.shape, rnn.h.shape]).toEqual([
      [2, 4, 6],
      [2, 2, 3],
    ])
  })

  test('a state of another depth is refused', () => {
    expect(() => new nn.GRU(2, 3, { numLayers: 2 }).forward(x, random([1, 2, 3]))).toThrow(
      'GRU: h must be [layers * directions, batch, hidden] = [2, 2, 3], found float32[1, 2, 3]',
    )
  })
})
