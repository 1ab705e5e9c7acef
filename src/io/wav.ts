/** WAV files (RIFF): uncompressed sound. */
import { FormatError } from '../util/errors.ts'
import { latin1 } from './bytes.ts'

/** A recording: numbers in about [-1, 1], one array a channel. */
export interface Recording {
  readonly samples: readonly Float32Array[]
  /** Samples a second. */
  readonly sampleRate: number
}

interface Encoding {
  readonly name: string
  readonly read: (view: DataView, offset: number) => number
}

// By the format's tag (1: whole numbers, 3: floating point) and the bits of a sample. Whole numbers become shares of the largest, as in
// libsndfile: 8 bits are unsigned, all others signed.
const encodings: Readonly<Record<string, Encoding>> = {
  '1/8': { name: 'PCM of 8 bits', read: (view, at) => (view.getUint8(at) - 128) / 2 ** 7 },
  '1/16': { name: 'PCM of 16 bits', read: (view, at) => view.getInt16(at, true) / 2 ** 15 },
  '1/24': {
    name: 'PCM of 24 bits',
    read: (view, at) => (view.getInt16(at + 1, true) * 2 ** 8 + view.getUint8(at)) / 2 ** 23,
  },
  '1/32': { name: 'PCM of 32 bits', read: (view, at) => view.getInt32(at, true) / 2 ** 31 },
  '3/32': { name: 'float32', read: (view, at) => view.getFloat32(at, true) },
  '3/64': { name: 'float64', read: (view, at) => view.getFloat64(at, true) },
}

const extensible = 0xfffe
// A writer to a pipe, which cannot go back to put the size in, leaves this.
const unknownSize = 0xffffffff

interface Format {
  readonly encoding: Encoding
  readonly channels: number
  readonly sampleRate: number
  /** Bytes of one sample of all channels. */
  readonly frame: number
}

function parseFormat(view: DataView, start: number, size: number, name: string): Format {
  if (size < 16)
    throw new FormatError(`${name}: the fmt chunk of a WAV file must have at least 16 bytes, found ${size}`)
  const first = view.getUint16(start, true)
  const tag = first === extensible && size >= 26 ? view.getUint16(start + 24, true) : first
  const [channels, sampleRate] = [view.getUint16(start + 2, true), view.getUint32(start + 4, true)]
  const [frame, bits] = [view.getUint16(start + 12, true), view.getUint16(start + 14, true)]
  const encoding = encodings[`${tag}/${bits}`]
  if (!encoding) {
    const known = Object.values(encodings).map((entry) => entry.name)
    throw new FormatError(`${name}: a WAV file must be ${known.join(', ')}, found format ${tag} of ${bits} bits`)
  }
  if (channels === 0 || sampleRate === 0 || frame !== (channels * bits) / 8) {
    const found = `${channels} channels at ${sampleRate} Hz in ${frame} bytes a sample`
    throw new FormatError(`${name}: the fmt chunk of a WAV file contradicts itself: ${found} of ${bits} bits`)
  }
  return { encoding, channels, sampleRate, frame }
}

/**
 * A WAV file in memory: PCM of 8, 16, 24 or 32 bits, float32 or float64, in the plain and the extensible form. Chunks other than
 * the sound are passed over. Throws a FormatError (naming `name`) if it is none of these, damaged or cut off.
 */
export function parseWav(bytes: Uint8Array, name = 'WAV'): Recording {
  if (bytes.length < 12 || latin1(bytes.subarray(0, 4)) !== 'RIFF' || latin1(bytes.subarray(8, 12)) !== 'WAVE')
    throw new FormatError(`${name}: a WAV file must begin with RIFF, its size and WAVE`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let format: Format | undefined
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [kind, given] = [latin1(bytes.subarray(at, at + 4)), view.getUint32(at + 4, true)]
    const start = at + 8
    const size = kind === 'data' && given === unknownSize ? bytes.length - start : given
    if (kind === 'fmt ' || kind === 'data') {
      if (start + size > bytes.length) {
        const found = `${bytes.length - start} of ${size} bytes`
        throw new FormatError(`${name}: the WAV file is cut off: its ${kind.trim()} chunk has ${found}`)
      }
    }
    if (kind === 'fmt ') format = parseFormat(view, start, size, name)
    if (kind === 'data') {
      if (!format) throw new FormatError(`${name}: a WAV file must have its fmt chunk before the data`)
      return { samples: readSamples(view, start, size, format), sampleRate: format.sampleRate }
    }
    at = start + size + (size % 2)
  }
  throw new FormatError(`${name}: the WAV file has no data chunk`)
}

function readSamples(
  view: DataView,
  start: number,
  size: number,
  { encoding, channels, frame }: Format,
): Float32Array[] {
  const length = Math.floor(size / frame)
  const width = frame / channels
  return Array.from({ length: channels }, (_, channel) =>
    Float32Array.from({ length }, (_, i) => encoding.read(view, start + i * frame + channel * width)),
  )
}

/** A recording as a WAV file: PCM of 16 bits; what is beyond -1 to 1 is cut off. */
export function encodeWav({ samples, sampleRate }: Recording): Uint8Array {
  const [channels, length] = [samples.length, samples[0]?.length ?? 0]
  const header = 44
  const bytes = new Uint8Array(header + 2 * channels * length)
  const view = new DataView(bytes.buffer)
  const tag = (at: number, text: string): void => bytes.set(new TextEncoder().encode(text), at)
  tag(0, 'RIFF')
  view.setUint32(4, bytes.length - 8, true)
  tag(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, channels, true)
  view.setUint32(24, sampleRate, true)
  view.setUint32(28, 2 * channels * sampleRate, true)
  view.setUint16(32, 2 * channels, true)
  view.setUint16(34, 16, true)
  tag(36, 'data')
  view.setUint32(40, bytes.length - header, true)
  for (const [channel, values] of samples.entries()) {
    for (const [i, value] of values.entries()) {
      const whole = Math.round(32767 * Math.max(-1, Math.min(1, value)))
      view.setInt16(header + 2 * (i * channels + channel), whole, true)
    }
  }
  return bytes
}
