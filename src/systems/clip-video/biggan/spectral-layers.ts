/**
 * Spectral norm as ajbrock/BigGAN-PyTorch has it: only the vectors `u0`, `u1`, ... [1, out] are kept, each use makes a step of the power
 * iteration (in evaluation without keeping it), and further singular values can be watched. `sv0`, ... are the last values, to look at.
 */
import { Conv2d, Embedding, init, Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Variable } from '../../../tensor/variable.ts'
import { selfAttention } from './block.ts'

/** How singular values are estimated. */
export interface PowerIteration {
  /** Singular values that are watched; the largest divides the weight. */
  readonly num_svs: number
  /** Steps for each use. */
  readonly num_itrs: number
  readonly eps: number
}

/** The vectors and values of a weight with `rows` rows. */
class SingularValues {
  readonly u: readonly Variable[]
  readonly sv: readonly Variable[]
  readonly #options: PowerIteration

  constructor(rows: number, options: PowerIteration) {
    this.u = Array.from({ length: options.num_svs }, () => init.buffer([1, rows], init.normal))
    this.sv = Array.from({ length: options.num_svs }, () => init.buffer([1], init.ones))
    this.#options = options
  }

  /** By the names they have in a layer. */
  named(): Record<string, Variable> {
    return Object.fromEntries([
      ...this.u.map((variable, i) => [`u${i}`, variable] as const),
      ...this.sv.map((variable, i) => [`sv${i}`, variable] as const),
    ])
  }

  /** weight / sigma, differentiated through sigma = v W^T u^T with u and v constant. */
  normalized(weight: Tensor, training: boolean): Tensor {
    const matrix = ops.flatten(weight, 1) // [rows, rest]
    // Only what is kept makes a further step differ from the first.
    const steps = training ? this.#options.num_itrs : 1
    let vectors = this.u.map((variable) => variable.value)
    let values: readonly Tensor[] = []
    for (let step = 0; step < steps; step++) {
      const next = powerIteration(matrix, vectors, this.#options.eps)
      vectors = next.map(({ u }) => u)
      values = next.map(({ value }) => value)
    }
    if (training) {
      for (const [i, variable] of this.u.entries()) variable.assign(vectors[i] ?? variable.value)
      for (const [i, variable] of this.sv.entries()) variable.assign(values[i] ?? variable.value)
    }
    const [largest] = values
    return largest ? ops.div(weight, largest) : weight
  }
}

/** One step for each vector [1, rows], each kept orthogonal to those before it. */
function powerIteration(matrix: Tensor, vectors: readonly Tensor[], eps: number): { u: Tensor; value: Tensor }[] {
  const [rights, found]: [Tensor[], { u: Tensor; value: Tensor }[]] = [[], []]
  for (const vector of vectors) {
    const v = ops.stopGradient(unit(orthogonal(ops.matmul(vector, matrix), rights), eps)) // [1, rest]
    rights.push(v)
    const lefts = found.map(({ u }) => u)
    const u = ops.stopGradient(unit(orthogonal(ops.matmul(v, ops.transpose(matrix)), lefts), eps)) // [1, rows]
    const product = ops.matmul(ops.matmul(v, ops.transpose(matrix)), ops.transpose(u)) // [1, 1]
    found.push({ u, value: ops.reshape(product, [1]) })
  }
  return found
}

const unit = (x: Tensor, eps: number): Tensor => ops.normalize(x, { axis: 1, eps })

/** x without its parts along the others (Gram-Schmidt). */
function orthogonal(x: Tensor, others: readonly Tensor[]): Tensor {
  return others.reduce((rest, y) => {
    const share = ops.div(ops.matmul(y, ops.transpose(rest)), ops.matmul(y, ops.transpose(y))) // [1, 1]
    return ops.sub(rest, ops.mul(share, y))
  }, x)
}

/** What a layer with a spectral norm has in common. */
abstract class SNLayer extends Module {
  abstract readonly weight: Variable
  readonly #values: SingularValues
  readonly [vector: `u${number}` | `sv${number}`]: Variable

