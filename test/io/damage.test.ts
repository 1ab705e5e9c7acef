/** Readers never crash, hang or fill the memory, whatever a file was changed to: they read it or throw a FormatError. */
import fc from 'fast-check'
import { unzipSync, zipSync } from 'fflate'
import { expect, test } from 'vitest'
import { readNpy, writeNpy } from '../../src/io/npy.ts'
import { readNpz, writeNpz } from '../../src/io/npz.ts'
import { readNumpyPickle } from '../../src/io/numpy-pickle.ts'
import { readPickle } from '../../src/io/pickle.ts'
import { readPytorch } from '../../src/io/pytorch.ts'
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.ts'
import { parseTensorFile } from '../../src/io/tensor-format.ts'
import { readZip } from '../../src/io/zip.ts'
import { FormatError } from '../../src/util/errors.ts'
import { collectWarnings } from '../support/warnings.ts'
import { arrays, fixture, sample } from './samples.ts'

// Changed numbers may be beyond float32's range.
collectWarnings()

/** A change of a file. Places are parts of its length, so that one change fits every file. */
type Change = (bytes: Uint8Array) => Uint8Array

const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
// Not `fc.double`, whose numbers are nearly all next to 0: every change would be at the beginning.
const place = fc.noBias(fc.integer({ min: 0, max: 1_000_000 })).map((part) => part / 1_000_000)
// Bytes that mean something to the formats: lengths, digits, brackets, instructions.
const byte = fc.oneof(
  fc.integer({ min: 0, max: 255 }),
  fc.constantFrom(0, 1, 0x7f, 0x80, 0xff, ...Buffer.from('09[{(".-}')),
)

function flip(at: number, value: number): Change {
  return (bytes) => {
    const copy = new Uint8Array(bytes)
    if (copy.length > 0) copy[Math.floor(at * (copy.length - 1))] = value
    return copy
  }
}

/** Replaces a stretch by a copy of another, or by new bytes. */
function splice(from: number, to: number, source: number, length: number, fresh: Uint8Array | undefined): Change {
  return (bytes) => {
    const [start, end] = [from, to].map((at) => Math.floor(at * bytes.length)).sort((a, b) => a - b)
    const begin = Math.floor(source * bytes.length)
    const inserted = fresh ?? bytes.subarray(begin, begin + length)
    return joined(bytes.subarray(0, start), inserted, bytes.subarray(end))
  }
}

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(place, byte).map(([at, value]) => flip(at, value)) },
  {
    weight: 1,
    arbitrary: place.map(
      (at): Change =>
        (bytes) =>
          bytes.subarray(0, Math.floor(at * bytes.length)),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 40 }).map(
      (more): Change =>
        (bytes) =>
          joined(bytes, more),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(place, place, place, fc.nat(100), fc.option(fc.uint8Array({ maxLength: 16 }), { nil: undefined }))
      .map((parts) => splice(...parts)),
  },
  // A small stretch goes, so that the rest stays whole.
  {
    weight: 1,
    arbitrary: fc.tuple(place, fc.nat(4)).map(
      ([at, length]): Change =>
        (bytes) => {
          const start = Math.floor(at * bytes.length)
          return joined(bytes.subarray(0, start), bytes.subarray(start + length))
        },
    ),
  },
)

type Read = (bytes: Uint8Array) => unknown

function memberOf(archive: Uint8Array, name: string): Uint8Array {
  const content = unzipSync(archive)[name]
  if (!content) throw new Error(`no member ${name}`)
  return content
}

/** Changes the pickle of a checkpoint and packs it again, with right checksums: the damage reaches what is inside. */
function pickleOf(archive: Uint8Array, name: string): [Uint8Array, Read] {
  const members = unzipSync(archive)
  return [memberOf(archive, name), (pickle) => readPytorch(zipSync({ ...members, [name]: pickle }, { level: 0 }))]
}

/** Changes the header alone and gives its right length. */
function headerOf(file: Uint8Array): [Uint8Array, Read] {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true))
  return [
    file.subarray(8, 8 + length),
    (header) => {
      const size = new Uint8Array(BigUint64Array.of(BigInt(header.length)).buffer)
      return readSafetensors(joined(size, header, file.subarray(8 + length)))
    },
  ]
}

