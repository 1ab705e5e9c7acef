/** A run and its data, as a user has them: what is said, what is remembered, what happens when things move or change. */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'

const program = new URL('../../bin/tenfold.js', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'tenfold-run-data-'))

function tenfoldIn(cwd: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, HOME: folder, USERPROFILE: folder }
    execFile(process.execPath, [program, ...args], { cwd, env }, (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err })
    })
  })
}

const tenfold = (...args: string[]) => tenfoldIn(folder, ...args)
const sets = (...assignments: string[]) => assignments.flatMap((assignment) => ['--set', assignment])
/** The line of the output that begins so. */
const line = (out: string, start: string) => out.split('\n').find((each) => each.startsWith(start))
const metricsOf = (out: string) => line(out, 'test ') ?? out.match(/test examples: (.*)/)?.[1]

const tiny = sets(
  'data.image_size=16',
  'model.patch_size=8',
  'model.num_blocks=1',
  'model.hidden_dim=8',
  'model.tokens_mlp_dim=4',
  'model.channels_mlp_dim=8',
  'train.batch_size=4',
)

async function writePictures(path: string, classes: readonly string[], count: number): Promise<void> {
  for (const [c, name] of classes.entries()) {
    mkdirSync(join(path, name), { recursive: true })
    for (let i = 0; i < count; i++) {
      const background = { r: 200 * c, g: 7 * i, b: 90 }
      await sharp({ create: { width: 9, height: 8, channels: 3, background } }).toFile(join(path, name, `${i}.png`))
    }
  }
}

/** What `data.json` of a run says. */
const record = (run: string): { train: Record<string, string>; test: Record<string, string> } =>
  JSON.parse(readFileSync(join(folder, run, 'data.json'), 'utf8'))

beforeAll(async () => {
  await writePictures(join(folder, '101'), ['dark', 'light'], 12)
  const trained = await tenfold(
    'train',
    'mixer/images',
    ...tiny,
    '--set',
    'data.folder=101',
    '--epochs',
    '2',
    '--out',
    'run',
  )
  expect(trained.err).toBe('')
  expect(line(trained.out, 'data')).toMatch(
    /^data {7}24 pictures in 2 classes; \d+ pictures to train on, \d+ to test with$/,
  )
}, 60_000)

