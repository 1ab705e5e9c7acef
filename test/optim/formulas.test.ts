/** Each optimizer with all its options against its formula in double precision, as PyTorch documents it. */
import { describe, expect, test } from 'vitest'
import { Adagrad, Adam, AdamW, LAMB, LARS, type Optimizer, RMSprop, SGD } from '../../src/optim/index.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { randomGradients, trajectory } from './support.ts'

type Vector = readonly number[]
/** One step in double precision: t counts from 0; `state` is kept from step to step. */
type Reference = (w: Vector, g: Vector, t: number, state: Record<string, Vector>) => Vector

const zip = (f: (...x: number[]) => number, ...vectors: readonly Vector[]): Vector =>
  (vectors[0] ?? []).map((_, i) => f(...vectors.map((vector) => vector[i] ?? 0)))
const zeros = (like: Vector): Vector => like.map(() => 0)
const norm = (x: Vector): number => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0))

function sgd({ lr = 0.1, momentum = 0, dampening = 0, decay = 0, nesterov = false, sign = 1 }): Reference {
  return (w, g, t, state) => {
    const d = zip((gi, wi) => sign * gi + decay * wi, g, w)
    if (momentum === 0) return zip((wi, di) => wi - lr * di, w, d)
    const buffer = t === 0 ? d : zip((b, di) => momentum * b + (1 - dampening) * di, state.buffer ?? zeros(w), d)
    state.buffer = buffer
    const step = nesterov ? zip((di, b) => di + momentum * b, d, buffer) : buffer
    return zip((wi, s) => wi - lr * s, w, step)
  }
}

interface AdamReference {
  readonly b1?: number
  readonly b2?: number
  readonly eps?: number
  readonly decay?: number
  readonly decoupled?: number
  readonly amsgrad?: boolean
  readonly sign?: number
}

function adam(options: AdamReference): Reference {
  const { b1 = 0.9, b2 = 0.999, eps = 1e-8, decay = 0, decoupled = 0, amsgrad = false, sign = 1 } = options
  return (w, g, t, state) => {
    const d = zip((gi, wi) => sign * gi + decay * wi, g, w)
    state.m = zip((m, di) => b1 * m + (1 - b1) * di, state.m ?? zeros(w), d)
    state.v = zip((v, di) => b2 * v + (1 - b2) * di * di, state.v ?? zeros(w), d)
    state.max = zip(Math.max, state.max ?? zeros(w), state.v)
    const [c1, c2] = [1 - b1 ** (t + 1), 1 - b2 ** (t + 1)]
    const second = amsgrad ? state.max : state.v
    return zip((wi, m, v) => wi * (1 - lr * decoupled) - (lr * m) / c1 / (Math.sqrt(v / c2) + eps), w, state.m, second)
  }
}

function rmsprop({ alpha = 0.99, eps = 1e-8, decay = 0, momentum = 0, centered = false }): Reference {
  return (w, g, _t, state) => {
    const d = zip((gi, wi) => gi + decay * wi, g, w)
    state.v = zip((v, di) => alpha * v + (1 - alpha) * di * di, state.v ?? zeros(w), d)
    state.m = zip((m, di) => alpha * m + (1 - alpha) * di, state.m ?? zeros(w), d)
    const variance = centered ? zip((v, m) => v - m * m, state.v, state.m) : state.v
    const scaled = zip((di, v) => di / (Math.sqrt(v) + eps), d, variance)
    state.buffer = zip((b, s) => momentum * b + s, state.buffer ?? zeros(w), scaled)
    return zip((wi, s) => wi - 0.01 * s, w, momentum === 0 ? scaled : state.buffer)
  }
}

const adagrad: Reference = (w, g, t, state) => {
  const d = zip((gi, wi) => gi + 0.1 * wi, g, w)
  state.sum = zip((s, di) => s + di * di, state.sum ?? w.map(() => 0.3), d)
  return zip((wi, di, s) => wi - ((lr / (1 + 0.5 * t)) * di) / (Math.sqrt(s) + 0.01), w, d, state.sum)
}

const lamb: Reference = (w, g, t, state) => {
  const [b1, b2, eps, decay, clamp] = [0.8, 0.95, 1e-6, 0.1, 0.5]
  state.m = zip((m, gi) => b1 * m + (1 - b1) * gi, state.m ?? zeros(w), g)
  state.v = zip((v, gi) => b2 * v + (1 - b2) * gi * gi, state.v ?? zeros(w), g)
  const [c1, c2] = [1 - b1 ** (t + 1), 1 - b2 ** (t + 1)]
  const u = zip((m, v, wi) => m / c1 / (Math.sqrt(v / c2) + eps) + decay * wi, state.m, state.v, w)
  const ratio = norm(w) > 0 && norm(u) > 0 ? Math.min(norm(w), clamp) / norm(u) : 1
  return zip((wi, ui) => wi - lr * ratio * ui, w, u)
}

interface LarsForm {
  readonly decay?: number
  readonly adapts?: boolean
  readonly classic?: boolean
  readonly ofMomentum?: boolean
  readonly nesterov?: boolean
}

/** LARS of a vector with a trust coefficient of 0.05: the forms of Barlow Twins and of SimCLR. */
function lars({
  decay = 0,
  adapts = false,
  classic = false,
  ofMomentum = false,
  nesterov = false,
}: LarsForm): Reference {
  return (w, g, _t, state) => {
    const scaled = (v: Vector): Vector =>
      adapts && norm(w) > 0 && norm(v) > 0 ? v.map((vi) => (vi * 0.05 * norm(w)) / norm(v)) : v
    const decayed = zip((gi, wi) => gi + decay * wi, g, w)
    const added = (ofMomentum ? decayed : scaled(decayed)).map((d) => d * (classic ? lr : 1))
    const buffer = zip((b, d) => 0.9 * b + d, state.buffer ?? zeros(w), added)
    state.buffer = buffer
    const step = nesterov ? zip((b, d) => 0.9 * b + d, buffer, added) : buffer
    return zip((wi, si) => wi - (classic ? 1 : lr) * si, w, ofMomentum ? scaled(step) : step)
  }
}

