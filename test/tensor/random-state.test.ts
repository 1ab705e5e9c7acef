import { expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import { init, Linear } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { manualSeed, RandomState } from '../../src/tensor/random-state.ts'
import { UsageError } from '../../src/util/errors.ts'

const numbers = (values: Iterable<unknown>): number[] => Array.from(values, Number)

test('one seed starts initialisers and random functions anew, with the numbers that saved runs have', async () => {
  const run = compile(() => ops.randomUniform([3]))
  const draws = async (): Promise<number[][]> => [
    numbers(init.normal([3])),
    numbers(new Linear(2, 2).weight.data),
    numbers((await run()).array.data),
    numbers((await run()).array.data),
  ]
  manualSeed(3)
  const first = await draws()
  expect(first).toEqual([
    [-0.1708613485097885, 1.3581284284591675, -0.40855151414871216],
    [-0.16075026988983154, 0.6633164882659912, -0.6656454205513, -0.407662034034729],
    [0.5484800338745117, 0.44860196113586426, 0.6158921718597412],
    [0.9441787004470825, 0.8123061656951904, 0.9184205532073975],
  ])
  expect(await draws()).not.toEqual(first)
  manualSeed(3)
  expect(await draws()).toEqual(first)
})

test('a state of its own does not follow manualSeed', async () => {
  const state = new RandomState(5)
  const run = compile(() => ops.randomUniform([2], { state }))
  const first = numbers((await run()).array.data)
  manualSeed(5)
  expect(numbers((await run()).array.data)).not.toEqual(first)
  state.reseed(5)
  expect(numbers((await run()).array.data)).toEqual(first)
})

test('a seed that is none changes neither', () => {
  manualSeed(1)
  const expected = numbers(init.uniform([2]))
  manualSeed(1)
  expect(() => manualSeed(0.5)).toThrow(UsageError)
  expect(numbers(init.uniform([2]))).toEqual(expected)
})

test('processes of other ranks draw other numbers, from the same call on; rank 0 those of the seed', async () => {
  const state = new RandomState(7)
  const run = compile(() => ops.randomUniform([3], { state }))
  const draw = async (): Promise<number[]> => numbers((await run()).array.data)
  const [first, second] = [await draw(), await draw()]
  state.useRank(1)
  state.calls.set([0])
  const other = await draw()
  expect(other).not.toEqual(first)
  state.useRank(0)
  expect(await draw()).toEqual(second)
  // Not derived from that of another rank.
  state.useRank(2)
  state.useRank(1)
  state.calls.set([0])
  expect(await draw()).toEqual(other)
})
