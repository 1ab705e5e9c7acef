/** Zip archives (NumPy's .npz, PyTorch's .pt), read with bounds on what they may unpack to. */
import { Inflate, inflateSync } from 'fflate'
import { FormatError } from '../util/errors.ts'
import { crc32 } from './checksum.ts'
import { damaged, quoted } from './errors.ts'

/** One member of an archive, still packed. */
export interface ZipMember {
  readonly name: string
  /** Size after unpacking as the archive says; what `unpack` returns has exactly this size. */
  readonly size: number
  /** The whole content; throws a FormatError unless size and checksum are those that the archive says (0: no checksum). */
  readonly unpack: () => Uint8Array
  /** The first `count` bytes of the content, or fewer at its end, unchecked: to look before unpacking. */
  readonly peek: (count: number) => Uint8Array
}

const endSignature = 0x06054b50
const end64Signature = 0x06064b50
const locator64Signature = 0x07064b50
const entrySignature = 0x02014b50
const localSignature = 0x04034b50

const endLength = 22
const localLength = 30
const entryLength = 46

// Deflate packs at most 1032 to 1 (a match of 258 bytes in 2 bits): a larger claim is a lie.
const maximumRatio = 1032

/** What the directory says of a member. */
interface Entry {
  readonly name: string
  readonly flags: number
  readonly method: number
  readonly checksum: number
  readonly packed: number
  readonly size: number
  /** Where the local header begins, which stands before the data. */
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

