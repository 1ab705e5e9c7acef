/** Zip archives (NumPy's .npz, PyTorch's .pt), read with bounds on what they may unpack to. */
import { Inflate } from 'fflate'
import { FormatError } from '../util/errors.ts'

/** One member of an archive, still packed. */
export interface ZipMember {
  readonly name: string
  /** Size after unpacking as the archive says; what `unpack` returns has exactly this size. */
  readonly size: number
  readonly unpack: () => Uint8Array
}

const endSignature = 0x06054b50
const end64Signature = 0x06064b50
const locator64Signature = 0x07064b50
const entrySignature = 0x02014b50
const localSignature = 0x04034b50

/** Whether the bytes begin like a zip archive. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5)
}

interface Directory {
  readonly count: number
  readonly offset: number
}

class ZipReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #what: string

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#what = what
  }

  fail(reason: string): FormatError {
    return new FormatError(`${this.#what}: ${reason}`)
  }

  u16(offset: number): number {
    if (offset < 0 || offset + 2 > this.#bytes.length) throw this.fail('the zip archive is cut off')
    return this.#view.getUint16(offset, true)
  }

  u32(offset: number): number {
    if (offset < 0 || offset + 4 > this.#bytes.length) throw this.fail('the zip archive is cut off')
    return this.#view.getUint32(offset, true)
  }

  u64(offset: number): number {
    if (offset < 0 || offset + 8 > this.#bytes.length) throw this.fail('the zip archive is cut off')
    const value = this.#view.getBigUint64(offset, true)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.fail('the zip archive gives an impossible size')
    return Number(value)
  }

  directory(): Directory {
    const lowest = Math.max(0, this.#bytes.length - 22 - 0xffff)
    for (let at = this.#bytes.length - 22; at >= lowest; at--) {
      if (this.#view.getUint32(at, true) !== endSignature) continue
      const hasLocator = at >= 20 && this.u32(at - 20) === locator64Signature
      if (!hasLocator) return { count: this.u16(at + 10), offset: this.u32(at + 16) }
      const end64 = this.u64(at - 12)
      if (this.u32(end64) !== end64Signature) throw this.fail('the zip64 directory is damaged')
      return { count: this.u64(end64 + 32), offset: this.u64(end64 + 48) }
    }
    throw this.fail('the zip archive has no directory: it is cut off or no archive')
  }

  /** Sizes and offset of an entry; those that do not fit into 32 bits stand in its zip64 field. */
  sizes(entry: number): { packed: number; size: number; offset: number } {
    const found = [this.u32(entry + 24), this.u32(entry + 20), this.u32(entry + 42)]
    const nameLength = this.u16(entry + 28)
    const extraEnd = entry + 46 + nameLength + this.u16(entry + 30)
    for (let at = entry + 46 + nameLength; at + 4 <= extraEnd; at += 4 + this.u16(at + 2)) {
      if (this.u16(at) !== 1) continue
      let next = at + 4
      for (const [i, value] of found.entries()) {
        if (value !== 0xffffffff) continue
        found[i] = this.u64(next)
        next += 8
      }
    }
    const [size = 0, packed = 0, offset = 0] = found
    return { packed, size, offset }
  }

  member(entry: number): { member: ZipMember; next: number } {
    if (this.u32(entry) !== entrySignature) throw this.fail('the zip directory is damaged')
    const { packed, size, offset } = this.sizes(entry)
    const nameLength = this.u16(entry + 28)
    const name = new TextDecoder().decode(this.#bytes.subarray(entry + 46, entry + 46 + nameLength))
    const [flags, method, checksum] = [this.u16(entry + 8), this.u16(entry + 10), this.u32(entry + 16)]
    const next = entry + 46 + nameLength + this.u16(entry + 30) + this.u16(entry + 32)
    const unpack = (): Uint8Array => {
      if (flags & 1) throw this.fail(`member "${name}" is encrypted`)
      if (this.u32(offset) !== localSignature) throw this.fail(`member "${name}" is not where the directory says`)
      const start = offset + 30 + this.u16(offset + 26) + this.u16(offset + 28)
      if (start + packed > this.#bytes.length) throw this.fail(`member "${name}" is cut off`)
      const data = this.#unpacked(name, method, this.#bytes.subarray(start, start + packed), size)
      if (crc32(data) !== checksum) throw this.fail(`member "${name}" is damaged: its checksum is wrong`)
      return data
    }
    return { member: { name, size, unpack }, next }
  }

  #unpacked(name: string, method: number, packed: Uint8Array, size: number): Uint8Array {
    if (method === 0) {
      if (packed.length !== size)
        throw this.fail(`member "${name}" has ${packed.length} bytes, the directory says ${size}`)
      return packed
    }
    if (method !== 8) throw this.fail(`member "${name}" is packed with method ${method}; stored and deflated are read`)
    // Deflate packs at most 1032 to 1: a larger claim is a lie, and nothing is allocated for it.
    if (size > packed.length * 1032 + 64) throw this.fail(`member "${name}" claims ${size} bytes from ${packed.length}`)
    const out = new Uint8Array(size)
    let filled = 0
    const inflate = new Inflate((chunk) => {
      if (filled + chunk.length > size)
        throw this.fail(`member "${name}" unpacks to more than the ${size} bytes it claims`)
      out.set(chunk, filled)
      filled += chunk.length
    })
    try {
      inflate.push(packed, true)
    } catch (error) {
      if (error instanceof FormatError) throw error
      throw this.fail(`member "${name}" is damaged`)
    }
    if (filled !== size) throw this.fail(`member "${name}" unpacks to ${filled} bytes, the directory says ${size}`)
    return out
  }
}

/** The members of an archive, in its order. Nothing is unpacked yet; `what` begins every error. */
export function readZip(bytes: Uint8Array, what = 'zip'): ZipMember[] {
  const reader = new ZipReader(bytes, what)
  if (bytes.length < 22) throw reader.fail('the zip archive is cut off')
  const { count, offset } = reader.directory()
  const members: ZipMember[] = []
  let entry = offset
  for (let i = 0; i < count; i++) {
    const { member, next } = reader.member(entry)
    members.push(member)
    entry = next
  }
  return members
}

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c
})

/** CRC-32 as zip archives have it. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crcTable[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}
