/**
 * Errors of the runtime's elementwise kernels, and of forms that replace them, against float64 over the whole float32
 * range; and their times. `node scripts/forms.js elementwise-accuracy [function ...]`. Decision: docs/decisions/040.
 */
import { compile } from '../../src/compile/compile.ts'
import { applyAll, defineOp, type Emitter } from '../../src/ops/kit.ts'
import { toNumbers } from '../../src/tensor/dtype.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { type Form, measure } from './measure.ts'

interface Contestants {
  readonly exact: (x: number) => number
  readonly forms: Readonly<Record<string, Form>>
  /** Where the function is looked at. Default: all numbers. */
  readonly from?: number
  readonly to?: number
}

type Nodes = (emit: Emitter, x: string, number: (value: number) => string) => string

const form =
  (nodes: Nodes): Form =>
  (emit, [x = '']) =>
    nodes(emit, x, (value) => emit.scalar(value, 'float32'))
const kernel = (type: string, attributes = {}, domain = ''): Form =>
  form((emit, x) => emit.node(type, [x], attributes, domain))

/** erfc by its series near 0 and its continued fraction (Lentz) elsewhere, to float64's precision. */
function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x)
  if (x < 2) {
    let [term, sum] = [x, x]
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= (-x * x) / n
      sum += term / (2 * n + 1)
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum
  }
  let fraction = 0
  for (let k = 120; k >= 1; k--) fraction = k / 2 / (x + fraction)
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * (x + fraction))
}
function erf(x: number): number {
  if (Math.abs(x) >= 0.5) return 1 - erfc(x)
  let [term, sum] = [x, x]
  for (let n = 1; n < 30; n++) {
    term *= (-x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}
const sigmoid = (x: number): number => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)))
const tanhInner = (x: number): number => 2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)

const reciprocalForm = form((emit, x, number) =>
  emit.node('Reciprocal', [emit.node('Add', [emit.node('Exp', [emit.node('Neg', [x])]), number(1)])]),
)

const contests: Readonly<Record<string, Contestants>> = {
  exp: { exact: Math.exp, forms: { Exp: kernel('Exp') } },
  log: { exact: Math.log, forms: { Log: kernel('Log') }, from: 1e-45 },
  sigmoid: {
    exact: sigmoid,
    forms: {
      Sigmoid: kernel('Sigmoid'),
      '1 / (1 + e^-x)': reciprocalForm,
      'softsign of clipped e^x': form((emit, x, number) =>
        emit.node('Softsign', [emit.node('Clip', [emit.node('Exp', [x]), '', number(2 ** 24)])]),
      ),
      'e^x / (1 + e^x), clipped': form((emit, x, number) => {
        const power = emit.node('Clip', [emit.node('Exp', [x]), '', number(2 ** 24)])
        return emit.node('Div', [power, emit.node('Add', [power, number(1)])])
      }),
      '(1 + tanh(x / 2)) / 2': form((emit, x, number) => {
        const t = emit.node('Tanh', [emit.node('Mul', [x, number(0.5)])])
        return emit.node('HardSigmoid', [t], { alpha: { float: 0.5 }, beta: { float: 0.5 } })
      }),
      'softmax of 2': form((emit, x, number) => {
        const column = emit.node('Unsqueeze', [x, emit.ints([-1])])
        const pair = emit.node('Concat', [column, emit.node('Mul', [column, number(0)])], { axis: -1 })
        return emit.node('Gather', [emit.node('Softmax', [pair], { axis: -1 }), emit.scalar(0, 'int64')], { axis: -1 })
      }),
      'Sigmoid, e^x below -8': form((emit, x, number) =>
        emit.node('Where', [emit.node('Less', [x, number(-8)]), emit.node('Exp', [x]), emit.node('Sigmoid', [x])]),
      ),
    },
  },
  tanh: { exact: Math.tanh, forms: { Tanh: kernel('Tanh') } },
  erf: { exact: erf, forms: { Erf: kernel('Erf') } },
  gelu: {
    exact: (x) => 0.5 * x * erfc(-x / Math.SQRT2),
    forms: {
      Gelu: kernel('Gelu'),
      'Gelu (microsoft)': kernel('Gelu', {}, 'com.microsoft'),
      'x (1 + erf) / 2': form((emit, x, number) => {
        const cumulative = emit.node('Erf', [emit.node('Mul', [x, number(Math.SQRT1_2)])])
        return emit.node('Mul', [
          x,
          emit.node('HardSigmoid', [cumulative], { alpha: { float: 0.5 }, beta: { float: 0.5 } }),
        ])
      }),
    },
  },
  'gelu tanh': {
    exact: (x) => x * sigmoid(tanhInner(x)),
    forms: {
      'Gelu tanh': kernel('Gelu', { approximate: 'tanh' }),
      FastGelu: kernel('FastGelu', {}, 'com.microsoft'),
    },
  },
  silu: {
    exact: (x) => x * sigmoid(x),
    forms: {
      QuickGelu: kernel('QuickGelu', { alpha: { float: 1 } }, 'com.microsoft'),
      'x softsign of clipped e^x': form((emit, x, number) =>
        emit.node('Mul', [x, emit.node('Softsign', [emit.node('Clip', [emit.node('Exp', [x]), '', number(2 ** 24)])])]),
      ),
      'x / (1 + e^-x)': form((emit, x, number) =>
        emit.node('Div', [x, emit.node('Add', [emit.node('Exp', [emit.node('Neg', [x])]), number(1)])]),
      ),
    },
  },
  softplus: {
    exact: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    forms: { Softplus: kernel('Softplus') },
  },
  elu: { exact: (x) => (x > 0 ? x : Math.expm1(x)), forms: { Elu: kernel('Elu') } },
  mish: { exact: (x) => x * Math.tanh(Math.log1p(Math.exp(x))), forms: { Mish: kernel('Mish') }, to: 80 },
  sin: { exact: Math.sin, forms: { Sin: kernel('Sin') } },
  cos: { exact: Math.cos, forms: { Cos: kernel('Cos') } },
  tan: { exact: Math.tan, forms: { Tan: kernel('Tan') } },
  asin: { exact: Math.asin, forms: { Asin: kernel('Asin') }, from: -1, to: 1 },
  acos: { exact: Math.acos, forms: { Acos: kernel('Acos') }, from: -1, to: 1 },
  atan: { exact: Math.atan, forms: { Atan: kernel('Atan') } },
  sinh: { exact: Math.sinh, forms: { Sinh: kernel('Sinh') } },
  cosh: { exact: Math.cosh, forms: { Cosh: kernel('Cosh') } },
  asinh: { exact: Math.asinh, forms: { Asinh: kernel('Asinh') } },
  acosh: { exact: Math.acosh, forms: { Acosh: kernel('Acosh') }, from: 1 },
  atanh: { exact: Math.atanh, forms: { Atanh: kernel('Atanh') }, from: -1, to: 1 },
  sqrt: { exact: Math.sqrt, forms: { Sqrt: kernel('Sqrt') }, from: 0 },
  neg: { exact: (x) => -x, forms: { Neg: kernel('Neg') } },
  softsign: { exact: (x) => x / (1 + Math.abs(x)), forms: { Softsign: kernel('Softsign') } },
  clip: {
    exact: (x) => Math.min(x, 3),
    forms: { Clip: form((emit, x, number) => emit.node('Clip', [x, '', number(3)])) },
  },
  reciprocal: { exact: (x) => 1 / x, forms: { Reciprocal: kernel('Reciprocal') } },
}

