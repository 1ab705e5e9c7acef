import { describe, expect, test } from 'vitest'
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.ts'
import { arrays, described, expectDamaged, expectError, fixture, sample } from './samples.ts'

/** A file with this header and as many bytes of data. */
function file(header: string, dataLength: number): Uint8Array {
  const text = new TextEncoder().encode(header)
  const bytes = new Uint8Array(8 + text.length + dataLength)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  return bytes
}

/** A header of one tensor `w`: `{"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}` with some parts replaced. */
function oneTensor(parts: { dtype?: string; shape?: string; data_offsets?: string } = {}): string {
  const { dtype = '"U8"', shape = '[2]', data_offsets = '[0,2]' } = parts
  return `{"w":{"dtype":${dtype},"shape":${shape},"data_offsets":${data_offsets}}}`
}

test('a round trip keeps arrays, names, their order and metadata', () => {
  const metadata = { note: 'ü "quoted"', 2: 'b', 1: 'a' }
  const read = readSafetensors(writeSafetensors(arrays, metadata))
  expect(read).toEqual({ format: 'safetensors', tensors: arrays, metadata })
  expect([...read.tensors.keys()]).toEqual([...arrays.keys()])
})

test('an empty file', () => {
  expect(readSafetensors(writeSafetensors([]))).toEqual({ format: 'safetensors', tensors: new Map(), metadata: {} })
})

test('every tensor is aligned to its element size', () => {
  const bytes = writeSafetensors(arrays)
  const headerLength = Number(new DataView(bytes.buffer).getBigUint64(0, true))
  expect(headerLength % 8).toBe(0)
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength))) as Record<
    string,
    { data_offsets: [number, number] }
  >
  expect(Object.entries(header).map(([name, { data_offsets }]) => [name, data_offsets[0]])).toEqual([
    ['7', 43],
    ['layer/kernel', 8],
    ['mask', 40],
    ['steps', 0],
    ['index', 32],
    ['empty ü', 40],
    ['__proto__', 45],
  ])
})

test('the file of the reference implementation, with all its element types', () => {
  const { tensors, metadata } = readSafetensors(fixture('types.safetensors'))
  expect(metadata).toEqual({ 'made by': 'safetensors', note: 'ünï' })
  expect(described(tensors)).toEqual({
    F16: 'float32[2] 0.5 -2',
    BF16: 'float32[2] 1 -3.5',
    F32: 'float32[1,2] 1.5 -0.25',
    F64: `float32[] ${Math.fround(0.1)}`,
    I8: 'int32[2] -128 127',
    I16: 'int32[1] -32768',
    I32: 'int32[1] -2147483648',
    I64: 'int64[1] 9223372036854775807',
    U8: 'uint8[1] 255',
    U16: 'int32[1] 65535',
    U32: 'int64[1] 4294967295',
    U64: 'int64[1] 9223372036854775807',
    BOOL: 'bool[2] 1 0',
    empty: 'float32[2,0]',
  })
})

const gap = oneTensor().replace(/}$/, ',"v":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}')

