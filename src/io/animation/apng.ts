/** Animated PNG files (W3C PNG, third edition): several pictures of one size, each shown for a while. Viewers without animation show the first. */
import { ShapeError } from '../../util/errors.ts'
import { crc32 } from '../checksum.ts'
import { encodePng } from '../png.ts'

/** Bytes before the first chunk of every PNG. */
const signatureLength = 8

interface Chunk {
  readonly type: string
  readonly data: Uint8Array
}

/** The chunks of a PNG file that was just written. */
function chunksOf(png: Uint8Array): Chunk[] {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength)
  const chunks: Chunk[] = []
  for (let place = signatureLength; place < png.length; ) {
    const length = view.getUint32(place)
    const type = String.fromCharCode(...png.subarray(place + 4, place + 8))
    chunks.push({ type, data: png.subarray(place + 8, place + 8 + length) })
    place += 12 + length
  }
  return chunks
}

/** Length, type, data, checksum of type and data. */
function chunkBytes({ type, data }: Chunk): Uint8Array {
  const bytes = new Uint8Array(12 + data.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, data.length)
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i)
  bytes.set(data, 8)
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)))
  return bytes
}

/** 32-bit numbers, big-endian. */
function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length)
  for (const [i, value] of values.entries()) new DataView(bytes.buffer).setUint32(4 * i, value)
  return bytes
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let place = 0
  for (const part of parts) {
    bytes.set(part, place)
    place += part.length
  }
  return bytes
}

/** How an animation is shown. */
export interface AnimationOptions {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3 | 4
  /** Milliseconds that each picture is shown, below 65,536; the last one for as long as `lastDelay`. Default of that: the same. */
  readonly delay: number
  readonly lastDelay?: number
}

/** The size, place and delay of a frame, which is drawn over the one before. */
function frameControl(sequence: number, { width, height }: AnimationOptions, delay: number): Chunk {
  const timing = new Uint8Array(6) // delay as a fraction of two 16-bit numbers, nothing to clear, nothing to blend
  new DataView(timing.buffer).setUint16(0, delay)
  new DataView(timing.buffer).setUint16(2, 1000)
  return { type: 'fcTL', data: joined([words(sequence, width, height, 0, 0), timing]) }
}

/** An animated PNG, repeated for ever, of frames that are pixels as `encodePng` takes them. */
export function encodeApng(frames: readonly Uint8Array[], options: AnimationOptions): Uint8Array {
  const { width, height, channels, delay, lastDelay = delay } = options
  const [first] = frames
  if (!first) throw new ShapeError('encodeApng: at least one frame is needed, found none')
  const png = encodePng(first, width, height, channels)
  const beginning = chunksOf(png)
  const control: Chunk = { type: 'acTL', data: words(frames.length, 0) }
  const chunks: Chunk[] = beginning.filter(({ type }) => type !== 'IDAT' && type !== 'IEND')
  chunks.push(control)
  let sequence = 0
  for (const [i, frame] of frames.entries()) {
    chunks.push(frameControl(sequence++, options, i === frames.length - 1 ? lastDelay : delay))
    const encoded = i === 0 ? beginning : chunksOf(encodePng(frame, width, height, channels))
    for (const { type, data } of encoded) {
      if (type !== 'IDAT') continue
      chunks.push(i === 0 ? { type, data } : { type: 'fdAT', data: joined([words(sequence++), data]) })
    }
  }
  chunks.push({ type: 'IEND', data: new Uint8Array(0) })
  return joined([png.subarray(0, signatureLength), ...chunks.map(chunkBytes)])
}
