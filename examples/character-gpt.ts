/**
 * A GPT that learns a text character by character, and then writes: trained with warm-up and cosine, evaluated by its perplexity on the
 * last tenth of the text.
 *
 *   npm run example -- character-gpt [--text FILE] [--out RUN] [--steps N] [--prompt "The "]
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { compile, manualSeed, ops, optim, type Tensor } from 'tenfold'
import { type BatchTensors, DataLoader, tokenWindows } from 'tenfold/data'
import { Decoder, GPT2LMHeadModel, streamTokens } from 'tenfold/models'
import { perplexity, predictAll, trainModel } from 'tenfold/train'

const { values: given } = parseArgs({
  options: {
    text: { type: 'string', default: 'README.md' },
    out: { type: 'string', default: 'runs/character-gpt' },
    steps: { type: 'string', default: '500' },
    prompt: { type: 'string', default: 'The ' },
  },
})
const steps = Number(given.steps)
const length = 64

// Characters in the order of their code points are the tokens.
const text = [...readFileSync(given.text, 'utf8')]
const characters = [...new Set(text)].sort()
const numbers = new Map(characters.map((character, i) => [character, i]))
const encode = (characters: Iterable<string>): number[] => Array.from(characters, (each) => numbers.get(each) ?? 0)
const tokens = Int32Array.from(encode(text))
const border = Math.floor(0.9 * tokens.length)

manualSeed(1)
const model = new GPT2LMHeadModel({
  vocab_size: characters.length,
  n_positions: length,
  n_embd: 96,
  n_layer: 3,
  n_head: 4,
})
const lr = optim.cosineScheduleWithWarmup(2e-3, { numWarmupSteps: steps / 10, numTrainingSteps: steps })
const matrices = model.parameters().filter(({ shape }) => shape.length > 1)
const vectors = model.parameters().filter(({ shape }) => shape.length <= 1)
const optimizer = new optim.AdamW(
  [
    { parameters: matrices, weightDecay: 0.1 },
    { parameters: vectors, weightDecay: 0 },
  ],
  { lr, betas: [0.9, 0.99] },
)

type Fields = 'input' | 'target'

/** Of each window, or, with 'none', of each token: [N L]. */
function lossOf({ input, target }: BatchTensors<Fields>, reduction: 'mean' | 'none'): Tensor {
  const logits = model.forward(input) // [N, L, characters]
  return ops.crossEntropy(ops.reshape(logits, [-1, characters.length]), ops.reshape(target, [-1]), { reduction })
}

const test = tokenWindows(tokens.subarray(border), { length })
const score = compile((batch: BatchTensors<Fields>) => ({
  losses: ops.reshape(lossOf(batch, 'none'), batch.input.shape), // [N, L]
}))

const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
const result = await trainModel<Fields>({
  folder: given.out,
  state: { model, optimizer },
  loader: new DataLoader(tokenWindows(tokens.subarray(0, border), { length, stride: length / 4 }), {
    batchSize: 32,
    shuffle: true,
    seed: 1,
    dropLast: true,
  }),
  step: (batch) => {
    const loss = lossOf(batch, 'mean')
    optimizer.minimize(loss, { clipNorm: 1 })
    return { loss }
  },
  evaluate: async () => {
    const { losses } = await predictAll(score, test, { model, batchSize: 32 })
    return { perplexity: perplexity(Array.from(losses.data, Number)) }
  },
  steps,
  monitor: { metric: 'perplexity', goal: 'min' },
  settings: { text: given.text, steps },
  report: true,
  signal: stop.signal,
})
if (result.reason === 'interrupted') process.exit(130)
console.log(`perplexity ${result.metrics.perplexity?.toFixed(2)} of ${characters.length} characters`)

const decoder = new Decoder(model.eval())
process.stdout.write(given.prompt)
const options = { maxNewTokens: 200, temperature: 0.8, seed: 1, whenFull: 'slide' } as const
for await (const token of streamTokens(decoder, encode(given.prompt), options)) {
  process.stdout.write(characters[token] ?? '')
}
process.stdout.write('\n')
await decoder.release()
