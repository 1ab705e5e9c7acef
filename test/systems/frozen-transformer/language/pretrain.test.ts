import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { trainByteLevel } from '../../../../src/data/text/byte-level.ts'
import { writeSafetensors } from '../../../../src/io/safetensors.ts'
import { Decoder } from '../../../../src/models/generation/index.ts'
import { continueText } from '../../../../src/systems/frozen-transformer/language/continue.ts'
import type { TrainedLanguage } from '../../../../src/systems/frozen-transformer/language/experiment.ts'
import { languageRecipe } from '../../../../src/systems/frozen-transformer/language/recipe.ts'
import { bodyOf } from '../../../../src/systems/frozen-transformer/official.ts'
import type { Answer, UseContext } from '../../../../src/tasks/define.ts'
import type { Experiment } from '../../../../src/tasks/experiment.ts'
import { configFrom } from '../../../../src/train/settings.ts'
import { UsageError } from '../../../../src/util/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-language-'))
mkdirSync(join(folder, 'texts'))
// Passages that are equal would be on the same side.
const [names, verbs, places] = [
  ['whale', 'ship', 'boat', 'gull'],
  ['swims', 'sails', 'turns', 'rests', 'waits'],
  ['sea', 'bay', 'wind', 'rain', 'dark', 'sun', 'fog'],
] as const
const text = Array.from(
  { length: 140 },
  (_, i) => `the ${names[i % 4]} ${verbs[i % 5]} in the ${places[i % 7]}, and the ${names[(i + 1) % 4]} waits\n`,
).join('')
writeFileSync(join(folder, 'texts', 'a.txt'), text)

const tiny = {
  'data.folder': join(folder, 'texts'),
  'data.test_share': 0.2,
  'data.test_characters': 400,
  'model.embedding_size': 32,
  'model.n_layer': 1,
  'model.n_head': 2,
  'model.n_positions': 32,
  'train.batch_size': 8,
  'optimizer.lr': 0.01,
  'optimizer.schedule': 'constant',
}

async function open(settings: Record<string, unknown> = {}) {
  const given = Object.entries({ ...tiny, ...settings }).map(([path, value]) => ({ path, value }))
  const config = configFrom(languageRecipe.config, given)
  const start = await languageRecipe.start?.(config)
  const data = await languageRecipe.open(config, start ? { start } : {})
  const fitted = start?.fit(config, data.facts)
  const experiment = languageRecipe.build(fitted?.config ?? config, data.facts, { seed: 1 }) as Experiment &
    TrainedLanguage
  if (fitted) experiment.initialize?.(fitted.weights)
  return { data, experiment, summary: fitted?.summary }
}

async function written(experiment: TrainedLanguage, text: string, options: { temperature: number; seed: number }) {
  const decoder = new Decoder(experiment.model.eval())
  const pieces: string[] = []
  const chosen = { tokens: 40, top_k: 0, top_p: 1, ...options }
  for await (const piece of continueText(decoder, experiment.facts, text, chosen)) pieces.push(piece)
  await decoder.release()
  return pieces
}

test('characters: it gets better than counting, goes on with a text, and its body is one to freeze', async () => {
  const { data, experiment } = await open()
  const { task } = experiment.prepare(data)
  for (let epoch = 0; epoch < 4; epoch++) for await (const batch of task.loader) await task.step(batch)
  const metrics = await experiment.evaluate(data)
  expect(metrics.bits_per_character).toBeLessThan(metrics.bigram_bits ?? 0)
  expect(metrics.bigram_bits).toBeLessThan(metrics.unigram_bits ?? 0)
  expect(metrics.ppm_bits).toBeLessThan(metrics.bigram_bits ?? 0)

  const pieces = await written(experiment, 'the whale swims in ', { temperature: 0, seed: 0 })
  expect(pieces).toHaveLength(40) // more than fits behind the prompt, character by character
  expect(pieces.join('')).toMatch(/^[a-z, \n]{40}$/)
  const drawn = { temperature: 3, seed: 1 }
  expect(await written(experiment, 'the', drawn)).toEqual(await written(experiment, 'the', drawn))
  await expect(written(experiment, '', drawn)).rejects.toThrow(
    new UsageError('there is no text to continue', { hint: 'begin it: "Call me"' }),
  )

  const shown: string[] = []
  const context = { seed: 0, write: (piece: string) => shown.push(piece) } as unknown as UseContext
  const options = { tokens: 5, temperature: 0, top_k: 0, top_p: 1 }
  const answers: Answer[] = []
  for await (const answer of languageRecipe.uses?.continue?.run(experiment, ['the ', ''], options, context) ?? [])
    answers.push(answer)
  expect(answers.map((answer) => ('text' in answer ? `${answer.input}${answer.text}` : 'error' in answer))).toEqual([
    shown.join(''),
    true,
  ])

  const named = [...experiment.weights].map(([name, variable]) => [`model.${name}`, variable.array] as const)
  const { config } = bodyOf(new Map(named), 2)
  expect(config).toMatchObject({ kind: 'gpt2', n_embd: 32, n_positions: 32, n_head: 2 })
  const sections = (await experiment.explain?.(data, [{ type: 'evaluation', step: 1, epoch: 0, ...metrics }])) ?? []
  expect(sections[0]?.figures.map(({ title }) => title)).toEqual(['Bits of a character', 'What was hard to guess'])
})

test('a GPT-2 with its vocabulary goes on learning, and its text is bits of characters too', async () => {
  const vocabulary = trainByteLevel([text], 270)
  const tokens = join(folder, 'tokenizer.json')
  writeFileSync(tokens, JSON.stringify(vocabulary.file))
  const first = await open({ 'tokens.file': tokens })
  const file = join(folder, 'model.safetensors')
  const arrays = new Map([...first.experiment.weights].map(([name, { array }]) => [name, array]))
  writeFileSync(file, writeSafetensors(arrays))

  const settings = { 'pretrained.checkpoint': file, 'pretrained.heads': 2 }
  const again = await open({ ...settings, 'tokens.file': tokens, 'model.embedding_size': 64 })
  expect(again.summary).toBe(`GPT-2 of ${file}: 1 layers of width 32`)
  const [before, after] = await Promise.all([first, again].map(({ data, experiment }) => experiment.evaluate(data)))
  expect(after?.bits_per_character).toBe(before?.bits_per_character)
  const pieces = await written(again.experiment, 'the 🐋', { temperature: 1, seed: 3 })
  expect(pieces.every((piece) => typeof piece === 'string')).toBe(true)
  await expect(open(settings)).rejects.toThrow('pretrained.checkpoint needs the vocabulary that it was trained with')
})
