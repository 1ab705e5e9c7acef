/** What the worker of the frozen transformer's page computes: XOR learned around a random body of which only chosen parts learn. */
import { compile } from '../../compile/compile.ts'
import * as ops from '../../ops/index.ts'
import { Adam } from '../../optim/index.ts'
import type { Table } from '../../report/figures.ts'
import { type BitExamples, bitXor } from '../../systems/frozen-transformer/bits/examples.ts'
import type { FreezeConfig } from '../../systems/frozen-transformer/config.ts'
import { learningTable, shareOnRelevant } from '../../systems/frozen-transformer/explain.ts'
import { FrozenTransformer } from '../../systems/frozen-transformer/model.ts'
import { bitLogits, scoreOf } from '../../systems/frozen-transformer/tasks.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { manualSeed } from '../../tensor/random-state.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { Generator } from '../../util/random.ts'
import type { Host } from '../../web/serve.ts'
import { sizes, tokens } from './sizes.ts'

export interface FrozenPageSettings {
  /** What learns and what does not. */
  readonly frozen: Required<Omit<FreezeConfig, 'freeze_trans'>>
  readonly seed: number
}

/** What the model says of two strings. */
export interface Look {
  /** For each place the probability that the bits differ. */
  readonly probabilities: readonly number[]
  /** Attention of the first layer, a map [tokens, tokens] for each head. */
  readonly attention: readonly (readonly number[])[]
  /** For each head: the share of the last string's attention that goes to the two bits that the answer depends on. */
  readonly shares: readonly number[]
}

const facts = { task: 'bit-xor', n: sizes.bits, rows: 2, patch_size: 1, tokens, guess: 0.5 } as const

/** Bits [count, 2, n] as examples, labels as the step takes them. */
function examplesOf(bits: Int32Array): { readonly x: NDArray; readonly y: NDArray } {
  const { x, y }: BitExamples = bitXor({ dtype: 'int32', shape: [bits.length / tokens, 2, sizes.bits], data: bits })
  return { x, y: { ...y, dtype: 'int32', data: Int32Array.from(toNumbers(y.data)) } }
}

/** Makes the model. */
export async function frozenProgram({ frozen, seed }: FrozenPageSettings, { progress }: Host) {
  progress({ what: 'making the network' })
  manualSeed(seed)
  const model = new FrozenTransformer({
    body: {
      kind: 'gpt2',
      n_embd: sizes.width,
      n_layer: sizes.layers,
      n_head: sizes.heads,
      n_positions: tokens,
      vocab_size: 1,
      ...{ resid_pdrop: 0, embd_pdrop: 0, attn_pdrop: 0 },
      // A narrow body begins with what makes it do as much as the published one of width 768.
      initializer_range: 0.02 * Math.sqrt(768 / sizes.width),
    },
    input_dim: 1,
    output_dim: 2,
    dropout: 0,
    ...frozen,
  })
  const optimizer = new Adam(model.parameters(), { lr: sizes.lr })
  const learn = compile((x: Tensor, y: Tensor) => {
    const score = scoreOf('bit-xor', model.forward(x), y)
    optimizer.minimize(score.loss, { clipNorm: 1 })
    return { ...score }
  })
  const see = compile((x: Tensor) => {
    const { out, attentions } = model.outputs(x)
    return { probabilities: ops.select(ops.softmax(bitLogits(out), -1), 1, -1), attention: attentions.slice(0, 1) }
  })
  const random = new Generator(seed)
  let done = 0

  return {
    step: async () => {
      if (done === sizes.steps) return undefined
      const { x, y } = examplesOf(random.integers(0, 2, sizes.batch * tokens))
      const { loss, accuracy } = await learn(x, y)
      done++
      return { loss: loss.item(), accuracy: accuracy.item() }
    },
    requests: {
      /** How many numbers of each part learn. */
      parts: (): Table => learningTable(model),
      /** What the model says of two strings, one bit after the other. */
      look: async (bits: Int32Array): Promise<Look> => {
        const { probabilities, attention } = await see(examplesOf(bits).x)
        const [first] = attention.map(({ array }) => array)
        const values = first ? toNumbers(first.data) : []
        return {
          probabilities: toNumbers(probabilities.array.data),
          attention: Array.from({ length: first ? sizes.heads : 0 }, (_, head) =>
            values.slice(head * tokens ** 2, (head + 1) * tokens ** 2),
          ),
          shares: first ? shareOnRelevant(first, facts) : [],
        }
      },
      /** The share of the bits of all 1,024 pairs of strings that is right. */
      all: async (): Promise<number> => {
        const pairs = 2 ** tokens
        const bits = Int32Array.from({ length: pairs * tokens }, (_, i) => (Math.floor(i / tokens) >> (i % tokens)) & 1)
        const { x, y } = examplesOf(bits)
        const said = toNumbers((await see(x)).probabilities.array.data)
        const wanted = toNumbers(y.data)
        return said.filter((probability, i) => Number(probability > 0.5) === wanted[i]).length / wanted.length
      },
    },
    release: async () => {
      await Promise.all([learn.release(), see.release()])
    },
  }
}
