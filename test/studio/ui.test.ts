/** The logic of the studio's page. */
import { expect, test } from 'vitest'
import { emptyCurve } from '../../src/studio/curves.ts'
import type { Curves, Field, RunDetail, RunSummary } from '../../src/studio/protocol.ts'
import { chartsOf, joined, smoothed, valueAt } from '../../src/studio/ui/charts/chart-data.ts'
import { formatAgo, formatDuration, formatMetric, formatProgress, progressOf } from '../../src/studio/ui/format.ts'
import { formatRoute, parseRoute, type Route } from '../../src/studio/ui/route.ts'
import { actionsOf } from '../../src/studio/ui/runs/actions.ts'
import { comparedMetrics, comparedSettings } from '../../src/studio/ui/runs/compare.ts'
import { isFound, metricNames, ordered, updated } from '../../src/studio/ui/runs/list.ts'
import {
  changedOptions,
  changedSettings,
  fieldOf,
  groupsOf,
  typedFrom,
  wrongWhole,
} from '../../src/studio/ui/start/form.ts'
import { exampleOf, shownOf } from '../../src/studio/ui/use/answers.ts'

function run(id: string, given: Partial<RunSummary> = {}): RunSummary {
  return {
    ...{
      id,
      kind: 'run',
      recipe: 'mixer/mnist',
      isStartable: true,
      state: 'finished',
      problem: '',
      started: '2026-01-01T00:00:00Z',
    },
    ...{ seed: 0, changed: [], step: 10, epoch: 0, steps: 10, epochs: 1, metrics: {}, seconds: 1 },
    ...given,
  }
}

test('addresses are read as they are written', () => {
  const routes: Route[] = [
    { page: 'list' },
    { page: 'run', id: 'group/a b', tab: 'charts' },
    { page: 'run', id: 'a,b', tab: 'report' },
    { page: 'compare', ids: ['a,b', 'c/d'] },
    { page: 'new', name: '', like: '' },
    { page: 'new', name: 'mixer/mnist', like: 'a%b' },
  ]
  expect(routes.map((route) => parseRoute(formatRoute(route)))).toEqual(routes)
  expect(parseRoute('#/elsewhere/%')).toEqual({ page: 'list' })
  expect(parseRoute('#/run/%zz/nothing')).toEqual({ page: 'run', id: '%zz', tab: 'charts' })
})

test('runs are searched by all words, ordered, and replaced as they change', () => {
  const a = run('a', { changed: ['optimizer.lr=0.002'], metrics: { accuracy: 0.5, loss: 1 }, step: 5 })
  const b = run('b10', { state: 'running', metrics: { accuracy: 0.9 }, started: '' })
  const c = run('b9', { recipe: 'fnet/pretrain', kind: 'run' })
  const runs = [a, b, c]
  const found = (search: string) => runs.filter((each) => isFound(each, search)).map(({ id }) => id)
  expect([found(''), found('LR=0.002'), found('mixer running'), found('fnet mixer')]).toEqual([
    ['a', 'b10', 'b9'],
    ['a'],
    ['b10'],
    [],
  ])
  const order = (by: Parameters<typeof ordered>[1]['by'], descending: boolean) =>
    ordered(runs, { by, descending }, 'accuracy').map(({ id }) => id)
  expect([order('id', true), order('metric', true), order('metric', false), order('started', true)]).toEqual([
    ['b10', 'b9', 'a'],
    ['b10', 'a', 'b9'],
    ['a', 'b10', 'b9'],
    ['a', 'b9', 'b10'],
  ])
  expect(metricNames(runs)).toEqual(['accuracy', 'loss'])
  const changed = [run('new'), run('a', { step: 6 })]
  expect(updated(runs, changed, ['b9']).map(({ id, step }) => [id, step])).toEqual([
    ['new', 10],
    ['a', 6],
    ['b10', 10],
  ])
})

function detail(id: string, given: Partial<RunDetail>, metrics: Record<string, number> = {}): RunDetail {
  const nothing = { settings: {}, facts: {}, metrics: {}, snapshots: [], files: [], uses: [], log: '' }
  return { summary: run(id, { metrics }), ...nothing, ...given }
}

