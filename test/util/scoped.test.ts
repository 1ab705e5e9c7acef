import { expect, test } from 'vitest'
import { Scoped } from '../../src/util/scoped.ts'

test('the innermost value counts, and the one before comes back, after an error too', () => {
  const scoped = new Scoped('outside')
  const seen = scoped.run('outer', () => {
    const inner = scoped.run('inner', () => scoped.current)
    expect(() =>
      scoped.run('failing', () => {
        throw new Error('stop')
      }),
    ).toThrow('stop')
    return [inner, scoped.current]
  })
  expect([...seen, scoped.current]).toEqual(['inner', 'outer', 'outside'])
})
