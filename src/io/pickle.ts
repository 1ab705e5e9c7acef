/**
 * A pickle reader that runs nothing: it builds containers, texts and numbers, and hands every other object to `resolve`,
 * which knows the few that a checkpoint may hold. Anything else is refused by name.
 */
import { FormatError } from '../util/errors.ts'

/** A Python value as far as checkpoints need it. Dicts and sets of attributes are Maps. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | PickleTuple
  | PickleDict
  | PickleGlobal
  | PickleObject

export class PickleTuple {
  readonly items: readonly PickleValue[]
  constructor(items: readonly PickleValue[]) {
    this.items = items
  }
}

export class PickleDict {
  readonly entries = new Map<PickleValue, PickleValue>()
}

/** A reference to a function or class, by module and name. */
export class PickleGlobal {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** What `resolve` made: opaque to the reader. */
export class PickleObject {
  readonly value: unknown
  constructor(value: unknown) {
    this.value = value
  }
}

/** Knows the objects of a format. Both throw a FormatError for what they do not know. */
export interface PickleResolver {
  /** The result of calling a global with arguments. */
  readonly call: (name: string, args: readonly PickleValue[]) => PickleValue
  /** The object behind a persistent id. */
  readonly persistent: (id: PickleValue) => PickleValue
}

const mark = Symbol('mark')
type StackItem = PickleValue | typeof mark

const limits = { items: 10_000_000, text: 1 << 28 } as const

/** Containers that may stand for plain data. */
const dictNames = new Set(['collections.OrderedDict', 'builtins.dict', '__builtin__.dict', 'collections.defaultdict'])

export class PickleReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #resolver: PickleResolver
  readonly #what: string
  readonly #stack: StackItem[] = []
  readonly #memo = new Map<number, PickleValue>()
  #at = 0
  #made = 0