  constructor(rows: number, options: PowerIteration) {
    super()
    this.#values = new SingularValues(rows, options)
    Object.assign(this, this.#values.named())
  }

  protected normalized(): Tensor {
    return this.#values.normalized(this.weight.value, this.training)
  }
}

/** y = x (W / sigma)^T + b. */
export class SNLinear extends SNLayer {
  readonly weight: Variable
  readonly bias: Variable | undefined

  constructor(from: number, to: number, bias: boolean, options: PowerIteration) {
    super(to, options)
    const plain = new Linear(from, to, { bias, initWeight: init.orthogonal })
    this.weight = plain.weight
    this.bias = plain.bias
  }

  forward(x: Tensor): Tensor {
    return ops.linear(x, this.normalized(), this.bias)
  }
}

/** Convolution of an odd kernel that keeps height and width. */
export class SNConv2d extends SNLayer {
  readonly weight: Variable
  readonly bias: Variable | undefined
  readonly #padding: number

  constructor(from: number, to: number, kernel: number, bias: boolean, options: PowerIteration) {
    super(to, options)
    const plain = new Conv2d(from, to, kernel, { bias, initWeight: init.orthogonal })
    this.weight = plain.weight
    this.bias = plain.bias
    this.#padding = (kernel - 1) / 2
  }

  forward(x: Tensor): Tensor {
    return ops.conv2d(x, this.normalized(), this.bias, { padding: this.#padding })
  }
}

/** Rows of W / sigma by index. */
export class SNEmbedding extends SNLayer {
  readonly weight: Variable

  constructor(entries: number, width: number, options: PowerIteration) {
    super(entries, options)
    this.weight = new Embedding(entries, width, { initWeight: init.orthogonal }).weight
  }

  forward(index: Tensor): Tensor {
    return ops.embedding(index, this.normalized())
  }
}

/** Makes the layers of a network: with spectral norms, or (undefined) without. */
export function layerMaker(options: PowerIteration | undefined) {
  return {
    conv: (from: number, to: number, kernel: number, bias = true): SNConv2d | Conv2d =>
      options
        ? new SNConv2d(from, to, kernel, bias, options)
        : new Conv2d(from, to, kernel, { padding: (kernel - 1) / 2, bias, initWeight: init.orthogonal }),
    linear: (from: number, to: number, bias = true): SNLinear | Linear =>
      options ? new SNLinear(from, to, bias, options) : new Linear(from, to, { bias, initWeight: init.orthogonal }),
    embedding: (entries: number, width: number): SNEmbedding | Embedding =>
      options
        ? new SNEmbedding(entries, width, options)
        : new Embedding(entries, width, { initWeight: init.orthogonal }),
  }
}

export type LayerMaker = ReturnType<typeof layerMaker>

/** Attention over the places of a picture, as both networks have it. */
export class Attention extends Module {
  readonly theta: SNConv2d | Conv2d
  readonly phi: SNConv2d | Conv2d
  readonly g: SNConv2d | Conv2d
  readonly o: SNConv2d | Conv2d
  readonly gamma: Variable

  constructor(channels: number, { conv }: LayerMaker) {
    super()
    const [eighth, half] = [Math.floor(channels / 8), Math.floor(channels / 2)]
    this.theta = conv(channels, eighth, 1, false)
    this.phi = conv(channels, eighth, 1, false)
    this.g = conv(channels, half, 1, false)
    this.o = conv(half, channels, 1, false)
    this.gamma = init.parameter([], init.zeros)
  }

  forward(x: Tensor): Tensor {
    return selfAttention(x, {
      theta: (t) => this.theta.forward(t),
      phi: (t) => this.phi.forward(t),
      g: (t) => this.g.forward(t),
      o: (t) => this.o.forward(t),
      gamma: this.gamma,
    })
  }
}