const safetensors = writeSafetensors(arrays, { a: 'b' })
const fortran = memberOf(fixture('numpy.npz'), 'fortran/3d.npy')
const checkpoint = fixture('checkpoint.pt')
const pickles = { what: 'pickle', call: () => undefined, persistent: () => null }

const targets: Record<string, [Uint8Array, Read]> = {
  safetensors: [safetensors, readSafetensors],
  'safetensors header': headerOf(safetensors),
  'safetensors of the reference implementation': headerOf(fixture('types.safetensors')),
  npy: [writeNpy(sample('layer/kernel')), (bytes) => readNpy(bytes)],
  'npy header': [
    writeNpy(sample('layer/kernel')).subarray(0, 128),
    (bytes) => readNpy(joined(bytes, new Uint8Array(24))),
  ],
  'zip, stored': [writeNpz(arrays), (bytes) => readZip(bytes).map(({ unpack }) => unpack())],
  npz: [writeNpz(arrays, { compress: true }), (bytes) => readNpz(bytes)],
  'npz of NumPy': [fixture('compressed.npz'), (bytes) => readNpz(bytes)],
  'npz, inside': [fortran, (bytes) => readNpz(zipSync({ a: bytes }))],
  pytorch: [checkpoint, readPytorch],
  'pytorch, inside': pickleOf(checkpoint, 'checkpoint/data.pkl'),
  'pytorch of protocol 4, inside': pickleOf(fixture('protocol-4.pt'), 'protocol-4/data.pkl'),
  'pytorch with other classes': [fixture('classes.pt'), readPytorch],
  'pytorch with other classes, inside': pickleOf(fixture('classes.pt'), 'classes/data.pkl'),
  'npz with texts': [fixture('texts.npz'), (bytes) => readNpz(bytes)],
  'npz with records, inside': [
    memberOf(fixture('texts.npz'), 'records.npy'),
    (bytes) => readNpz(zipSync({ 'a.npy': bytes })),
  ],
  'pickle of NumPy': [fixture('haiku-4.pickle'), readNumpyPickle],
  pickle: [memberOf(checkpoint, 'checkpoint/data.pkl'), (bytes) => readPickle(bytes, pickles)],
}

/** Reads; gives whether it could. Anything but a FormatError of one short line goes on up. */
function succeeds(read: Read, bytes: Uint8Array): boolean {
  try {
    read(bytes)
    return true
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    expect(error.message).toMatch(/^[^\n]{1,400}$/)
    expect(error.hint).toBeTruthy()
    return false
  }
}

test.each(Object.entries(targets))('%s', (_name, [bytes, read]) => {
  expect(succeeds(read, bytes)).toBe(true)
  const memory = process.resourceUsage().maxRSS
  let refused = 0
  const property = fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
    const changed = changes.reduce((result, each) => each(result), bytes)
    const start = performance.now()
    if (!succeeds(read, changed)) refused++
    expect(performance.now() - start).toBeLessThan(2000)
  })
  fc.assert(property, { seed: 2021, numRuns: 700 })
  expect(refused).toBeGreaterThan(300)
  // Kibibytes: the files have a few of them, so that half a GiB would be a bomb.
  expect(process.resourceUsage().maxRSS - memory).toBeLessThan(2 ** 19)
})

test('bytes of no format', async () => {
  const prefix = fc.constantFrom('', 'PK\x03\x04', 'PK\x05\x06', '\x93NUMPY\x01\x00', '\x80\x02', '\x02\0\0\0\0\0\0\0{')
  const property = fc.asyncProperty(prefix, fc.uint8Array({ maxLength: 200 }), async (text, rest) => {
    await parseTensorFile(joined(Buffer.from(text, 'latin1'), rest)).catch((error: unknown) => {
      if (!(error instanceof FormatError)) throw error
    })
  })
  await fc.assert(property, { seed: 2021, numRuns: 500 })
})