/** Every 4096th float32: 2048 in each power of 2. */
function grid(from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY): Float32Array {
  const bits = Uint32Array.from({ length: 2 ** 20 }, (_, i) => i * 4096 + (i % 4096))
  const numbers = new Float32Array(bits.buffer)
  return numbers.filter((x) => Number.isFinite(x) && x >= from && x <= to)
}

const smallest = 2 ** -126

interface Errors {
  /** Largest relative error where the result is a normal number, and where. */
  readonly relative: number
  readonly at: number
  /** The same beyond results whose error is below 1e-45: of subnormal results, in their unit 2^-149. */
  readonly units: number
  readonly unitsAt: number
  /** Where one of the two is infinite or NaN, and the other not. */
  readonly different: number | undefined
}

function compare(x: Float32Array, found: readonly number[], exact: (x: number) => number): Errors {
  let [relative, at, units, unitsAt] = [0, 0, 0, 0]
  let different: number | undefined
  for (const [i, value] of x.entries()) {
    const [y, truth] = [found[i] ?? Number.NaN, exact(value)]
    const rounded = Math.fround(truth)
    if (!Number.isFinite(y) || !Number.isFinite(rounded)) {
      if (!Object.is(y, rounded)) different ??= value
      continue
    }
    const error = Math.abs(y - truth)
    if (Math.abs(truth) >= smallest) {
      if (error / Math.abs(truth) > relative) [relative, at] = [error / Math.abs(truth), value]
    } else if (error / 2 ** -149 > units) [units, unitsAt] = [error / 2 ** -149, value]
  }
  return { relative, at, units, unitsAt, different }
}

async function evaluate(nodes: Form, x: Float32Array): Promise<number[]> {
  const op = defineOp<object>({
    name: 'form',
    infer: (inputs) => inputs,
    lower: (emit, context) => nodes(emit, context.inputs),
    samples: () => [],
    errors: 'every tensor is valid',
  })
  const run = compile((input: Tensor) => applyAll(op, [input], {}), { optimize: false })
  const [y] = await run({ dtype: 'float32', shape: [x.length], data: x })
  await run.release()
  return y ? toNumbers(y.array.data) : []
}

const wanted = process.argv.slice(2)
const elements = 2 ** 20
for (const [name, { exact, forms, from, to }] of Object.entries(contests)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const x = grid(from, to)
  const times = await measure({ title: name, inputs: [[elements]], outputs: [[elements]], forms }, 0.3)
  for (const [title, nodes] of Object.entries(forms)) {
    const { relative, at, units, unitsAt, different } = compare(x, await evaluate(nodes, x), exact)
    const subnormal = units > 1 ? `; subnormal results ${units.toPrecision(2)} units at ${unitsAt.toPrecision(4)}` : ''
    const limits = different === undefined ? '' : `; not the right limit at ${different.toPrecision(4)}`
    console.log(
      `${name}: ${title}: ${relative.toExponential(1)} at ${at.toPrecision(4)}${subnormal}${limits}; ${(times[title] ?? 0).toFixed(2)} ms`,
    )
  }
}