type Make = (parameters: readonly Variable[]) => Optimizer
const lr = 0.1
const cases: readonly (readonly [string, Make, Reference])[] = [
  ['SGD', (p) => new SGD(p, { lr }), sgd({})],
  [
    'SGD, weight decay, maximize',
    (p) => new SGD(p, { lr, weightDecay: 0.3, maximize: true }),
    sgd({ decay: 0.3, sign: -1 }),
  ],
  [
    'SGD, momentum, dampening',
    (p) => new SGD(p, { lr, momentum: 0.9, dampening: 0.4 }),
    sgd({ momentum: 0.9, dampening: 0.4 }),
  ],
  [
    'SGD, Nesterov, weight decay',
    (p) => new SGD(p, { lr, momentum: 0.8, nesterov: true, weightDecay: 0.1 }),
    sgd({ momentum: 0.8, nesterov: true, decay: 0.1 }),
  ],
  ['Adam', (p) => new Adam(p, { lr }), adam({})],
  [
    'Adam, large eps, first beta 0',
    (p) => new Adam(p, { lr, betas: [0, 0.9], eps: 0.1 }),
    adam({ b1: 0, b2: 0.9, eps: 0.1 }),
  ],
  ['Adam, second beta 0', (p) => new Adam(p, { lr, betas: [0.5, 0] }), adam({ b1: 0.5, b2: 0 })],
  [
    'Adam, L2, amsgrad, maximize',
    (p) => new Adam(p, { lr, betas: [0.9, 0.5], weightDecay: 0.2, amsgrad: true, maximize: true }),
    adam({ b2: 0.5, decay: 0.2, amsgrad: true, sign: -1 }),
  ],
  ['AdamW', (p) => new AdamW(p, { lr }), adam({ decoupled: 0.01 })],
  [
    'AdamW, amsgrad',
    (p) => new AdamW(p, { lr, weightDecay: 0.5, betas: [0.7, 0.6], amsgrad: true }),
    adam({ decoupled: 0.5, b1: 0.7, b2: 0.6, amsgrad: true }),
  ],
  [
    'Adagrad',
    (p) => new Adagrad(p, { lr, lrDecay: 0.5, weightDecay: 0.1, initialAccumulatorValue: 0.3, eps: 0.01 }),
    adagrad,
  ],
  ['RMSprop', (p) => new RMSprop(p, { lr: 0.01 }), rmsprop({})],
  [
    'RMSprop, centred',
    (p) => new RMSprop(p, { lr: 0.01, alpha: 0.6, centered: true, eps: 0.01 }),
    rmsprop({ alpha: 0.6, centered: true, eps: 0.01 }),
  ],
  [
    'RMSprop, momentum, weight decay',
    (p) => new RMSprop(p, { lr: 0.01, momentum: 0.7, weightDecay: 0.2 }),
    rmsprop({ momentum: 0.7, decay: 0.2 }),
  ],
  ['LAMB', (p) => new LAMB(p, { lr, betas: [0.8, 0.95], weightDecay: 0.1, clamp: 0.5 }), lamb],
  ['LARS of a vector', (p) => new LARS(p, { lr, weightDecay: 0.5 }), lars({})],
  [
    'LARS, vectors too',
    (p) => new LARS(p, { lr, weightDecay: 0.5, trustCoefficient: 0.05, decayVectors: true, adaptVectors: true }),
    lars({ decay: 0.5, adapts: true }),
  ],
  [
    'LARS, not adapted',
    (p) => new LARS(p, { lr, weightDecay: 0.5, decayVectors: true, adaptVectors: true, adapt: false, nesterov: true }),
    lars({ decay: 0.5, nesterov: true }),
  ],
  [
    'LARS, classic momentum',
    (p) => new LARS(p, { lr, trustCoefficient: 0.05, adaptVectors: true, classicMomentum: true, nesterov: true }),
    lars({ adapts: true, classic: true, nesterov: true }),
  ],
  [
    'LARS, the ratio of the momentum',
    (p) => new LARS(p, { lr, trustCoefficient: 0.05, adaptVectors: true, adaptMomentum: true }),
    lars({ adapts: true, ofMomentum: true }),
  ],
]

describe('twelve steps agree with the formula', () => {
  test.each(cases)('%s', async (_name, make, reference) => {
    const start = [0.5, -1, 2, 0, -0.25]
    const gradients = randomGradients(5, 12, start.length)
    const found = await trajectory(make, start, gradients)
    const state: Record<string, Vector> = {}
    let w: Vector = start
    for (const [t, g] of gradients.entries()) {
      w = reference(w, g, t, state)
      for (const [i, value] of w.entries()) expect(found[t]?.[i]).toBeCloseTo(value, 5)
    }
  })
})

test('centred RMSprop survives a gradient that never changes', async () => {
  const make: Make = (p) => new RMSprop(p, { lr: 1e-3, alpha: 0.5, centered: true })
  const found = await trajectory(make, [1, 1], new Array<number[]>(60).fill([0.1, 3]))
  expect(found.flat().every(Number.isFinite)).toBe(true)
})

test('LARS has its ratio in the momentum or outside of it', () => {
  const parameter = new Variable([2], { trainable: true })
  expect(() => new LARS([parameter], { lr, classicMomentum: true, adaptMomentum: true })).toThrow(
    'LARS: classicMomentum and adaptMomentum exclude each other, found both',
  )
})