  #fail(reason: string): FormatError {
    return damaged(`${this.#what}: ${reason}`)
  }

  #check(offset: number, length: number): void {
    if (offset < 0 || offset + length > this.#bytes.length) throw this.#fail('the zip archive is cut off')
  }

  #u16(offset: number): number {
    this.#check(offset, 2)
    return this.#view.getUint16(offset, true)
  }

  #u32(offset: number): number {
    this.#check(offset, 4)
    return this.#view.getUint32(offset, true)
  }

  #u64(offset: number): number {
    this.#check(offset, 8)
    const value = Number(this.#view.getBigUint64(offset, true))
    if (!Number.isSafeInteger(value)) throw this.#fail('the zip archive gives an impossible size')
    return value
  }

  /** Where the directory lies and how many entries it has, from the record at the archive's end. */
  #directory(): { count: number; offset: number; end: number } {
    const last = this.#bytes.length - endLength
    for (let at = last; at >= Math.max(0, last - 0xffff); at--) {
      // The record ends with a comment as long as it says; other bytes may look like a record.
      if (this.#u32(at) !== endSignature || at + endLength + this.#u16(at + 20) !== this.#bytes.length) continue
      const hasLocator = at >= 20 && this.#u32(at - 20) === locator64Signature
      if (!hasLocator) return { count: this.#u16(at + 10), offset: this.#u32(at + 16), end: at }
      const end64 = this.#u64(at - 12)
      if (this.#u32(end64) !== end64Signature) throw this.#fail('the zip64 directory is not where the archive says')
      return { count: this.#u64(end64 + 32), offset: this.#u64(end64 + 48), end: end64 }
    }
    throw this.#fail('the zip archive has no directory at its end')
  }

  /** Sizes and offset of an entry; those that do not fit into 32 bits stand in its zip64 field. */
  #sizes(entry: number): { packed: number; size: number; offset: number } {
    const values = [this.#u32(entry + 24), this.#u32(entry + 20), this.#u32(entry + 42)]
    const extra = entry + entryLength + this.#u16(entry + 28)
    const extraEnd = extra + this.#u16(entry + 30)
    for (let at = extra; at + 4 <= extraEnd; at += 4 + this.#u16(at + 2)) {
      if (this.#u16(at) !== 1) continue
      let next = at + 4
      for (const [i, value] of values.entries()) {
        if (value !== 0xffffffff) continue
        values[i] = this.#u64(next)
        next += 8
      }
    }
    const [size = 0, packed = 0, offset = 0] = values
    return { packed, size, offset }
  }

  /** The directory's entries, in its order. */
  entries(): Entry[] {
    this.#check(0, endLength)
    const { count, offset, end } = this.#directory()
    const entries: Entry[] = []
    let at = offset
    for (let i = 0; i < count; i++) {
      if (this.#u32(at) !== entrySignature) throw this.#fail('the zip directory is damaged')
      const nameEnd = at + entryLength + this.#u16(at + 28)
      const next = nameEnd + this.#u16(at + 30) + this.#u16(at + 32)
      if (next > end) throw this.#fail('the zip directory is damaged')
      const name = new TextDecoder().decode(this.#bytes.subarray(at + entryLength, nameEnd))
      const [flags, method, checksum] = [this.#u16(at + 8), this.#u16(at + 10), this.#u32(at + 16)]
      entries.push({ name, flags, method, checksum, ...this.#sizes(at) })
      at = next
    }
    return entries
  }

  /** Refuses what a valid archive never has: shared data, impossible sizes, more than `limit` bytes in all. */
  check(entries: readonly Entry[], limit: number): void {
    const names = new Set<string>()
    let [position, total] = [0, 0]
    for (const entry of entries.toSorted((a, b) => a.offset - b.offset)) {
      const { method, packed, size, offset } = entry
      const name = quoted(entry.name)
      if (names.has(entry.name)) throw this.#fail(`the member ${name} occurs twice`)
      names.add(entry.name)
      this.#check(offset, localLength + packed)
      if (offset < position) throw this.#fail(`member ${name} lies inside of another`)
      position = offset + localLength + packed
      const possible = method === 0 ? size === packed : size <= maximumRatio * packed
      if (!possible) throw this.#fail(`member ${name} claims to hold ${size} bytes in ${packed}`)
      total += size
    }
    if (total > limit) {
      throw new FormatError(`${this.#what}: unpacks to ${total} bytes, at most ${limit} are read`, {
        hint: 'split the file, or save it without compression',
      })
    }
  }

  #packed({ name, flags, method, packed, offset }: Entry): Uint8Array {
    const member = `member ${quoted(name)}`
    if (flags & 1) throw this.#unreadable(`${member} is encrypted`)
    if (method !== 0 && method !== 8) throw this.#unreadable(`${member} is packed with method ${method}`)
    if (this.#u32(offset) !== localSignature) throw this.#fail(`${member} is not where the directory says`)
    const start = offset + localLength + this.#u16(offset + 26) + this.#u16(offset + 28)
    this.#check(start, packed)
    return this.#bytes.subarray(start, start + packed)
  }

  #unreadable(reason: string): FormatError {
    return new FormatError(`${this.#what}: ${reason}`, { hint: 'stored and deflated members are read' })
  }

  unpack(entry: Entry): Uint8Array {
    const packed = this.#packed(entry)
    const data = entry.method === 0 ? packed : this.#inflated(entry, packed)
    // A checksum of 0 is none: PyTorch writes it where checksums are turned off.
    if (entry.checksum !== 0 && crc32(data) !== entry.checksum) {
      throw this.#fail(`member ${quoted(entry.name)} does not have the checksum that the archive says`)
    }
    return data
  }

  #inflated({ name, size }: Entry, packed: Uint8Array): Uint8Array {
    let data: Uint8Array
    try {
      // fflate writes at most what `out` holds; one extra byte shows whether the content was cut.
      data = inflateSync(packed, { out: new Uint8Array(size + 1) })
    } catch (error) {
      throw damaged(
        `${this.#what}: member ${quoted(name)} cannot be unpacked: ${String(error).replace(/^Error: /, '')}`,
      )
    }
    if (data.length !== size) {
      const found = data.length > size ? 'more' : data.length
      throw this.#fail(`member ${quoted(name)} must unpack to ${size} bytes, found ${found}`)
    }
    return data
  }

  peek(entry: Entry, count: number): Uint8Array {
    const packed = this.#packed(entry)
    if (entry.method === 0) return packed.subarray(0, count)
    const head = new Uint8Array(Math.min(count, entry.size))
    let filled = 0
    const inflate = new Inflate((chunk) => {
      head.set(chunk.subarray(0, head.length - filled), filled)
      filled = Math.min(head.length, filled + chunk.length)
    })
    try {
      // In small pieces: each is unpacked as a whole.
      for (let at = 0; at < packed.length && filled < head.length; at += 512) {
        inflate.push(packed.subarray(at, at + 512), at + 512 >= packed.length)
      }
    } catch {
      // What was unpacked before is enough to look at; `unpack` reports the damage.
    }
    return head.subarray(0, filled)
  }
}

/**
 * The members of an archive, in its order; nothing is unpacked yet. All of them together may unpack to `limit` bytes
 * (default 4 GiB, or the archive's own size). Throws a FormatError that begins with `what`.
 */
export function readZip(bytes: Uint8Array, what = 'zip', limit = Math.max(2 ** 32, bytes.length)): ZipMember[] {
  const reader = new ZipReader(bytes, what)
  const entries = reader.entries()
  reader.check(entries, limit)
  return entries.map((entry) => ({
    name: entry.name,
    size: entry.size,
    unpack: () => reader.unpack(entry),
    peek: (count) => reader.peek(entry, count),
  }))
}
