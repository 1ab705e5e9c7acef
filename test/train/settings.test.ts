import { expect, test } from 'vitest'
import { z } from 'zod'
import { configure, parseAssignment } from '../../src/train/settings.ts'

const schema = z.strictObject({
  optimizer: z.strictObject({ lr: z.number().positive().default(0.1), name: z.string().default('sgd') }).prefault({}),
  layers: z.array(z.number()).default([1, 2]),
})

const set = (...texts: string[]) => configure(schema, texts.map(parseAssignment))

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
  ['optimizer', '--set needs path=value, found "optimizer"', 'for example --set optimizer.lr=0.001'],
])('%s is refused in one line', (text, message, hint) => {
  expect(() => set(text)).toThrowError(expect.objectContaining({ name: 'UsageError', message, hint }))
})