  constructor(bytes: Uint8Array, resolver: PickleResolver, what: string) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#resolver = resolver
    this.#what = what
  }

  #fail(reason: string): FormatError {
    return new FormatError(`${this.#what}: ${reason}`)
  }

  #take(count: number): number {
    const at = this.#at
    if (count > this.#bytes.length - at || count > limits.text) throw this.#fail('the pickle is cut off')
    this.#at += count
    return at
  }

  #text(length: number): string {
    const at = this.#take(length)
    return new TextDecoder().decode(this.#bytes.subarray(at, at + length))
  }

  #line(): string {
    const end = this.#bytes.indexOf(10, this.#at)
    if (end < 0) throw this.#fail('the pickle is cut off')
    return this.#text(end + 1 - this.#at).slice(0, -1)
  }

  #length64(): number {
    const length = this.#view.getBigUint64(this.#take(8), true)
    if (length > BigInt(this.#bytes.length)) throw this.#fail('the pickle is cut off')
    return Number(length)
  }

  #push(value: PickleValue): void {
    if (++this.#made > limits.items) throw this.#fail(`the pickle makes more than ${limits.items} values`)
    this.#stack.push(value)
  }

  #pop(): PickleValue {
    const value = this.#stack.pop()
    if (value === undefined || value === mark) throw this.#fail('the pickle takes a value that is not there')
    return value
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1)
    if (value === undefined || value === mark) throw this.#fail('the pickle uses a value that is not there')
    return value
  }

  /** Everything above the last mark, which goes too. */
  #popToMark(): PickleValue[] {
    const start = this.#stack.lastIndexOf(mark)
    if (start < 0) throw this.#fail('the pickle closes what was not opened')
    const items = this.#stack.splice(start)
    return items.filter((item) => item !== mark)
  }

  #long(length: number): bigint {
    const at = this.#take(length)
    let value = 0n
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[at + i] ?? 0)
    return length === 0 ? 0n : BigInt.asIntN(8 * length, value)
  }

  #integer(text: string): PickleValue {
    if (text === '00') return false
    if (text === '01') return true
    if (!/^-?\d+L?$/.test(text)) throw this.#fail(`"${text}" is no number`)
    return Number(text.replace('L', ''))
  }

  #remember(index: number): void {
    this.#memo.set(index, this.#top())
  }

  #recall(index: number): void {
    const value = this.#memo.get(index)
    if (value === undefined) throw this.#fail(`the pickle recalls value ${index}, which it never kept`)
    this.#push(value)
  }

  #setItems(items: readonly PickleValue[]): void {
    const target = this.#top()
    if (!(target instanceof PickleDict) || items.length % 2 !== 0)
      throw this.#fail('the pickle sets items of what is no dict')
    for (let i = 0; i < items.length; i += 2) target.entries.set(items[i] ?? null, items[i + 1] ?? null)
  }

  #append(items: readonly PickleValue[]): void {
    const target = this.#top()
    if (!Array.isArray(target)) throw this.#fail('the pickle appends to what is no list')
    for (const item of items) target.push(item)
  }

  #call(callee: PickleValue, args: PickleValue): PickleValue {
    if (!(callee instanceof PickleGlobal) || !(args instanceof PickleTuple))
      throw this.#fail('the pickle calls what is no function')
    if (dictNames.has(callee.name)) {
      const dict = new PickleDict()
      const [pairs] = args.items
      if (Array.isArray(pairs))
        for (const pair of pairs)
          if (pair instanceof PickleTuple) dict.entries.set(pair.items[0] ?? null, pair.items[1] ?? null)
      return dict
    }
    return this.#resolver.call(callee.name, args.items)
  }

  /** Reads the whole pickle and returns its value. */
  read(): PickleValue {
    for (;;) {
      const code = this.#bytes[this.#take(1)] ?? 0
      if (code === 0x2e) return this.#pop()
      const step = opcodes[code]
      if (!step) throw this.#fail(`the pickle has the unknown instruction 0x${code.toString(16).padStart(2, '0')}`)
      step(this)
    }
  }

  // The instructions, by byte. They stand inside the class to reach its private state.
  static instructions(): Readonly<Record<number, (r: PickleReader) => void>> {
    const u8 = (r: PickleReader): number => r.#bytes[r.#take(1)] ?? 0
    const u32 = (r: PickleReader): number => r.#view.getUint32(r.#take(4), true)
    const bytes = (r: PickleReader, length: number): Uint8Array => {
      const at = r.#take(length)
      return new Uint8Array(r.#bytes.subarray(at, at + length))
    }
    const tuple = (count: number) => (r: PickleReader) => {
      const items = Array.from({ length: count }, () => r.#pop()).reverse()
      r.#push(new PickleTuple(items))
    }
    return {
      128: (r) => void r.#take(1), // PROTO
      149: (r) => void r.#take(8), // FRAME
      40: (r) => void r.#stack.push(mark), // MARK
      48: (r) => void r.#pop(), // POP
      49: (r) => void r.#popToMark(), // POP_MARK
      50: (r) => r.#push(r.#top()), // DUP
      78: (r) => r.#push(null), // NONE
      136: (r) => r.#push(true), // NEWTRUE
      137: (r) => r.#push(false), // NEWFALSE
      73: (r) => r.#push(r.#integer(r.#line())), // INT
      76: (r) => r.#push(r.#integer(r.#line())), // LONG
      74: (r) => r.#push(r.#view.getInt32(r.#take(4), true)), // BININT
      75: (r) => r.#push(u8(r)), // BININT1
      77: (r) => r.#push(r.#view.getUint16(r.#take(2), true)), // BININT2
      138: (r) => r.#push(r.#long(u8(r))), // LONG1
      70: (r) => r.#push(Number(r.#line())), // FLOAT
      71: (r) => r.#push(r.#view.getFloat64(r.#take(8), false)), // BINFLOAT
      88: (r) => r.#push(r.#text(u32(r))), // BINUNICODE
      140: (r) => r.#push(r.#text(u8(r))), // SHORT_BINUNICODE
      141: (r) => r.#push(r.#text(r.#length64())), // BINUNICODE8
      86: (r) => r.#push(r.#line()), // UNICODE
      83: (r) => r.#push(r.#line().replace(/^['"]|['"]$/g, '')), // STRING
      84: (r) => r.#push(r.#text(u32(r))), // BINSTRING
      85: (r) => r.#push(r.#text(u8(r))), // SHORT_BINSTRING
      66: (r) => r.#push(bytes(r, u32(r))), // BINBYTES
      67: (r) => r.#push(bytes(r, u8(r))), // SHORT_BINBYTES
      142: (r) => r.#push(bytes(r, r.#length64())), // BINBYTES8
      93: (r) => r.#push([]), // EMPTY_LIST
      108: (r) => r.#push(r.#popToMark()), // LIST
      97: (r) => r.#append([r.#pop()]), // APPEND
      101: (r) => r.#append(r.#popToMark()), // APPENDS
      41: (r) => r.#push(new PickleTuple([])), // EMPTY_TUPLE
      116: (r) => r.#push(new PickleTuple(r.#popToMark())), // TUPLE
      133: tuple(1),
      134: tuple(2),
      135: tuple(3),
      125: (r) => r.#push(new PickleDict()), // EMPTY_DICT
      100: (r) => {
        const items = r.#popToMark() // DICT
        r.#push(new PickleDict())
        r.#setItems(items)
      },
      115: (r) => {
        const value = r.#pop() // SETITEM
        const key = r.#pop()
        r.#setItems([key, value])
      },
      117: (r) => r.#setItems(r.#popToMark()), // SETITEMS
      143: (r) => r.#push([]), // EMPTY_SET
      144: (r) => r.#append(r.#popToMark()), // ADDITEMS
      145: (r) => r.#push(r.#popToMark()), // FROZENSET
      112: (r) => r.#remember(Number(r.#line())), // PUT
      113: (r) => r.#remember(u8(r)), // BINPUT
      114: (r) => r.#remember(u32(r)), // LONG_BINPUT
      148: (r) => r.#remember(r.#memo.size), // MEMOIZE
      103: (r) => r.#recall(Number(r.#line())), // GET
      104: (r) => r.#recall(u8(r)), // BINGET
      106: (r) => r.#recall(u32(r)), // LONG_BINGET
      99: (r) => {
        const module = r.#line() // GLOBAL
        r.#push(new PickleGlobal(`${module}.${r.#line()}`))
      },
      147: (r) => {
        const name = r.#pop() // STACK_GLOBAL
        const module = r.#pop()
        r.#push(new PickleGlobal(`${String(module)}.${String(name)}`))
      },
      82: (r) => {
        const args = r.#pop() // REDUCE
        r.#push(r.#call(r.#pop(), args))
      },
      129: (r) => {
        const args = r.#pop() // NEWOBJ
        r.#push(r.#call(r.#pop(), args))
      },
      98: (r) => void r.#pop(), // BUILD: attributes of containers carry nothing we need
      81: (r) => r.#push(r.#resolver.persistent(r.#pop())), // BINPERSID
      80: (r) => r.#push(r.#resolver.persistent(r.#line())), // PERSID
    }
  }
}

const opcodes = PickleReader.instructions()