describe('a run of pictures', () => {
  test('the command in its report makes it again', async () => {
    const page = readFileSync(join(folder, 'run', 'report.html'), 'utf8')
    const [, command = ''] = /Trained by <code>npx tenfold (.*?)<\/code>/.exec(page) ?? []
    expect(command).toBe(
      `train mixer/images --seed 0 --set data.folder=101 ${tiny.slice(0, 2).join(' ')} ${tiny.slice(4).join(' ')} --set train.epochs=2`.replace(
        '--set train.batch_size=4 --set train.epochs=2',
        '--set train.epochs=2 --set train.batch_size=4',
      ),
    )
    const again = await tenfold(...command.split(' '), '--out', 'again')
    expect(metricsOf(again.out)).toBe(metricsOf((await tenfold('resume', 'run')).out))
    expect(record('again')).toEqual(record('run'))
  })

  test('a new training after files were deleted and added has every other file where it was', async () => {
    cpSync(join(folder, '101'), join(folder, 'fewer'), { recursive: true })
    for (const name of ['dark/3.png', 'light/0.png', 'light/7.png']) rmSync(join(folder, 'fewer', name))
    cpSync(join(folder, '101', 'dark', '1.png'), join(folder, 'fewer', 'dark', 'new.png'))
    await tenfold('train', 'mixer/images', ...tiny, '--set', 'data.folder=fewer', '--steps', '1', '--out', 'fewer-run')
    const [before, after] = [record('run'), record('fewer-run')]
    for (const name of Object.keys(after.test)) expect(before.train).not.toHaveProperty([name])
    for (const name of Object.keys(after.train)) expect(before.test).not.toHaveProperty([name])
  })

  test('what has changed is said in one line by eval, resume and fewshot, and no side changes', async () => {
    cpSync(join(folder, 'run'), join(folder, 'changed'), { recursive: true })
    cpSync(join(folder, '101'), join(folder, 'kept'), { recursive: true })
    const [first = ''] = Object.keys(record('run').train)
    const evaluated = await tenfold('eval', 'changed')
    expect(evaluated.out).not.toContain('warning')
    rmSync(join(folder, '101', first))
    cpSync(join(folder, '101', 'dark', '5.png'), join(folder, '101', 'dark', 'extra.png'))
    const said = `warning: the data are not those the run was started with: 1 picture missing (${first}); 1 picture new, left out (dark/extra.png)`
    const now = await tenfold('eval', 'changed')
    expect(line(now.out, 'warning')).toBe(said)
    expect(metricsOf(now.out)).toBe(metricsOf(evaluated.out))
    expect(line((await tenfold('fewshot', 'changed', '--shots', '1', '--seeds', '1')).out, 'warning')).toBe(said)
    const resumed = await tenfold('resume', 'changed')
    expect([resumed.code, line(resumed.out, 'warning')]).toEqual([0, said])
    const events = (await tenfold('eval', 'changed', '--json')).out
      .trim()
      .split('\n')
      .map((each) => JSON.parse(each))
    expect(events.map(({ event }) => event)).toEqual(['data', 'done'])
    expect(said).toContain(events[0].changes)
    rmSync(join(folder, '101'), { recursive: true })
    renameSync(join(folder, 'kept'), join(folder, '101'))
  })

  test('the run may move, and the data with it', async () => {
    const before = metricsOf((await tenfold('eval', 'run')).out)
    cpSync(join(folder, 'run'), join(folder, 'far', 'away', 'run'), { recursive: true })
    const moved = await tenfoldIn(join(folder, 'far'), 'eval', join('away', 'run'))
    expect([moved.err, metricsOf(moved.out)]).toEqual(['', before])
    mkdirSync(join(folder, 'project'))
    for (const name of ['run', '101']) renameSync(join(folder, name), join(folder, 'project', name))
    const together = await tenfold('eval', join('project', 'run'))
    expect([together.err, metricsOf(together.out)]).toEqual(['', before])
    for (const name of ['run', '101']) renameSync(join(folder, 'project', name), join(folder, name))
  })

  test('what is exported names no local path', async () => {
    const absolute = await tenfold(
      'train',
      'mixer/images',
      ...tiny,
      '--set',
      `data.folder=${join(folder, '101')}`,
      '--steps',
      '1',
      '--out',
      'absolute',
    )
    expect(absolute.err).toBe('')
    for (const format of ['onnx', 'safetensors']) {
      await tenfold('export', 'absolute', '--format', format, '--out', `model.${format}`)
      const bytes = readFileSync(join(folder, `model.${format}`), 'latin1')
      expect(bytes).toContain('num_blocks')
      expect(bytes).not.toContain(folder)
    }
  })

  test('without its record it says so', async () => {
    cpSync(join(folder, 'run'), join(folder, 'bare'), { recursive: true })
    rmSync(join(folder, 'bare', 'data.json'))
    expect(await tenfold('eval', 'bare')).toMatchObject({
      code: 2,
      err: `error: ${join('bare', 'data.json')} is not there, so nothing tells what the run was trained on and tested with (every run writes it when it starts; put it back, or start a new run)\n`,
    })
  })
})

describe('before training', () => {
  const train = (...assignments: string[]) =>
    tenfold('train', 'mixer/images', ...tiny, ...sets(...assignments), '--steps', '1', '--out', 'never')

  test('~/ is the home folder', async () => {
    const trained = await tenfold(
      'train',
      'mixer/images',
      ...tiny,
      '--set',
      'data.folder=~/101',
      '--steps',
      '1',
      '--out',
      'home',
    )
    expect([trained.code, trained.err]).toEqual([0, ''])
  })

  test('damaged pictures and broken links are named, or left out', async () => {
    cpSync(join(folder, '101'), join(folder, 'damaged'), { recursive: true })
    writeFileSync(join(folder, 'damaged', 'dark', '2.png'), 'no picture')
    symlinkSync('/nonexistent', join(folder, 'damaged', 'gone'))
    expect(await train('data.folder=damaged')).toMatchObject({
      code: 2,
      err: expect.stringMatching(
        /^error: damaged: 2 entries cannot be used: gone: is a broken link, to \/nonexistent, dark\/2\.png: must be a readable picture, found: .* \(--set data\.on_error=skip leaves them out\)\n$/,
      ),
    })
  })

  test('a batch that is larger than the training set', async () => {
    const trained = await train('data.folder=101', 'train.batch_size=100')
    expect(trained.code).toBe(2)
    expect(trained.err).toMatch(
      /^error: train\.batch_size is 100, but there are only (\d+) examples to train on \(--set train\.batch_size=\1, or more data\)\n$/,
    )
  })
})

