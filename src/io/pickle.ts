/**
 * A pickle reader that executes nothing. It builds containers, texts and numbers; classes and functions are only names, of
 * which `PickleResolver` knows the few that a format needs. What calls any other is left unbuilt, with all that is in it.
 */
import type { FormatError } from '../util/errors.ts'
import { damaged } from './errors.ts'
import { instructions } from './pickle-instructions.ts'
import { PickleDict, PickleGlobal, PickleTuple, PickleUnbuilt, type PickleValue, sequence } from './pickle-values.ts'

/** What a format knows beyond plain data. */
export interface PickleResolver {
  /** Begins every error. */
  readonly what: string
  /** What calling the class or function `module.name` with arguments stands for; undefined: the format does not know it. */
  readonly call: (name: string, args: readonly PickleValue[]) => PickleValue | undefined
  /** Sets the state of an object that `call` made. Default: it has none. */
  readonly build?: (object: unknown, state: PickleValue) => void
  /** The object behind a persistent id. */
  readonly persistent: (id: PickleValue) => PickleValue
}

const mark = Symbol('mark')

// A value costs as many units as it takes memory, some 12 bytes each, so that a small pickle cannot fill it. A tensor with
// its storage costs about 100.
const defaultBudget = 30_000_000
const dictCost = 20
const listCost = 8

const dicts = new Set(['collections.OrderedDict', 'builtins.dict', '__builtin__.dict', 'collections.defaultdict'])
/** Functions that make an object of the class that is their first argument. */
const makers = new Set(['copyreg._reconstructor', 'copy_reg._reconstructor', 'copyreg.__newobj__'])
const lists = new Set(['list', 'set', 'frozenset'].flatMap((name) => [`builtins.${name}`, `__builtin__.${name}`]))

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** What an object that is left unbuilt is called: its class where a function makes it. */
function unbuiltName(callee: string, [owner, attribute]: readonly PickleValue[]): string {
  if (!(owner instanceof PickleGlobal)) return callee
  if (makers.has(callee)) return owner.name
  return /^(builtins|__builtin__)\.getattr$/.test(callee) ? `${owner.name}.${String(attribute)}` : callee
}

/** The stack, memo and position of a pickle that is being read; the instructions in `pickle-instructions.ts` change them. */
export class PickleMachine {
  readonly resolver: PickleResolver
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #stack: (PickleValue | typeof mark)[] = []
  readonly #memo = new Map<number, PickleValue>()
  #at = 0
  #budget: number

