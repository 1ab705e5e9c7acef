/** Formulas in float64 inside of an op: what float32 would lose by cancelling, or by the rounding of a large argument. */
import type { Tensor } from '../../tensor/tensor.ts'
import { type Emitter, inputAt, type OpDefinition, type Ops } from '../define.ts'
import { defineUnary } from './unary.ts'

/** A float64 value of the graph, by its name, or a number. */
type Value = string | number

/** Nodes of float64 arithmetic. */
export interface Doubles {
  /** One node of a kernel. */
  of(type: string, ...values: readonly Value[]): string
  add(...terms: readonly Value[]): string
  sub(a: Value, b: Value): string
  mul(...factors: readonly Value[]): string
  div(a: Value, b: Value): string
  /** a where the condition holds, else b. */
  where(condition: string, a: Value, b: Value): string
  /** c0 + c1 x + c2 x^2 + ..., by Horner's rule. */
  polynomial(x: Value, coefficients: readonly number[]): string
}

function doubles(emit: Emitter): Doubles {
  const of = (type: string, ...values: readonly Value[]): string =>
    emit.node(
      type,
      values.map((value) => (typeof value === 'string' ? value : emit.double(value))),
    )
  const chain = (type: string, values: readonly Value[]): string => {
    const [first = 0, ...rest] = values
    return rest.reduce<string>((total, value) => of(type, total, value), named(first))
  }
  const named = (value: Value): string => (typeof value === 'string' ? value : emit.double(value))
  return {
    of,
    add: (...terms) => chain('Add', terms),
    sub: (a, b) => of('Sub', a, b),
    mul: (...factors) => chain('Mul', factors),
    div: (a, b) => of('Div', a, b),
    where: (condition, a, b) => emit.node('Where', [condition, named(a), named(b)]),
    polynomial: (x, coefficients) => {
      const highest = named(inputAt('polynomial', coefficients, coefficients.length - 1))
      return coefficients.slice(0, -1).reduceRight((sum, c) => of('Add', of('Mul', sum, x), c), highest)
    },
  }
}

/** A function of one tensor whose nodes `formula` writes from the input as float64. */
interface DoubleUnary {
  readonly formula: (d: Doubles, x: string) => string
  readonly gradient: (o: Ops, x: Tensor, y: Tensor, g: Tensor) => Tensor
  readonly range?: readonly [number, number]
}

/** Declares an elementwise function that is computed in float64 and rounded to float32 at its end. */
export function defineInDoubles(
  name: string,
  call: (x: Tensor) => Tensor,
  { formula, ...rest }: DoubleUnary,
): OpDefinition<Record<string, never>> {
  return defineUnary(name, call, { ...rest, lower: (emit, x) => lowerInDoubles(emit, x, formula) })
}

/** The nodes of a formula, from float32 to float32. */
export function lowerInDoubles(emit: Emitter, x: string, formula: DoubleUnary['formula']): string {
  return emit.cast(formula(doubles(emit), emit.double(x)), 'float32')
}
