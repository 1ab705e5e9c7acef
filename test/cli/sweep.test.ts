import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type Arm, rank, sameAsBest } from '../../src/cli/sweep/compare.ts'
import { folderNames, parseAxis, pointsOf, splitValues } from '../../src/cli/sweep/grid.ts'
import type { Trained } from '../../src/cli/sweep/trainings.ts'
import { eventsOf, small, tenfold } from './process.ts'

const root = mkdtempSync(join(tmpdir(), 'tenfold-sweep-'))
afterAll(() => rmSync(root, { recursive: true }))

/** Several processes, one after the other and at once, on a machine that may be busy. */
const patient = 240_000

const trainedTo = (accuracy: number): Trained => ({
  monitor: { metric: 'accuracy', goal: 'max' },
  reason: 'finished',
  step: 1,
  seconds: 1,
  best: { step: 1, metrics: { accuracy } },
})

const sets = (...settings: readonly string[]) => settings.flatMap((setting) => ['--set', setting])
const tiny = sets('model.embedding_size=8', 'model.n_layer=1', 'model.n_head=1', 'data.test_examples=20')

test(
  'sweep trains all combinations, keeps them, compares them, and asks for nothing twice',
  async () => {
    const folder = join(root, 'sweep')
    const sweep = (...more: readonly string[]) =>
      tenfold(
        ...['sweep', 'frozen-transformer/bit-xor', '--grid', 'optimizer.lr=0.001,0.01', ...tiny, '--steps', '2'],
        ...['--threads', '1', '--out', folder, '--json', ...more],
      )
    const first = await sweep()
    expect(first.err).toBe('')
    const events = eventsOf(first.out)
    const parts = events.filter(({ event, part }) => event === 'part' && part !== undefined)
    expect(parts.map(({ part, seed, kept }) => [part, seed, kept])).toEqual([
      ['optimizer.lr=0.001', 0, false],
      ['optimizer.lr=0.01', 0, false],
    ])
    expect(events.filter(({ event }) => event === 'trained')).toHaveLength(2)
    expect(events.at(-1)).toMatchObject({ event: 'done', report: join(folder, 'report.html') })
    // One more seed, by two processes; what is finished is kept.
    const both = await Promise.all(['1/2', '2/2'].map((share) => sweep('--seeds', '2', '--array', share)))
    expect(both.map(({ err }) => err)).toEqual(['', ''])
    const trained = both.flatMap(({ out }) => eventsOf(out).filter(({ event }) => event === 'trained'))
    expect(trained.map(({ run }) => run).sort()).toEqual(
      ['0.001', '0.01'].map((lr) => join(folder, 'runs', `optimizer.lr=${lr},seed=1`)),
    )
    const { combinations, monitor } = JSON.parse(readFileSync(join(folder, 'sweep.json'), 'utf8'))
    expect(monitor).toEqual({ metric: 'accuracy', goal: 'max' })
    expect(combinations).toHaveLength(2)
    for (const { settings, count, mean, trainings } of combinations) {
      expect(Object.keys(settings)).toEqual(['optimizer.lr'])
      const values = trainings.map(({ best }: { best: { metrics: { accuracy: number } } }) => best.metrics.accuracy)
      expect([count, values.length]).toEqual([2, 2])
      expect(mean).toBeCloseTo((values[0] + values[1]) / 2, 12)
    }
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('Every combination')
    expect(readdirSync(folder).sort()).toEqual([
      'report.html',
      'report.json',
      'runs',
      'settings.json',
      'sweep.json',
      'trainings',
    ])
    // A page of more than there is
    const partial = await sweep('--seeds', '3', '--report-only')
    expect(eventsOf(partial.out).at(-1)?.missing).toEqual(
      ['0.001', '0.01'].map((lr) => `trainings/optimizer.lr=${lr},seed=2`),
    )
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('What is missing')
    // A run that was deleted: its record alone is worth nothing.
    const gone = join(folder, 'runs', 'optimizer.lr=0.01,seed=0')
    rmSync(gone, { recursive: true })
    const without = await sweep('--report-only')
    expect([without.code, without.err]).toEqual([0, ''])
    expect(eventsOf(without.out)).toContainEqual({ event: 'part', gone })
    expect(eventsOf(without.out).at(-1)?.missing).toEqual(['trainings/optimizer.lr=0.01,seed=0'])
    const again = await sweep()
    expect([again.code, again.err]).toEqual([0, ''])
    const remade = eventsOf(again.out).filter(({ part }) => part !== undefined)
    expect(remade.map(({ part, kept }) => [part, kept])).toEqual([
      ['optimizer.lr=0.001', true],
      ['optimizer.lr=0.01', false],
    ])
    expect(readdirSync(gone)).toContain('report.html')
  },
  patient,
)

test(
  'two processes share a job, whose page is that of one process',
  async () => {
    const settings = sets(
      'steps=1',
      'tuning_steps=1',
      'channels=16',
      'side=4',
      'cues=2',
      'seeds=1',
      'learning_rates=[0.01,0.03]',
    )
    const run = (folder: string, ...more: readonly string[]) =>
      tenfold(
        'run',
        'involution/specificity',
        ...settings,
        '--threads',
        '1',
        '--json',
        '--out',
        join(root, folder),
        ...more,
      )
    const shares = await Promise.all(['1/2', '2/2'].map((share) => run('shared', '--array', share)))
    expect(shares.map(({ code, err }) => [code, err])).toEqual([
      [0, ''],
      [0, ''],
    ])
    const made = shares.map(({ out }) => eventsOf(out).filter(({ kept }) => kept === false).length)
    expect((made[0] ?? 0) + (made[1] ?? 0)).toBe(9) // three filters: two rates, then one training
    expect(readFileSync(join(root, 'shared', 'report.html'), 'utf8')).not.toContain('What is missing')
  },
  patient,
)