test('what can be done with a run depends on its state, and on whether its recipe can be started', () => {
  const states = ['running', 'finished', 'stopped', 'failed', 'damaged'] as const
  expect(states.map((state) => actionsOf(run('a', { state })))).toEqual([
    { stop: true, resume: undefined, like: true },
    { stop: false, resume: 'Train longer', like: true },
    { stop: false, resume: 'Resume', like: true },
    { stop: false, resume: 'Resume', like: true },
    { stop: false, resume: undefined, like: true },
  ])
  const sweep = { kind: 'job', recipe: 'mixer/mnist-sweep', isStartable: false } as const
  expect(states.map((state) => actionsOf(run('a', { ...sweep, state })))).toEqual(
    states.map((state) => ({ stop: state === 'running', resume: undefined, like: false })),
  )
})

test('settings that differ, and the best numbers', () => {
  const metrics = { accuracy: { goal: 'max', unit: 'percent' }, loss: { goal: 'min' } } as const
  const runs = [
    detail(
      'a',
      { settings: { lr: 0.1, betas: [0.9, 0.99] }, facts: { seed: '1', started: 'then' }, metrics },
      { accuracy: 0.8, loss: 2 },
    ),
    detail(
      'b',
      { settings: { lr: 0.2, betas: [0.9, 0.99], clip: 1 }, facts: { seed: '1', started: 'now' }, metrics },
      { accuracy: 0.9, loss: 2, extra: 1 },
    ),
  ]
  expect(comparedSettings(runs)).toEqual([
    { name: 'recipe', values: ['mixer/mnist', 'mixer/mnist'], differs: false },
    { name: 'lr', values: ['0.1', '0.2'], differs: true },
    { name: 'betas', values: ['[0.9,0.99]', '[0.9,0.99]'], differs: false },
    { name: 'clip', values: ['', '1'], differs: true },
    { name: 'seed', values: ['1', '1'], differs: false },
  ])
  expect(comparedMetrics(runs).map(({ name, best }) => [name, best])).toEqual([
    ['accuracy', [1]],
    ['loss', []],
    ['extra', []],
  ])
})

const field = (path: string, usual: unknown, kind: Field['kind']): Field => ({
  ...{ path, default: usual, kind, description: '', choices: [] },
})
const fields = [
  field('data.folder', 'mnist', 'path'),
  field('optimizer.lr', 0.003, 'number'),
  field('optimizer.betas', [0.9, 0.999], 'json'),
  field('flip', false, 'switch'),
]

test('whole numbers that were typed are whole numbers', () => {
  expect(wrongWhole({ seed: '7', steps: '', threads: ' 2 ' })).toBe('')
  expect(wrongWhole({ seed: '7', steps: 'abc' })).toBe('steps must be a whole number, found "abc"')
  expect(wrongWhole({ seed: '-1' })).toBe('seed must be a whole number, found "-1"')
})

test('what was typed becomes settings of the command line, and back', () => {
  const typed = { 'data.folder': 'my photos=1', 'optimizer.lr': '0.003', 'optimizer.betas': '[0.8,0.9]', flip: 'true' }
  const settings = ['data.folder=my photos=1', 'optimizer.betas=[0.8,0.9]', 'flip=true']
  expect(changedSettings(fields, typed)).toEqual(settings)
  expect(changedSettings(fields, typedFrom(settings))).toEqual(settings)
  expect(changedOptions(fields, { ...typed, 'data.folder': '' })).toEqual({
    'optimizer.betas': '0.8,0.9',
    flip: 'true',
  })
  expect(groupsOf(fields).map(({ name, fields: found }) => [name, found.length])).toEqual([
    ['data', 1],
    ['optimizer', 2],
    ['', 1],
  ])
})

test('an error belongs to the field that it names', () => {
  expect(fieldOf('setting "optimizer.lr": Too small: expected number to be >0, found -1', fields)).toBe('optimizer.lr')
  expect(fieldOf('setting "optimizer.betas.1": expected number, found "x"', fields)).toBe('optimizer.betas')
  expect(fieldOf('data.folder must name pictures, found ""', fields)).toBe('data.folder')
  expect(fieldOf('runs/a is running already', fields)).toBeUndefined()
})

