import { expect, test } from 'vitest'
import { describeSystemError } from '../../src/util/system-errors.ts'

const thrownBy = (call: () => unknown): unknown => {
  try {
    return call()
  } catch (error) {
    return error
  }
}

test('what there is no memory for is told in our words', () => {
  expect(describeSystemError(thrownBy(() => new Float32Array(2 ** 40)))).toBe(
    'an array of 1,099,511,627,776 elements is more than can be had (take smaller sizes)',
  )
  expect(describeSystemError(new RangeError('Array buffer allocation failed'))).toBe(
    'not enough memory (take smaller sizes)',
  )
})

test('errors of the system have their path and a reason', () => {
  const full = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', syscall: 'write', path: 'a/b' })
  expect(describeSystemError(full)).toBe('a/b: the disk is full (ENOSPC)')
})

test('other errors are bugs', () => {
  expect(describeSystemError(thrownBy(() => new Float32Array(-1)))).toBeUndefined()
  expect(describeSystemError(new RangeError('Maximum call stack size exceeded'))).toBeUndefined()
  expect(describeSystemError(new Error('no'))).toBeUndefined()
})
