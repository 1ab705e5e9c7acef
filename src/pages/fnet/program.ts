/** What the worker of FNet's page computes: an encoder that learns to guess hidden words, and what mixing costs by length. */
import { compile } from '../../compile/compile.ts'
import * as ops from '../../ops/index.ts'
import { AdamW, cosineScheduleWithWarmup } from '../../optim/index.ts'
import type { FNetConfig } from '../../systems/fnet/config.ts'
import { mixingOf } from '../../systems/fnet/mixing.ts'
import { FNetForPreTraining } from '../../systems/fnet/model.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { manualSeed } from '../../tensor/random-state.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { Generator } from '../../util/random.ts'
import type { Host } from '../../web/serve.ts'
import { encode, ids, longest, pronouns, randomSentence, vocabulary } from './grammar.ts'
import { sizes } from './sizes.ts'

export type MixingName = 'f_net' | 'bert' | 'ff_only'

export interface FNetPageSettings {
  readonly mixing: MixingName
  readonly seed: number
}

const config = (mixing: MixingName, length: number): FNetConfig => ({
  model_arch: mixing,
  vocab_size: vocabulary.length,
  max_seq_length: length,
  type_vocab_size: 1,
  pad_token_id: ids.pad,
  d_emb: sizes.width,
  d_model: sizes.width,
  d_ff: 4 * sizes.width,
  num_layers: sizes.layers,
  num_heads: sizes.heads,
  num_attention_layers: 0,
  attention_layout: 'top',
  dropout_rate: 0,
  mixing_dropout_rate: 0,
  port: { attention_mask: 'keys' },
})

const int32 = (values: readonly number[], shape: readonly number[]): NDArray => ({
  dtype: 'int32',
  shape,
  data: Int32Array.from(values),
})

/** Sentences with some words hidden, their places and what they were. */
function hiddenWords(sentences: readonly (readonly string[])[], places: readonly (readonly number[])[]) {
  const rows = sentences.map(encode)
  const labels = rows.flatMap((row, i) => (places[i] ?? []).map((place) => row[place] ?? 0))
  for (const [i, row] of rows.entries()) for (const place of places[i] ?? []) row[place] = ids.mask
  const count = places[0]?.length ?? 0
  return {
    inputs: int32(rows.flat(), [rows.length, longest]),
    places: int32(places.flat(), [rows.length, count]),
    labels: int32(labels, [labels.length]),
  }
}

type Hidden = ReturnType<typeof hiddenWords>

/** A word and how probable the model finds it. */
export interface Guess {
  readonly label: string
  readonly value: number
}

/** Milliseconds of the fastest of some calls. */
async function fastest(call: () => Promise<unknown>): Promise<number> {
  await call()
  let [best, total] = [Number.POSITIVE_INFINITY, 0]
  for (let i = 0; i < 12 && total < 400; i++) {
    const start = performance.now()
    await call()
    const milliseconds = performance.now() - start
    best = Math.min(best, milliseconds)
    total += milliseconds
  }
  return best
}

/** Makes the encoder. */
export async function fnetProgram({ mixing, seed }: FNetPageSettings, { progress }: Host) {
  progress({ what: 'making the network' })
  manualSeed(seed)
  const random = new Generator(seed)
  const model = new FNetForPreTraining(config(mixing, longest))
  const lr = cosineScheduleWithWarmup(0.004, { numWarmupSteps: 30, numTrainingSteps: sizes.steps })
  const optimizer = new AdamW(model.parameters(), { lr })
  const forward = (inputs: Tensor, places?: Tensor) =>
    model.forward(inputs, ops.zeros(inputs.shape, 'int64'), { positions: places })
  const lossOf = ({ inputs, places, labels }: { readonly [name in keyof Hidden]: Tensor }) => {
    const logits = ops.reshape(forward(inputs, places).maskedLmLogits, [-1, vocabulary.length])
    const right = ops.mean(ops.cast(ops.equal(ops.argmax(logits, -1), ops.cast(labels, 'int64')), 'float32'))
    return { loss: ops.crossEntropy(logits, labels), right }
  }
  const learn = compile((batch: { readonly [name in keyof Hidden]: Tensor }) => {
    const scalars = lossOf(batch)
    optimizer.minimize(scalars.loss, { clipNorm: 1 })
    return scalars
  })
  const test = compile(lossOf)
  const see = compile((inputs: Tensor) => {
    const { maskedLmLogits, encoded } = forward(inputs)
    return { probabilities: ops.softmax(maskedLmLogits, -1), attentions: encoded.attentions }
  })
  const testRandom = new Generator(1000)
  const testSentences = Array.from({ length: 200 }, () => randomSentence(testRandom))
  const pronounsHidden = hiddenWords(
    testSentences,
    testSentences.map((words) => [words.findIndex((word) => pronouns.includes(word))]),
  )
  let done = 0

  return {
    step: async () => {
      if (done === sizes.steps) return undefined
      const sentences = Array.from({ length: sizes.batch }, () => randomSentence(random))
      const places = sentences.map(({ length }) => [...random.permutation(length).subarray(0, sizes.hidden)])
      const { loss, right } = await learn(hiddenWords(sentences, places))
      done++
      return { loss: loss.item(), right: right.item() }
    },
    requests: {
      /** The share of the pronouns of 200 new sentences that is guessed right: they follow from a word up to eight places before. */
      pronouns: async (): Promise<number> => (await test(pronounsHidden)).right.item(),
      /** The best guesses for a hidden word. */
      guess: async ({ words, place }: { words: readonly string[]; place: number }): Promise<Guess[]> => {
        const { inputs } = hiddenWords([words], [[place]])
        const { probabilities } = await see(inputs)
        const start = place * vocabulary.length
        const own = toNumbers(probabilities.array.data).slice(start, start + vocabulary.length)
        return own
          .map((value, id) => ({ label: vocabulary[id] ?? '', value }))
          .sort((a, b) => b.value - a.value)
          .slice(0, 6)
      },
      /** Weights of the layers that attend, the mean over the heads, for the words of a sentence; none where nothing attends. */
      attention: async ({ words, place }: { words: readonly string[]; place: number }): Promise<number[][]> => {
        const { attentions } = await see(hiddenWords([words], [[place]]).inputs)
        return attentions.map(({ array }) => {
          const all = toNumbers(array.data)
          return Array.from({ length: words.length ** 2 }, (_, i) => {
            const cell = Math.floor(i / words.length) * longest + (i % words.length)
            return Array.from({ length: sizes.heads }, (_head, head) => all[head * longest ** 2 + cell] ?? 0).reduce(
              (sum, value) => sum + value / sizes.heads,
              0,
            )
          })
        })
      },
      /** Milliseconds in which one layer mixes so many tokens, on this machine, now. */
      time: async ({ mixing: name, length }: { mixing: 'f_net' | 'bert'; length: number }): Promise<number> => {
        const layer = mixingOf(config(name, length), 0, name === 'bert')
        const mix = compile((x: Tensor) => layer.forward(x).output)
        const x: NDArray = {
          dtype: 'float32',
          shape: [1, length, sizes.width],
          data: new Generator(1).normal(length * sizes.width),
        }
        const milliseconds = await fastest(() => mix(x))
        await mix.release()
        return milliseconds
      },
    },
    release: async () => {
      await Promise.all([learn.release(), test.release(), see.release()])
    },
  }
}
