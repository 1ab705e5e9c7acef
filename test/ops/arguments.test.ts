/**
 * Walks the functions of `ops` with one argument wrong at a time: what comes out is an answer, or an error of ours in
 * our words. Never one of the language's (TypeError, RangeError), nor the runtime's text.
 */

import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import * as ops from '../../src/ops/index.ts'
import * as kit from '../../src/ops/kit.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { TenfoldError } from '../../src/util/errors.ts'
import { calls, example, tensorsOf } from '../support/calls.ts'

type Call = (...args: unknown[]) => unknown

const functions = new Map(Object.entries(kit) as [string, Call][])

/** Wrong, or at least unusual, values in place of one. */
function unusual(value: unknown): unknown[] {
  if (typeof value === 'number') return [-1, 0, 0.5, 7, Number.NaN, Number.POSITIVE_INFINITY, -(2 ** 40), '2']
  if (typeof value === 'string') return ['unknown', '', 1]
  if (value instanceof Tensor) {
    const { shape, dtype } = value
    const others = (['float32', 'int32', 'int64', 'uint8', 'bool'] as const).filter((other) => other !== dtype)
    return [
      ...others.map((other) => example(shape, other)),
      example([], dtype),
      example([...shape, 2], dtype),
      example(shape.slice(1), dtype),
      example(
        shape.map((size) => size + 1),
        dtype,
      ),
      ...shape.map((_, axis) =>
        example(
          shape.map((size, i) => (i === axis ? 0 : size)),
          dtype,
        ),
      ),
      'x',
      null,
      [1, 2],
    ]
  }
  if (Array.isArray(value)) {
    return [...oneChanged(value), [], [...value, ...value], value.slice(1)]
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, entry]) => unusual(entry).map((other) => ({ ...value, [key]: other })))
  }
  return []
}

/** What plain JavaScript may hand over anywhere: an argument that is missing, or of another kind. */
const strange: readonly unknown[] = [undefined, null, Symbol('s'), 1n, {}, 'x', 3, [], new Map(), true, () => 1]

/** The arguments with one at a time, or one entry of its object of options or list, replaced by something strange. */
function estranged(list: readonly unknown[]): unknown[][] {
  return list.flatMap((entry, i) => [
    ...strange.map((other) => list.with(i, other)),
    ...strangeInside(entry).map((other) => list.with(i, other)),
  ])
}

function strangeInside(value: unknown): unknown[] {
  if (Array.isArray(value)) return estranged(value)
  if (value instanceof Tensor || typeof value !== 'object' || value === null) return []
  return Object.keys(value).flatMap((key) => strange.map((other) => ({ ...value, [key]: other })))
}

/** The list with one entry at a time replaced. */
function oneChanged(list: readonly unknown[]): unknown[][] {
  return list.flatMap((entry, i) => unusual(entry).map((other) => list.with(i, other)))
}

function describeArguments(args: readonly unknown[]): string {
  return JSON.stringify(args, (_key, value: unknown) => {
    if (value instanceof Tensor || ['symbol', 'bigint', 'function'].includes(typeof value)) return String(value)
    return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
  })
}

async function failureOf(results: () => Tensor[]): Promise<unknown> {
  const run = compile(results)
  try {
    await run()
    return undefined
  } catch (error) {
    return error
  } finally {
    await run.release()
  }
}

// A message may say that it found undefined, but not have it slipped in anywhere else.
const words = /onnxruntime|Non-zero status|(?<!found .*)undefined|\[object|Exception/

function isOurs(error: unknown): boolean {
  return error instanceof TenfoldError && !words.test(error.message)
}

/** Calls that end in somebody else's words, and these. */
async function strangers(name: string, args: readonly unknown[]): Promise<string[]> {
  const call = functions.get(name)
  if (!call) throw new Error(`the kit has no function ${name}`)
  const found: string[] = []
  const answers: { readonly given: readonly unknown[]; readonly call: () => Tensor[] }[] = []
  for (const given of [...oneChanged(args), ...estranged(args)]) {
    try {
      tensorsOf(call(...given))
      answers.push({ given, call: () => tensorsOf(call(...given)) })
    } catch (error) {
      if (!isOurs(error)) found.push(`${name}(${describeArguments(given)}): ${String(error)}`)
    }
  }
  // All answers in one graph; only where that fails, one by one.
  const all = await failureOf(() => answers.flatMap((answer) => answer.call()))
  for (const answer of all === undefined ? [] : answers) {
    const error = await failureOf(answer.call)
    if (error !== undefined && !isOurs(error))
      found.push(`${name}(${describeArguments(answer.given)}) at run time: ${String(error)}`)
  }
  return found
}

test('every function of a model has a call', () => {
  expect(Object.keys(ops).filter((name) => !(name in calls))).toEqual(['customGradient'])
})

describe('an argument that does not fit', () => {
  test.each(Object.entries(calls))('%s', async (name, args) => {
    expect(await strangers(name, args)).toEqual([])
  })
})
