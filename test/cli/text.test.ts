/** Tokenizers and FNet from the command line, on text made here. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { program, tenfold } from './process.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-text-'))

const set = (settings: Record<string, string | number>): string[] =>
  Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`])

const last = (out: string) => JSON.parse(out.trim().split('\n').at(-1) ?? '{}')

const tiny = {
  'model.num_layers': 1,
  'model.d_emb': 16,
  'model.d_model': 16,
  'model.d_ff': 32,
  'model.num_heads': 2,
  'train.batch_size': 8,
}

const animals = ['cat', 'dog', 'bird', 'whale', 'horse']
const sounds = ['purrs', 'barks', 'sings', 'blows', 'neighs']
const sentence = (i: number): string => `The ${animals[i % 5]} that we saw ${i % 7} times ${sounds[i % 5]} all day.`

const texts = join(folder, 'texts')
const csv = join(folder, 'rows.csv')

beforeAll(() => {
  mkdirSync(texts)
  for (let file = 0; file < 6; file++) {
    const lines = Array.from({ length: 60 }, (_, i) => sentence((file + 1) * i + file))
    writeFileSync(join(texts, `${file}.txt`), lines.join('\n'))
  }
  const rows = Array.from(
    { length: 60 },
    (_, i) => `${i % 2 ? 'loud' : 'quiet'},"${sentence(i)} It is ${i % 2 ? 'loud' : 'quiet'}"`,
  )
  writeFileSync(csv, ['label,text', ...rows].join('\n'))
})

describe('tokenizer', () => {
  test('train writes a file that encode reads', async () => {
    const file = join(folder, 'tokenizer.json')
    const trained = await tenfold('tokenizer', 'train', texts, '--size', '120', '--kind', 'bpe', '--out', file)
    expect(trained).toMatchObject({ code: 0, err: '' })
    expect(trained.out).toMatch(
      /tokenizer\.json: bpe, \d+ tokens, from 1\d,\d{3} characters; \d\.\d\d characters per token/,
    )
    const encoded = await tenfold('tokenizer', 'encode', file, 'The whale [MASK].', '--json')
    expect(last(encoded.out).tokens).toEqual(['▁the', '▁whale', '[MASK]', '.'])
  })

  test('an input is not written over', async () => {
    const input = join(texts, '1.txt')
    const before = readFileSync(input, 'utf8')
    for (const path of [texts, input]) {
      const { code, err } = await tenfold('tokenizer', 'train', path, '--size', '40', '--out', input)
      expect(err).toBe(`error: ${input} is an input, and would be overwritten (give another file: --out)\n`)
      expect(code).toBe(2)
    }
    expect(readFileSync(input, 'utf8')).toBe(before)
    const { err } = await tenfold('tokenizer', 'convert', input, '--out', join(texts, '..', 'texts', '1.txt'))
    expect(err).toContain('1.txt is an input, and would be overwritten')
  })

  test.each([
    [['train', '/nowhere', '--out', 'x'], 'error: /nowhere: no such file or folder\n'],
    [['train', program], "error: required option '--out <file>' not specified\n"],
    [['encode', program, 'x'], `error: ${program}: must be JSON in the tokenizer.json format\n`],
  ])('%j is a mistake', async (args, message) => {
    const outcome = await tenfold('tokenizer', ...args)
    expect(outcome.err).toBe(message)
    expect(outcome.code).toBeGreaterThan(0)
  })
})

test('a file of the training is not written over by its profile', async () => {
  const before = readFileSync(csv, 'utf8')
  const { code, err } = await tenfold('train', 'fnet/classify', ...set({ ...tiny, 'data.file': csv }), '--profile', csv)
  expect(err).toBe(`error: ${csv} is an input, and would be overwritten (give another: --profile)\n`)
  expect(code).toBe(2)
  expect(readFileSync(csv, 'utf8')).toBe(before)
})

describe('fnet', () => {
  const run = join(folder, 'pretrained')

  test('pretrain, predict, evaluate, export', async () => {
    const settings = set({ ...tiny, 'data.folder': texts, 'data.max_seq_length': 48, 'tokenizer.size': 120 })
    const trained = await tenfold('train', 'fnet/pretrain', ...settings, '--steps', '6', '--out', run, '--json')
    expect(trained.err).toBe('')
    const { metrics } = last(trained.out)
    expect(metrics).toMatchObject({ mlm_accuracy: expect.any(Number), unigram_accuracy: expect.any(Number) })
    expect(metrics.bigram_accuracy).toBeGreaterThan(metrics.unigram_accuracy)
    expect(readFileSync(join(run, 'report.html'), 'utf8')).toContain('Compared with counting words')

    const evaluated = await tenfold('eval', run, '--json')
    expect(last(evaluated.out).metrics).toEqual(metrics)

    const predicted = await tenfold('predict', run, 'The [MASK] barks all [MASK].', '--json')
    const predictions = predicted.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === 'answer')
    expect(predictions.map(({ input }) => input)).toEqual([
      'The [MASK] barks all [MASK]. ([MASK] 1)',
      'The [MASK] barks all [MASK]. ([MASK] 2)',
    ])
    expect(predictions[0].choices).toHaveLength(5)
    expect(await tenfold('predict', run, 'nothing hidden')).toMatchObject({
      code: 2,
      out: 'nothing hidden: error: "nothing hidden" has no [MASK] (write [MASK] where a word is to be guessed)\n',
      err: 'error: 1 of 1 inputs could not be used\n',
    })

    const file = join(folder, 'words.onnx')
    expect((await tenfold('export', run, '--format', 'onnx', '--out', file)).code).toBe(0)
    expect((await tenfold('info', file)).out).toMatch(/output logits +float\[batch, 48, \d+\]/)
  })

  test('classify a CSV file from the pre-trained run, and resume', async () => {
    const out = join(folder, 'classifier')
    const settings = set({ 'data.file': csv, 'pretrained.run': run, 'train.batch_size': 8 })
    const trained = await tenfold('train', 'fnet/classify', ...settings, '--steps', '5', '--out', out, '--json')
    expect(trained.err).toBe('')
    expect(last(trained.out).metrics).toMatchObject({ accuracy: expect.any(Number), f1: expect.any(Number) })
    const { config } = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'))
    expect(config.model).toMatchObject({ d_model: 16, num_layers: 1 })
    expect((await tenfold('predict', out, 'the whale')).out).toMatch(/^the whale: (loud|quiet) \d+\.\d %/)
    expect((await tenfold('resume', out)).code).toBe(0)
    const wrong = await tenfold('train', 'fnet/classify', ...set({ 'data.file': csv, 'pretrained.run': out }))
    expect(wrong).toMatchObject({
      code: 2,
      err: `error: ${out} must be a run of fnet/pretrain, found fnet/classify\n`,
    })
  })

  test.each(['bert', 'linear'])('listops with %s', async (arch) => {
    const out = join(folder, `listops-${arch}`)
    const settings = set({
      ...tiny,
      'model.model_arch': arch,
      'data.max_seq_length': 40,
      'data.min_length': 5,
      'data.train_examples': 64,
      'data.test_examples': 32,
    })
    const trained = await tenfold('train', 'fnet/listops', ...settings, '--steps', '2', '--out', out, '--json')
    expect(trained.err).toBe('')
    expect(last(trained.out).metrics.accuracy).toBeLessThanOrEqual(1)
    expect((await tenfold('predict', out, '[MAX 2 9 [MIN 4 7 ] 0 ]')).out).toMatch(/: \d \d+\.\d %/)
  })

  test('bytes of a CSV file', async () => {
    const out = join(folder, 'bytes')
    const settings = set({ ...tiny, 'data.file': csv, 'data.max_seq_length': 64 })
    const trained = await tenfold('train', 'fnet/bytes', ...settings, '--steps', '2', '--out', out, '--json')
    expect(trained.err).toBe('')
    expect(last(trained.out).metrics.majority_accuracy).toBeGreaterThan(0)
  })

  test.each([
    [['fnet/classify', '--set', 'data.corpus=moby-dick'], /data\.corpus.*spam-assassin.*brown/],
    [
      ['fnet/classify', '--set', `data.file=${'CSV'}`, '--set', 'data.label_column=class'],
      /there is no column "class"/,
    ],
    [['fnet/pretrain', '--set', 'data.folder=/nowhere'], /\/nowhere: no such file or folder/],
    [['fnet/pretrain', '--set', 'model.num_attention_layers=9', '--set', `data.folder=TEXTS`], /at most the 4 layers/],
  ])('%j is a mistake', async (args, message) => {
    const given = args.map((arg) => arg.replace('=CSV', `=${csv}`).replace('=TEXTS', `=${texts}`))
    const outcome = await tenfold('train', ...given, '--out', join(folder, 'never'))
    expect(outcome.code).toBeGreaterThan(0)
    expect(outcome.err).toMatch(message)
    expect(outcome.err.trim().split('\n')).toHaveLength(1)
  })
})