test('numbers, times and progress', () => {
  expect([
    formatMetric(0.98765, { unit: 'percent' }),
    formatMetric(1.23456),
    formatMetric(2, { unit: 'bits' }),
  ]).toEqual(['98.77 %', '1.235', '2 bits'])
  expect([formatMetric(0.00012), formatMetric(123456), formatMetric(0)]).toEqual(['1.20e-4', '1.23e+5', '0'])
  expect([formatDuration(65), formatDuration(3723)]).toEqual(['1:05', '1:02:03'])
  const now = Date.parse('2026-01-02T00:00:00Z')
  const ago = ['2026-01-01T23:59:50Z', '2026-01-01T23:30:00Z', '2026-01-01T12:00:00Z', '2025-12-01T00:00:00Z', '']
  expect(ago.map((time) => formatAgo(time, now))).toEqual(['just now', '30 min ago', '12 h ago', '2025-12-01', ''])
  const running = run('a', { state: 'running', step: 30, steps: 60, epoch: 1, epochs: 4 })
  expect([formatProgress(running), progressOf(running)]).toEqual(['epoch 2 of 4, step 30 of 60', 0.5])
  expect(progressOf({ ...running, steps: null, epoch: 0 })).toBeUndefined()
  expect(formatProgress(run('a', { kind: 'job' }))).toBe('')
})

test('smoothing weighs the first values in full, and leaves gaps', () => {
  expect(smoothed([2, 4], 0.5)[1]).toBeCloseTo((0.5 * 2 + 4) / 1.5, 12)
  expect(smoothed([2, 4], 0)).toEqual([2, 4])
  expect(smoothed([1, null, 1], 0.9)).toEqual([1, null, 1])
})

test('one chart for each metric; lines with steps of their own share an axis', () => {
  const step = emptyCurve()
  Object.assign(step, { every: 2, rows: 4, x: [2, 4] })
  step.series.loss = { mean: [2, 1], min: [1, 0], max: [3, 2], count: [2, 2] }
  const evaluation = emptyCurve()
  Object.assign(evaluation, { rows: 1, x: [3] })
  for (const name of ['loss', 'accuracy']) evaluation.series[name] = { mean: [0.5], min: [0.5], max: [0.5], count: [1] }
  const curves: Curves = { step, evaluation }
  const charts = chartsOf([{ label: 'a', curves }], { loss: { goal: 'min' } }, 0)
  expect(charts.map(({ metric, lines }) => [metric, lines.map(({ label }) => label)])).toEqual([
    ['loss', ['a train', 'a test']],
    ['accuracy', ['a test']],
  ])
  const data = joined(charts[0]?.lines ?? [])
  expect(data.x).toEqual([2, 3, 4])
  expect(data.roles.map(({ part }) => part)).toEqual(['high', 'low', 'value', 'value'])
  expect(data.columns).toEqual([
    [3, null, 2],
    [1, null, 0],
    [2, null, 1],
    [null, 0.5, null],
  ])
  expect([valueAt(data.columns[3] ?? [], 2), valueAt(data.columns[3] ?? [], 0)]).toEqual([0.5, undefined])
})

test('answers of uses', () => {
  const choices = [{ label: '1', probability: 0.9 }]
  expect(shownOf({ event: 'answer', input: '/tmp/1/one.png', choices }, true)).toEqual({
    kind: 'choices',
    input: 'one.png',
    choices,
  })
  expect(shownOf({ event: 'answer', input: 'a/b', text: 'c' }, false)).toEqual({
    kind: 'text',
    input: 'a/b',
    text: 'c',
  })
  expect(shownOf({ event: 'answer', file: '/r/samples.png', shown: 'samples.png' }, false)).toMatchObject({
    kind: 'file',
    file: 'samples.png',
  })
  expect(shownOf({ event: 'error', input: '/tmp/x.png', message: 'no' }, true)).toEqual({
    kind: 'error',
    input: 'x.png',
    text: 'no',
  })
  expect(shownOf({ event: 'done', metrics: {} }, false)).toBeUndefined()
  expect(shownOf({ event: 'end', code: 2, error: 'wrong' }, false)).toMatchObject({ kind: 'error', text: 'wrong' })
  expect([exampleOf('"Call me "'), exampleOf('FILE...')]).toEqual(['Call me ', ''])
})
