import { expect, test } from 'vitest'
import { z } from 'zod'
import {
  assignmentsOf,
  changedSettings,
  checkConfig,
  configFrom,
  parseAssignment,
  pathSetting,
} from '../../src/train/settings.ts'

const schema = z.strictObject({
  optimizer: z.strictObject({ lr: z.number().positive().default(0.1), name: z.string().default('sgd') }).prefault({}),
  layers: z.array(z.number()).default([1, 2]),
})

const withPath = z.strictObject({
  data: z.strictObject({ folder: pathSetting('a folder', ['emoji']), share: z.number().default(0.2) }).prefault({}),
})

const set = (...texts: string[]) => configFrom(schema, texts.map(parseAssignment))

test('defaults and assignments', () => {
  expect(set()).toEqual({ optimizer: { lr: 0.1, name: 'sgd' }, layers: [1, 2] })
  expect(set('optimizer.lr=1e-3', 'optimizer.name=adam', 'layers=[3]')).toEqual({
    optimizer: { lr: 1e-3, name: 'adam' },
    layers: [3],
  })
})

test.each([
  ['optimizer.lt=1', 'unknown setting "optimizer.lt"', 'did you mean "optimizer.lr"?'],
  ['optimizer.lr=fast', 'setting "optimizer.lr": expected number, received string, found "fast"', undefined],
  ['optimizer.lr=-1', 'setting "optimizer.lr": Too small: expected number to be >0, found -1', undefined],
  ['layers=3', 'setting "layers": expected array, received number, found 3', "a list: --set 'layers=[3]'"],
  [
    'layers=[one, two]',
    'setting "layers": expected array, received string, found "[one, two]"',
    'a list: --set \'layers=["one","two"]\'',
  ],
  ['optimizer', '--set needs path=value, found "optimizer"', 'for example --set optimizer.lr=0.001'],
])('%s is refused in one line', (text, message, hint) => {
  expect(() => set(text)).toThrowError(expect.objectContaining({ name: 'UsageError', message, hint }))
})

test('each unknown setting of a file is named by its own path', () => {
  const given = { optimizer: { lr: 1, speed: 2, mass: 3 }, layers: [] }
  expect(() => checkConfig(schema, given, 'run.json')).toThrow(
    'run.json: unknown settings "optimizer.speed", "optimizer.mass"',
  )
})

test('epochs are given once', () => {
  expect(assignmentsOf(['a=1'], 2)).toEqual([
    { path: 'a', value: 1, raw: '1' },
    { path: 'train.epochs', value: 2 },
  ])
  expect(() => assignmentsOf(['train.epochs=3'], 2)).toThrow(
    '--epochs 2 and --set train.epochs=3 are the same setting: give one of them',
  )
})

test.each([
  ['101', '101'],
  ['1e3', '1e3'],
  ['true', 'true'],
  ['null', 'null'],
  ['[1,2]', '[1,2]'],
  ['{"a":1}', '{"a":1}'],
  ['', ''],
  ['"quoted"', 'quoted'],
  ['a=b', 'a=b'],
])('a setting that is a text takes %s as it is', (written, value) => {
  expect(configFrom(withPath, [parseAssignment(`data.folder=${written}`)]).data.folder).toBe(value)
})

test('the settings that were changed, as one writes them', () => {
  const written = ['data.folder=my "101', 'data.share=0.5']
  const config = configFrom(withPath, written.map(parseAssignment))
  expect(changedSettings(withPath, config)).toEqual(written)
  const awkward = configFrom(withPath, [{ path: 'data.folder', value: '"x"' }])
  const again = configFrom(withPath, changedSettings(withPath, awkward).map(parseAssignment))
  expect(again).toEqual(awkward)
  expect(changedSettings(withPath, configFrom(withPath, []))).toEqual([])
})