test('values of a setting are split at commas outside of brackets and quotes', () => {
  expect(splitValues('0.001,0.003')).toEqual(['0.001', '0.003'])
  expect(splitValues('[8,16],[16,32],"a,b"')).toEqual(['[8,16]', '[16,32]', '"a,b"'])
  expect(pointsOf([parseAxis('a.b=1,2'), parseAxis('c=x,y')]).map(({ name }) => name)).toEqual([
    'a.b=1 c=x',
    'a.b=1 c=y',
    'a.b=2 c=x',
    'a.b=2 c=y',
  ])
  expect(pointsOf([]).map(({ name }) => name)).toEqual(['all settings'])
  expect(folderNames(['a=x/y', 'a=x:y', 'a=1'])).toEqual(['a=x_y', 'a=x_y-2', 'a=1'])
})

test('a setting that is in the grid and beside it', async () => {
  const both = ['--grid', 'optimizer.lr=0.1', '--set', 'optimizer.lr=0.2']
  expect(await tenfold('sweep', 'frozen-transformer/bit-xor', ...both)).toEqual({
    code: 2,
    out: expect.any(String),
    err: 'error: optimizer.lr is in --set and in --grid (leave it out of --set, or give its one value in --grid)\n',
  })
})

test(
  'a combination whose settings do not fit the data fails alone, and is told at the end',
  async () => {
    const folder = join(root, 'failing')
    const sweep = (sizes: string, ...more: readonly string[]) =>
      tenfold(
        ...['sweep', 'mixer/mnist', '--grid', `train.batch_size=${sizes}`, '--grid', 'model.patch_size=5,7', ...small],
        ...['--steps', '1', '--threads', '1', '--out', folder, '--json', ...more],
      )
    const why = 'train.batch_size is 100000, but there are only 60000 examples to train on'
    const { code, out, err } = await sweep('100000,32')
    expect([code, err]).toEqual([
      2,
      `error: 3 of 4 trainings failed: the first is train.batch_size=100000 model.patch_size=5 seed 0: ${why} (--set train.batch_size=60000, or more data)\n`,
    ])
    const events = eventsOf(out)
    expect(events.flatMap(({ failed }) => failed ?? [])).toEqual([
      'train.batch_size=100000 model.patch_size=5',
      'train.batch_size=100000 model.patch_size=7',
      'train.batch_size=32 model.patch_size=5',
    ])
    expect(events.at(-1)).toMatchObject({ event: 'done', report: join(folder, 'report.html') })
    const { combinations, failed } = JSON.parse(readFileSync(join(folder, 'sweep.json'), 'utf8'))
    expect([combinations.length, failed.length]).toEqual([1, 3])
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain(why)
    // None can be made: one line, as of a training alone.
    const none = await sweep('100000', '--out', join(root, 'none'))
    expect([none.code, none.err]).toEqual([2, `error: ${why} (--set train.batch_size=60000, or more data)\n`])
  },
  patient,
)

test('a grid over the metric that combinations are compared by', async () => {
  const grid = ['--grid', 'train.monitor=accuracy,loss', '--out', join(root, 'monitors')]
  expect(await tenfold('sweep', 'mixer/mnist', ...grid)).toEqual({
    code: 2,
    out: '',
    err: 'error: the combinations of a sweep are compared by one metric, but --grid varies train.monitor (choose one: --set train.monitor=accuracy or loss)\n',
  })
})

test('a grid that is none is told in one line', () => {
  const messageOf = (make: () => unknown): string => {
    try {
      make()
    } catch (error) {
      return (error as Error).message
    }
    return 'nothing'
  }
  expect([
    messageOf(() => parseAxis('optimizer.lr')),
    messageOf(() => parseAxis('optimizer.lr=1,')),
    messageOf(() => parseAxis('optimizer.lr=1,1')),
    messageOf(() => pointsOf([parseAxis('a=1'), parseAxis('a=2')])),
  ]).toEqual([
    '--grid needs path=value,value,..., found "optimizer.lr"',
    '--grid optimizer.lr=1,: a value is missing',
    '--grid optimizer.lr=1,1: the value 1 is there twice',
    '--grid a is there twice',
  ])
})

test('combinations are ranked by their means, those that diverged last, and told apart only beyond the spread', () => {
  const arm = (name: string, values: readonly number[], diverged = 0): Arm => ({
    point: { name, assignments: [] },
    members: [
      ...values.map((accuracy, seed) => ({ seed, run: '', trained: trainedTo(accuracy) })),
      ...Array.from({ length: diverged }, (_, seed) => ({
        seed,
        run: '',
        trained: { ...trainedTo(1), reason: 'not finite' as const },
      })),
    ],
  })
  const ranked = rank(
    [arm('worse', [0.5, 0.52]), arm('best', [0.8, 0.84]), arm('same', [0.79, 0.82]), arm('lost', [0.9], 1)],
    { metric: 'accuracy', goal: 'max' },
  )
  expect(ranked.map(({ point }) => point.name)).toEqual(['best', 'same', 'worse', 'lost'])
  expect(sameAsBest(ranked).map(({ point }) => point.name)).toEqual(['same'])
  expect(ranked[3]).toMatchObject({ count: 1, diverged: 1, mean: 0.9 })
  expect(rank([arm('a', [0.2]), arm('b', [0.1])], { metric: 'accuracy', goal: 'min' })[0]?.point.name).toBe('b')
})
