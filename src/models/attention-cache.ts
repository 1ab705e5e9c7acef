/**
 * Keys and values of earlier tokens, kept so that each new token costs the work of one token only.
 *
 * Shapes: N batch, L new tokens, S tokens that the cache has room for, width of one head.
 */
import * as ops from '../ops/index.ts'
import type { DType } from '../tensor/dtype.ts'
import { sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { ShapeError, UsageError } from '../util/errors.ts'

/** Keys and values of one attention layer: [N, heads, S, width] each. */
export interface KeysAndValues {
  readonly key: Tensor
  readonly value: Tensor
}

/** The state before new tokens are added. */
export interface CacheInputs {
  /**
   * Keys and values of earlier tokens, one entry for each layer in the order in which the layers run. Default: none, the new tokens
   * are the first.
   */
  readonly past?: readonly KeysAndValues[]
  /** int64 [N]: how many tokens of `past` each row uses; the rest is ignored. Given together with `past`. */
  readonly lengths?: Tensor
  /** bool [N, L]: true for new tokens, false for padding on either side. Default: all are tokens. */
  readonly mask?: Tensor
  /**
   * Keys and values of layers that attend to a context; they stay the same for all tokens. Default: they are computed, and
   * `AttentionCache.contexts` then holds them.
   */
  readonly contexts?: readonly KeysAndValues[]
}

/** How the new tokens attend. */
export interface CachedAttentionOptions {
  readonly scale?: number
  /** Probability with which a weight is dropped. Default: 0. */
  readonly dropout?: number
  readonly enableGqa?: boolean
}

function requireRows(name: string, tensor: Tensor, must: string, dtypes: readonly DType[], rank: number): void {
  if (tensor.rank === rank && dtypes.includes(tensor.dtype)) return
  throw new ShapeError(`AttentionCache: ${name} must be ${must}, found ${tensor}`)
}

/**
 * Keys and values that the attention layers of a model read and extend during one call of the model. State comes in and goes out as
 * tensors: `present` holds the keys and values of the new tokens only, which the caller appends to the earlier ones (as `Decoder` does).
 */
export class AttentionCache {
  /** Keys and values of the new tokens, [N, heads, L, width], of each layer that has run. */
  readonly present: KeysAndValues[] = []
  /** Keys and values of contexts, given or computed. */
  readonly contexts: KeysAndValues[] = []
  readonly #inputs: CacheInputs

  constructor(inputs: CacheInputs = {}) {
    const { past, lengths, mask } = inputs
    if ((past === undefined) !== (lengths === undefined)) {
      throw new UsageError(
        `AttentionCache: past and lengths must be given together, found ${past ? 'past' : 'lengths'} alone`,
      )
    }
    if (lengths) requireRows('lengths', lengths, 'int64 [N]', ['int64', 'int32'], 1)
    if (mask) requireRows('mask', mask, 'bool [N, L]', ['bool'], 2)
    this.#inputs = inputs
  }

  /** int64 [N or 1, L]: the number of tokens before each new one; 0 for padding at the beginning of a row. */
  positions(length: number): Tensor {
    const { lengths, mask } = this.#inputs
    const counted = mask
      ? ops.maximum(ops.sub(ops.cumsum(ops.cast(mask, 'int64'), 1), 1), 0)
      : ops.reshape(ops.arange(length), [1, length])
    return lengths ? ops.add(counted, ops.unsqueeze(lengths, 1)) : counted
  }

  /** Causal attention of new tokens to earlier ones and to each other: q, k, v [N, heads, L, width] -> output [N, heads, L, width]. */
  attend(q: Tensor, k: Tensor, v: Tensor, options: CachedAttentionOptions = {}): ops.Attention {
    const { past, lengths, mask } = this.#inputs
    const before = past?.[this.present.length]
    if (past && !before) {
      throw new UsageError(`AttentionCache: the model has more attention layers than past has: ${past.length}`)
    }
    this.present.push({ key: k, value: v })
    const isToken = mask && { mask: ops.unsqueeze(ops.unsqueeze(mask, 1), 1) } // [N, 1, 1, L]
    if (!before || !lengths) return ops.attentionWithWeights(q, k, v, { ...options, ...isToken, causal: true })
    const places = ops.arange(sizeOf(before.key.shape, -2))
    const seen = ops.less(places, ops.reshape(lengths, [-1, 1, 1, 1])) // [N, 1, 1, S]
    const causal = sizeOf(q.shape, -2) > 1
    return ops.attentionOverParts(
      q,
      [
        { ...before, mask: seen },
        { key: k, value: v, causal, ...isToken },
      ],
      options,
    )
  }

  /** Keys and values of a context for the next layer that has one: the given ones, or the result of `compute`. */
  context(compute: () => KeysAndValues): KeysAndValues {
    const known = this.#inputs.contexts?.[this.contexts.length] ?? compute()
    this.contexts.push(known)
    return known
  }

  /** The vector of the last new token of each row: x [N, L, C] -> [N, 1, C]. */
  last(x: Tensor): Tensor {
    const { mask } = this.#inputs
    const [, length, width] = x.sizes(3)
    if (length === 1) return x
    if (!mask) return ops.slice(x, [length - 1, length], 1)
    const place = ops.max(ops.where(mask, ops.arange(length), 0), 1, { keepDims: true }) // [N, 1]
    return ops.gather(x, ops.expand(ops.unsqueeze(place, 2), [sizeOf(x.shape, 0), 1, width]), 1)
  }
}