describe('what the format does not allow', () => {
  test.each<[string, Uint8Array, string]>([
    [
      'no length',
      new Uint8Array(3),
      "safetensors: the file must begin with the 8 bytes of its header's length, found 3",
    ],
    [
      'a header longer than the file',
      Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0x80, 1),
      'safetensors: the header must have at most 1 bytes, the file says 9223372036854775817',
    ],
    ['no JSON', file('{"w":', 0), 'safetensors: the header must be a JSON object in UTF-8'],
    ['a list', file('[]', 0), 'safetensors: the header must be a JSON object in UTF-8'],
    ['a space before the object', file(' {}', 0), 'safetensors: the header must be a JSON object in UTF-8'],
    ['a byte order mark', file('\uFEFF{}', 0), 'safetensors: the header must be a JSON object in UTF-8'],
    ['a name twice', file('{"a\\u0062":{},"ab":{}}', 0), 'safetensors: the header has the key "ab" twice'],
    [
      'a key of a tensor twice',
      file(oneTensor().replace('"shape"', '"dtype":"U8","shape"'), 2),
      'safetensors: the header has the key "dtype" twice',
    ],
    [
      'metadata that are no texts',
      file('{"__metadata__":{"a":1}}', 0),
      'safetensors: __metadata__ must hold texts only, found an object',
    ],
    [
      'half a character',
      file('{"\\ud800":{}}', 0),
      'safetensors: tensor "\\ud800" has a name that is not valid Unicode',
    ],
    ['a number for a tensor', file('{"w":3}', 0), 'safetensors: tensor "w" must be described by an object, found 3'],
    [
      'a size below 0',
      file(oneTensor({ shape: '[-2]' }), 2),
      'safetensors: tensor "w": shape must be a list of sizes, found [-2]',
    ],
    [
      'a shape without end',
      file(oneTensor({ shape: `${'['.repeat(1e5)}${']'.repeat(1e5)}` }), 2),
      'safetensors: tensor "w": shape must be a list of sizes, found a list of 1',
    ],
    [
      'offsets that turn back',
      file(oneTensor({ data_offsets: '[2,0]' }), 2),
      'safetensors: tensor "w": data_offsets must be [begin, end] within 0 to 2, found [2, 0]',
    ],
    [
      'offsets outside of the data',
      file(oneTensor({ data_offsets: '[0,3]' }), 2),
      'safetensors: tensor "w": data_offsets must be [begin, end] within 0 to 2, found [0, 3]',
    ],
    [
      'no offsets',
      file(oneTensor({ data_offsets: '"all"' }), 2),
      'safetensors: tensor "w": data_offsets must be [begin, end] within 0 to 2, found "all"',
    ],
    ['a gap', file(gap, 4), 'safetensors: tensor "v" must begin at 2, where the one before ends, found 3'],
    [
      'an overlap',
      file(gap.replace('[3,4]', '[1,2]'), 2),
      'safetensors: tensor "v" must begin at 2, where the one before ends, found 1',
    ],
    [
      'bytes of no tensor',
      file(oneTensor(), 3),
      'safetensors: the tensors must fill all 3 bytes of data, they end at 2',
    ],
    [
      'a shape of another size',
      file(oneTensor({ shape: '[3]' }), 2),
      'safetensors: tensor "w": shape [3] of u8 needs 3 bytes, found 2',
    ],
    [
      'a shape beyond all numbers',
      file(oneTensor({ shape: '[9007199254740991,9007199254740991]' }), 2),
      'safetensors: tensor "w": 2 axes with 8.112963841460666e+31 elements are more than an array can have',
    ],
  ])('%s', (_case, bytes, message) => {
    expectDamaged(() => readSafetensors(bytes), message)
  })
  test('an element type that tenfold lacks', () => {
    expectError(
      () => readSafetensors(file(oneTensor({ dtype: '"F8_E4M3"' }), 2)),
      'FormatError',
      'safetensors: tensor "w" has the dtype "F8_E4M3", which is not read',
      'convert it to one of F16, BF16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, BOOL',
    )
  })
})

describe('what is not written', () => {
  const mask = sample('mask')
  test('a name twice, the name of the metadata, half a character', () => {
    expectError(
      () =>
        writeSafetensors([
          ['a', mask],
          ['a', mask],
        ]),
      'FormatError',
      'safetensors: tensor "a" is given twice',
      'give every tensor its own name',
    )
    for (const [name, shown] of [
      ['__metadata__', '__metadata__'],
      ['\ud800', '\\ud800'],
    ] as const) {
      expectError(
        () => writeSafetensors([[name, mask]]),
        'FormatError',
        `safetensors: tensor "${shown}" has a name that the format cannot hold`,
        'choose another name',
      )
    }
    expectError(
      () => writeSafetensors([], { a: '\udfff' }),
      'FormatError',
      'safetensors: the metadata have a text that is not valid Unicode',
      'a half of a surrogate pair cannot be written in UTF-8',
    )
  })
  test('data that do not fit the shape', () => {
    expectError(
      () => writeSafetensors([['a', { ...mask, shape: [2] }]]),
      'ShapeError',
      'safetensors: tensor "a": shape [2] needs 2 elements, found 3',
    )
    expectError(
      () => writeSafetensors([['a', { ...mask, dtype: 'float32' }]]),
      'UsageError',
      'safetensors: tensor "a": float32 is stored as Float32Array, found Uint8Array',
    )
  })
})