  constructor(bytes: Uint8Array, resolver: PickleResolver, budget: number) {
    this.resolver = resolver
    this.#budget = budget
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  fail(reason: string): FormatError {
    return damaged(`${this.resolver.what}: the pickle ${reason}`)
  }

  /** Moves on by `count` bytes and returns where they begin. */
  skip(count: number): number {
    const at = this.#at
    if (count > this.#bytes.length - at) throw this.fail('is cut off')
    this.#at += count
    return at
  }

  u8(): number {
    return this.#view.getUint8(this.skip(1))
  }

  u16(): number {
    return this.#view.getUint16(this.skip(2), true)
  }

  u32(): number {
    return this.#view.getUint32(this.skip(4), true)
  }

  i32(): number {
    return this.#view.getInt32(this.skip(4), true)
  }

  u64(): number {
    return Number(this.#view.getBigUint64(this.skip(8), true))
  }

  f64(): number {
    return this.#view.getFloat64(this.skip(8), false)
  }

  bytes(length: number): Uint8Array {
    const at = this.skip(length)
    return this.#bytes.subarray(at, at + length)
  }

  text(length: number): string {
    return decoder.decode(this.bytes(length))
  }

  /** The bytes up to the next line feed. */
  lineBytes(): Uint8Array {
    const end = this.#bytes.indexOf(10, this.#at)
    if (end < 0) throw this.fail('is cut off')
    const line = this.bytes(end - this.#at)
    this.skip(1)
    return line
  }

  line(): string {
    return decoder.decode(this.lineBytes())
  }

  push(value: PickleValue): void {
    this.#spend(value instanceof PickleDict ? dictCost : typeof value === 'object' && value !== null ? listCost : 1)
    this.#stack.push(value)
  }

  #spend(units: number): void {
    this.#budget -= units
    if (this.#budget < 0) throw this.fail('makes more values than any checkpoint has')
  }

  mark(): void {
    this.#spend(listCost)
    this.#stack.push(mark)
  }

  pop(): PickleValue {
    const value = this.top()
    this.#stack.pop()
    return value
  }

  top(): PickleValue {
    const value = this.#stack.at(-1)
    if (value === undefined || value === mark) throw this.fail('takes a value that is not there')
    return value
  }

  /** Everything above the last mark, which is removed too. */
  popToMark(): PickleValue[] {
    const start = this.#stack.lastIndexOf(mark)
    if (start < 0) throw this.fail('ends a sequence that it never began')
    return this.#stack.splice(start).filter((item) => item !== mark)
  }

  /** Keeps the topmost value under a number (default: the next). */
  remember(index = this.#memo.size): void {
    this.#memo.set(index, this.top())
  }

  recall(index: number): void {
    const value = this.#memo.get(index)
    if (value === undefined) throw this.fail(`recalls the value ${index}, which it never kept`)
    this.push(value)
  }

  /** Sets keys and values, which take turns, in the dict that is topmost. */
  setItems(items: readonly PickleValue[]): void {
    const target = this.top()
    if (target instanceof PickleUnbuilt) return
    if (!(target instanceof PickleDict) || items.length % 2 !== 0)
      throw this.fail('sets an item of something that is not a dict')
    for (let i = 0; i < items.length; i += 2) target.entries.set(items[i] ?? null, items[i + 1] ?? null)
  }

  append(items: readonly PickleValue[]): void {
    const target = this.top()
    if (target instanceof PickleUnbuilt) return
    if (!Array.isArray(target)) throw this.fail('appends to something that is not a list')
    for (const item of items) target.push(item)
  }

  global(module: PickleValue, name: PickleValue): PickleGlobal {
    if (typeof module !== 'string' || typeof name !== 'string')
      throw this.fail('names a class by something that is not a text')
    return new PickleGlobal(`${module}.${name}`)
  }

  call(callee: PickleValue, args: PickleValue): PickleValue {
    if (callee instanceof PickleUnbuilt && args instanceof PickleTuple) return callee
    if (!(callee instanceof PickleGlobal) || !(args instanceof PickleTuple)) {
      throw this.fail('calls something that is not a function')
    }
    const [first] = args.items
    if (dicts.has(callee.name)) return this.#dict(first)
    if (lists.has(callee.name)) return Array.isArray(first) ? first : []
    return this.resolver.call(callee.name, args.items) ?? new PickleUnbuilt(unbuiltName(callee.name, args.items))
  }

  #dict(pairs: PickleValue | undefined): PickleDict {
    const dict = new PickleDict()
    if (!Array.isArray(pairs)) return dict
    this.#spend(pairs.length)
    for (const pair of pairs) {
      const [key, value] = pair instanceof PickleTuple || Array.isArray(pair) ? sequence(pair) : []
      if (key === undefined || value === undefined) throw this.fail('makes a dict of something other than pairs')
      dict.entries.set(key, value)
    }
    return dict
  }

  run(): PickleValue {
    for (;;) {
      const code = this.u8()
      if (code === 0x2e) return this.pop()
      const instruction = instructions[code]
      if (!instruction) throw this.fail(`has the unknown instruction 0x${code.toString(16).padStart(2, '0')}`)
      instruction(this)
    }
  }
}

/**
 * Reads a pickle of protocol 0 to 5 and returns its value. Throws a FormatError on what is damaged, and
 * when the values would take more memory than `budget` units of 12 bytes.
 */
export function readPickle(bytes: Uint8Array, resolver: PickleResolver, budget = defaultBudget): PickleValue {
  return new PickleMachine(bytes, resolver, budget).run()
}
