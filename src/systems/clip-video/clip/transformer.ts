/** The transformer of both towers of CLIP: layers with norms before, and an activation that is almost GELU. */
import { transformerLayer } from '../../../models/transformer.ts'
import { init, LayerNorm, Linear, Module, MultiheadAttention } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Variable } from '../../../tensor/variable.ts'

/** Options of a transformer. */
export interface TransformerOptions {
  readonly width: number
  readonly layers: number
  readonly heads: number
  /** Whether a token reads only itself and what stands before it. Default: false. */
  readonly causal?: boolean
  /** Whether weights begin as those of the text tower (its layers' standard deviations shrink with width and depth). Default: false. */
  readonly textInit?: boolean
}

/** y = x + attn(ln_1(x)); y + c_proj(quickgelu(c_fc(ln_2(y)))) */
class ResidualAttentionBlock extends Module {
  readonly attn: MultiheadAttention
  readonly ln_1: LayerNorm
  readonly mlp: { readonly c_fc: Linear; readonly c_proj: Linear }
  readonly ln_2: LayerNorm

  constructor(width: number, heads: number) {
    super()
    this.attn = new MultiheadAttention(width, heads)
    this.ln_1 = new LayerNorm(width)
    this.mlp = { c_fc: new Linear(width, 4 * width), c_proj: new Linear(4 * width, width) }
    this.ln_2 = new LayerNorm(width)
  }

  /** x [N, L, C] -> [N, L, C]. */
  forward(x: Tensor, causal = false): Tensor {
    const { output } = transformerLayer(x, {
      norm: 'pre',
      norm1: this.ln_1,
      mix: (tokens) => this.attn.forward(tokens, tokens, tokens, { causal }),
      norm2: this.ln_2,
      feedForward: (tokens) => this.mlp.c_proj.forward(ops.quickGelu(this.mlp.c_fc.forward(tokens))),
    })
    return output
  }
}

/** A stack of layers. */
export class Transformer extends Module {
  readonly resblocks: readonly ResidualAttentionBlock[]
  readonly #causal: boolean

  constructor({ width, layers, heads, causal = false, textInit = false }: TransformerOptions) {
    super()
    this.resblocks = Array.from({ length: layers }, () => new ResidualAttentionBlock(width, heads))
    this.#causal = causal
    if (textInit) this.#initializeAsText(width, layers)
  }

  #initializeAsText(width: number, layers: number): void {
    const normal = (variable: Variable | undefined, std: number): void => {
      if (variable) init.initialize(variable, (shape) => init.normal(shape, { std }))
    }
    const projection = width ** -0.5 * (2 * layers) ** -0.5
    for (const { attn, mlp } of this.resblocks) {
      normal(attn.in_proj_weight, width ** -0.5)
      normal(attn.out_proj.weight, projection)
      normal(mlp.c_fc.weight, (2 * width) ** -0.5)
      normal(mlp.c_proj.weight, projection)
    }
  }

  /** x [N, L, C] -> [N, L, C]. */
  forward(x: Tensor): Tensor {
    return this.resblocks.reduce((tokens, block) => block.forward(tokens, this.#causal), x)
  }
}
