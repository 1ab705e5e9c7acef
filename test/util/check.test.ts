import { expect, test } from 'vitest'
import * as ops from '../../src/ops/index.ts'
import { optionsOf } from '../../src/util/check.ts'
import { UsageError } from '../../src/util/errors.ts'

const names = { axis: true, keepDims: true, ceilMode: true, paddingIndex: true, attnMask: true } as const

test('options: an object, or nothing', () => {
  expect(optionsOf('op', undefined, names)).toEqual({})
  expect(optionsOf('op', { axis: 1 }, { axis: true })).toEqual({ axis: 1 })
  expect(() => optionsOf('op', 3 as never, {}, UsageError)).toThrow('op: options must be an object, found 3')
})

test.each([
  ['ceil_mode', 'here it is "ceilMode"'],
  ['attn_mask', 'here it is "attnMask"'],
  ['dim', 'here it is "axis"'],
  ['keepdim', 'here it is "keepDims"'],
  ['padding_idx', 'here it is "paddingIndex"'],
  ['keepDim', 'did you mean "keepDims"?'],
  ['toString', expect.stringContaining('axis')],
])("an option with PyTorch's or another spelling, %s, is none", (theirs, hint) => {
  expect(() => optionsOf('op', { [theirs]: 1 } as object, names as object)).toThrowError(
    expect.objectContaining({
      message: `op: there is no option "${theirs}"`,
      hint,
    }),
  )
})

test('so an op does not ignore it', () => {
  expect(() => ops.fft(ops.zeros([2, 4]), { dim: 0 } as object)).toThrow('fft: there is no option "dim"')
})
