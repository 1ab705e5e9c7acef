import { expect, test } from 'vitest'
import { readNumpyPickle } from '../../src/io/numpy-pickle.ts'
import { parseTensorFile } from '../../src/io/tensor-format.ts'
import { fixture } from './samples.ts'

test.each([2, 4, 5])('arrays of NumPy and JAX in the dicts of Haiku, protocol %i', async (protocol) => {
  const { format, tensors, metadata, leftOut } = await parseTensorFile(fixture(`haiku-${protocol}.pickle`))
  expect(format).toBe('pickle')
  expect([...tensors].map(([name, { dtype, shape, data }]) => [name, dtype, shape, Array.from(data, Number)])).toEqual([
    ['params/encoder/~/linear/w', 'float32', [2, 3], [0, 1, 2, 3, 4, 5]],
    ['params/encoder/~/linear/b', 'float32', [3], [1, -2, 0.5]],
    ['state/norm/average', 'float32', [2, 3], [0, 1, 2, 3, 4, 5]], // big-endian, in Fortran's order
    ['state/norm/hidden', 'float32', [2], [0.5, 2]],
    ['state/norm/counter', 'int64', [], [7]],
  ])
  expect(metadata).toEqual({ step: '12', name: 'a' })
  expect(leftOut).toEqual(
    new Map([
      ['opt', 'optax._src.Other'],
      ['texts', 'array of O8'],
    ]),
  )
})

const latin = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))

test('nothing is executed', () => {
  const { tensors, leftOut } = readNumpyPickle(latin('\x80\x02}U\x01acos\nsystem\nU\x02ls\x85Rs.'))
  expect([tensors.size, leftOut]).toEqual([0, new Map([['a', 'os.system']])])
})

test('damaged: cut off, an impossible shape, parts that are elsewhere', () => {
  const bytes = fixture('haiku-4.pickle')
  expect(() => readNumpyPickle(bytes.subarray(0, 300))).toThrow('pickle: the pickle is cut off')
  const reconstruct = 'cnumpy.core.multiarray\n_reconstruct\n)R'
  expect(() => readNumpyPickle(latin(`\x80\x02${reconstruct}(K\x01J\xff\xff\xff\xff\x85N\x89Ntb.`))).toThrow(
    "pickle: an array's shape must be sizes that an array can have",
  )
  expect(() => readNumpyPickle(latin('\x80\x02K\x01Q.'))).toThrow('pickle: parts of it are stored elsewhere')
})