describe('a run of texts', () => {
  const rows = Array.from({ length: 40 }, (_, i) => `row ${i} is ${i % 2 ? 'loud' : 'quiet'};${i % 2 ? 'a' : 'b'};x`)
  const texts = Array.from({ length: 4 }, (_, i) =>
    Array.from({ length: 60 }, (_, j) => `The cat ${i} saw ${(i * j) % 7} dogs near house ${j}.`).join('\n'),
  )
  const small = sets(
    'model.num_layers=1',
    'model.d_emb=8',
    'model.d_model=8',
    'model.d_ff=16',
    'model.num_heads=2',
    'train.batch_size=4',
    'tokenizer.size=150',
    'data.max_seq_length=32',
  )

  test('what it was started from may move; rows are known by their text', async () => {
    mkdirSync(join(folder, 'texts'))
    for (const [i, text] of texts.entries()) writeFileSync(join(folder, 'texts', `${i}.TXT`), text)
    writeFileSync(join(folder, 'texts', '._0.TXT'), Buffer.from([0, 5, 255]))
    const pre = await tenfold(
      'train',
      'fnet/pretrain',
      ...small,
      '--set',
      'data.folder=texts',
      '--steps',
      '2',
      '--out',
      'pre',
    )
    expect(pre.err).toBe('')
    expect(line(pre.out, 'data')).toMatch(
      /^data {7}4 texts; 1 hidden; \d+ passages to train on, \d+ to test with; \d\.\d\d % of the tokens are <unk>, \d\.\d\d % of those to test with$/,
    )
    writeFileSync(join(folder, 'rows.csv'), ['text;label;label2', ...rows].join('\n'))
    const cls = await tenfold(
      'train',
      'fnet/classify',
      ...sets('data.file=rows.csv', 'pretrained.run=pre', 'train.batch_size=4'),
      '--steps',
      '2',
      '--out',
      'cls',
    )
    expect(cls.err).toBe('')
    const before = metricsOf((await tenfold('eval', 'cls')).out)
    renameSync(join(folder, 'pre'), join(folder, 'pre-moved'))
    renameSync(join(folder, 'cls'), join(folder, 'cls-moved'))
    const after = await tenfold('eval', 'cls-moved')
    expect([after.err, metricsOf(after.out)]).toEqual(['', before])
    expect((await tenfold('resume', 'cls-moved')).code).toBe(0)
    writeFileSync(join(folder, 'rows.csv'), ['text;label;label2', ...rows.slice(1).reverse()].join('\n'))
    expect(line((await tenfold('eval', 'cls-moved')).out, 'warning')).toBe(
      'warning: the data are not those the run was started with: 1 row missing',
    )
    const files = (side: 'train' | 'test') => Object.keys(record('pre-moved')[side]).map((name) => name.slice(0, 5))
    const gone = files('train').find((name) => !files('test').includes(name)) ?? ''
    rmSync(join(folder, 'texts', gone))
    const fewer = await tenfold('eval', 'pre-moved')
    expect(line(fewer.out, 'warning')).toMatch(new RegExp(`: \\d+ passages missing \\(${gone} [^;]*\\)$`))
  }, 60_000)

  test('train/ and test/ folders, and a file to test with', async () => {
    for (const part of ['train', 'test']) mkdirSync(join(folder, 'parts', part), { recursive: true })
    for (const [i, text] of texts.entries())
      writeFileSync(join(folder, 'parts', i ? 'train' : 'test', `${i}.txt`), text)
    const divided = await tenfold(
      'train',
      'fnet/pretrain',
      ...small,
      '--set',
      'data.folder=parts',
      '--steps',
      '1',
      '--out',
      'divided',
    )
    expect(divided.err).toBe('')
    const names = (side: 'train' | 'test') => [
      ...new Set(Object.keys(record('divided')[side]).map((name) => name.slice(0, 5))),
    ]
    expect([names('train'), names('test')]).toEqual([['train'], ['test/']])
    writeFileSync(join(folder, 'held.csv'), 'text;label\nsomething loud;a\nsomething quiet;b')
    writeFileSync(join(folder, 'own.csv'), ['text;label;label2', ...rows].join('\n'))
    const given = await tenfold(
      'train',
      'fnet/bytes',
      ...small.filter((_, i) => i < 12),
      ...sets('data.file=own.csv', 'data.test=held.csv', 'data.max_seq_length=32'),
      '--steps',
      '1',
      '--out',
      'given',
    )
    expect(given.err).toBe('')
    expect(line(given.out, 'data')).toBe('data       42 rows in 2 classes; 40 rows to train on, 2 to test with')
  }, 60_000)
})
