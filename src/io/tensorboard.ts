/** TensorBoard's event files: TFRecord framing around `Event` messages (tensorboard/compat/proto/event.proto). */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../util/errors.ts'
import { crc32c } from './checksum.ts'
import { cannotWrite, quoted, systemReason } from './errors.ts'

// Protocol buffers: a field is its number and wire type in one byte, then the value.
const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

function fieldKey(field: number, type: keyof typeof wireTypes): Buffer {
  return Buffer.of((field << 3) | wireTypes[type])
}

/** Seven bits a byte, lowest first; the top bit says that more follow. */
function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  return Buffer.of(...bytes, rest)
}

function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return Buffer.concat([fieldKey(field, 'fixed64'), bytes])
}

function floatField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return Buffer.concat([fieldKey(field, 'fixed32'), bytes])
}

function integerField(field: number, value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.concat([fieldKey(field, 'varint'), varint(value)])
}

/** Texts and messages inside of messages. */
function bytesField(field: number, value: Uint8Array): Buffer {
  return Buffer.concat([fieldKey(field, 'bytes'), varint(value.length), value])
}

/** `Event { wall_time = 1, file_version = 3 }`: the first of a file. `wallTime` in seconds since 1970. */
export function encodeVersionEvent(wallTime: number): Uint8Array {
  return Buffer.concat([doubleField(1, wallTime), bytesField(3, Buffer.from('brain.Event:2'))])
}

/** `Event { wall_time = 1, step = 2, summary = 5 { value = 1 { tag = 1, simple_value = 2 } } }` */
export function encodeScalarEvent(tag: string, value: number, step: number, wallTime: number): Uint8Array {
  const entry = Buffer.concat([bytesField(1, Buffer.from(tag)), floatField(2, value)])
  return Buffer.concat([doubleField(1, wallTime), integerField(2, step), bytesField(5, bytesField(1, entry))])
}

/** A checksum of a checksum would be weak, so TFRecord rotates it and adds a constant. */
function maskedChecksum(bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** A TFRecord: length (uint64), its checksum, the data, their checksum. */
export function encodeRecord(data: Uint8Array): Uint8Array {
  const record = Buffer.alloc(data.length + 16)
  record.writeBigUInt64LE(BigInt(data.length))
  record.writeUInt32LE(maskedChecksum(record.subarray(0, 8)), 8)
  record.set(data, 12)
  record.writeUInt32LE(maskedChecksum(data), 12 + data.length)
  return record
}

// Scalars are buffered in memory up to this many bytes.
const bufferSize = 1 << 16
let files = 0

/**
 * Writes scalars to a new event file in `directory`, which is made if it is missing; `tensorboard --logdir` shows them.
 * Values reach the file at `flush`, at `close`, and whenever 64 KiB of them are buffered. Throws a UsageError if the directory
 * cannot be written, and when used after `close`.
 */
export class EventFileWriter {
  readonly path: string
  readonly #file: number
  #waiting: Uint8Array[] = []
  #size = 0
  #open = true

  constructor(directory: string) {
    const seconds = Date.now() / 1000
    const name = `events.out.tfevents.${String(Math.floor(seconds)).padStart(10, '0')}.${hostname()}.${process.pid}.${files++}`
    this.path = join(directory, name)
    try {
      mkdirSync(directory, { recursive: true })
      this.#file = openSync(this.path, 'wx')
    } catch (error) {
      throw new UsageError(`${directory}: cannot hold an event file (${systemReason(error)})`, {
        cause: error,
        hint: 'give a directory that can be written',
      })
    }
    this.#add(encodeVersionEvent(seconds))
    this.flush()
  }

  /** Adds the value that `tag` (`loss/train`) has at a step: a whole number, 0 or more. It is kept as float32. */
  scalar(tag: string, value: number, step: number): void {
    if (!this.#open) throw new UsageError(`${this.path}: is closed`, { hint: 'write scalars before close()' })
    if (!Number.isSafeInteger(step) || step < 0) {
      throw new UsageError(`scalar ${quoted(tag)}: step must be a whole number, 0 or more, found ${step}`, {
        hint: 'count optimizer steps from 0',
      })
    }
    this.#add(encodeScalarEvent(tag, value, step, Date.now() / 1000))
    if (this.#size >= bufferSize) this.flush()
  }

  #add(event: Uint8Array): void {
    const record = encodeRecord(event)
    this.#waiting.push(record)
    this.#size += record.length
  }

  /** Writes what is buffered. */
  flush(): void {
    const bytes = Buffer.concat(this.#waiting)
    try {
      let written = 0
      while (written < bytes.length) written += writeSync(this.#file, bytes, written)
    } catch (error) {
      throw cannotWrite(this.path, error)
    }
    this.#waiting = []
    this.#size = 0
  }

  /** Writes what is buffered and closes the file; closing twice does nothing. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    try {
      this.flush()
    } finally {
      closeSync(this.#file)
    }
  }
}
