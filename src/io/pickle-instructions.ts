/** What the bytes of a pickle do; names are those of Python's `pickletools`. */
import type { PickleMachine } from './pickle.ts'
import { PickleAttributes, PickleDict, PickleObject, PickleTuple, type PickleValue } from './pickle-values.ts'

type Instruction = (machine: PickleMachine) => void

// Longer numbers are not data but an attempt to keep the reader busy.
const longestNumber = 1000

/** Python writes `7L`, and the bools of protocol 0 as `00` and `01`. */
function parseInteger(machine: PickleMachine): PickleValue {
  const text = machine.line()
  if (text === '00' || text === '01') return text === '01'
  if (!/^-?\d+L?$/.test(text) || text.length > longestNumber) throw machine.fail('has a malformed number')
  return narrow(BigInt(text.replace('L', '')))
}

function parseFloat64(machine: PickleMachine): number {
  const text = machine.line()
  const special = /^(-?)(inf|nan)$/.exec(text)
  if (special) return special[2] === 'nan' ? Number.NaN : Number(`${special[1]}Infinity`)
  if (!/^-?[\d.]+(e[-+]?\d+)?$/i.test(text) || text.length > longestNumber) throw machine.fail('has a malformed number')
  return Number(text)
}

/** Little-endian, two's complement, as many bytes as needed. */
function binaryLong(machine: PickleMachine): PickleValue {
  const bytes = machine.bytes(machine.u8())
  let value = 0n
  for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte)
  return narrow(BigInt.asIntN(8 * bytes.length, value))
}

function narrow(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function index(machine: PickleMachine): number {
  const value = parseInteger(machine)
  if (typeof value !== 'number') throw machine.fail('has a malformed number')
  return value
}

/** Python's raw-unicode-escape: Latin-1, and what is not as `\u03bb` or `\U0001f600`. */
function rawUnicode(machine: PickleMachine): string {
  const text = Array.from(machine.lineBytes(), (byte) => String.fromCharCode(byte)).join('')
  const escaped = /\\u([0-9a-f]{4})|\\U(000[0-9a-f]{5}|0010[0-9a-f]{4})/g
  return text.replace(escaped, (_all, short?: string, long = '0') =>
    String.fromCodePoint(Number.parseInt(short ?? long, 16)),
  )
}

/** A text of Python 2 in quotes. */
function quotedString(machine: PickleMachine): string {
  const [, , text] = /^(['"])([^\\]*)\1$/.exec(machine.line()) ?? []
  if (text === undefined) throw machine.fail('has a text with escapes or without quotes')
  return text
}

function tuple(length: number): Instruction {
  return (machine) => {
    const items = Array.from({ length }, () => machine.pop())
    machine.push(new PickleTuple(items.reverse()))
  }
}

function dict(machine: PickleMachine): void {
  const items = machine.popToMark()
  machine.push(new PickleDict())
  machine.setItems(items)
}

function setItem(machine: PickleMachine): void {
  const value = machine.pop()
  machine.setItems([machine.pop(), value])
}

function global(machine: PickleMachine): void {
  const module = machine.line()
  machine.push(machine.global(module, machine.line()))
}

function stackGlobal(machine: PickleMachine): void {
  const name = machine.pop()
  machine.push(machine.global(machine.pop(), name))
}

/** REDUCE and NEWOBJ: a function and its arguments, a class and those of its constructor. */
function call(machine: PickleMachine): void {
  const args = machine.pop()
  machine.push(machine.call(machine.pop(), args))
}

/** NEWOBJ_EX: a class, the arguments of its constructor, and those with names. */
function callWithNames(machine: PickleMachine): void {
  machine.pop()
  call(machine)
}

/** INST: like GLOBAL, and calls it with what stands above the mark. */
function instance(machine: PickleMachine): void {
  const module = machine.line()
  const callee = machine.global(module, machine.line())
  machine.push(machine.call(callee, new PickleTuple(machine.popToMark())))
}

/** OBJ: the class stands first above the mark. */
function object(machine: PickleMachine): void {
  const [callee = null, ...args] = machine.popToMark()
  machine.push(machine.call(callee, new PickleTuple(args)))
}

/** BUILD: sets attributes of the topmost value. Those of containers (`_metadata` of a state dict) are not data. */
function build(machine: PickleMachine): void {
  const state = machine.pop()
  const target = machine.top()
  if (target instanceof PickleObject) machine.resolver.build?.(target.value, state)
  if (!(target instanceof PickleAttributes) || !(state instanceof PickleDict)) return
  for (const [name, value] of state.entries) target.entries.set(name, value)
}

const frozenSet: Instruction = (m) => m.push(m.popToMark())

/** The instructions by byte, but for STOP. What is missing (extension codes, out-of-band buffers) no checkpoint has. */
export const instructions: Readonly<Record<number, Instruction>> = {
  128: (m) => void m.u8(), // PROTO
  149: (m) => void m.skip(8), // FRAME
  40: (m) => m.mark(), // MARK
  48: (m) => void m.pop(), // POP
  49: (m) => void m.popToMark(), // POP_MARK
  50: (m) => m.push(m.top()), // DUP
  78: (m) => m.push(null), // NONE
  136: (m) => m.push(true), // NEWTRUE
  137: (m) => m.push(false), // NEWFALSE
  73: (m) => m.push(parseInteger(m)), // INT
  76: (m) => m.push(parseInteger(m)), // LONG
  74: (m) => m.push(m.i32()), // BININT
  75: (m) => m.push(m.u8()), // BININT1
  77: (m) => m.push(m.u16()), // BININT2
  138: (m) => m.push(binaryLong(m)), // LONG1
  70: (m) => m.push(parseFloat64(m)), // FLOAT
  71: (m) => m.push(m.f64()), // BINFLOAT
  88: (m) => m.push(m.text(m.u32())), // BINUNICODE
  140: (m) => m.push(m.text(m.u8())), // SHORT_BINUNICODE
  141: (m) => m.push(m.text(m.u64())), // BINUNICODE8
  86: (m) => m.push(rawUnicode(m)), // UNICODE
  83: (m) => m.push(quotedString(m)), // STRING
  84: (m) => m.push(m.text(m.u32())), // BINSTRING
  85: (m) => m.push(m.text(m.u8())), // SHORT_BINSTRING
  66: (m) => m.push(m.bytes(m.u32())), // BINBYTES
  67: (m) => m.push(m.bytes(m.u8())), // SHORT_BINBYTES
  142: (m) => m.push(m.bytes(m.u64())), // BINBYTES8
  150: (m) => m.push(m.bytes(m.u64())), // BYTEARRAY8
  93: (m) => m.push([]), // EMPTY_LIST
  108: (m) => m.push(m.popToMark()), // LIST
  97: (m) => m.append([m.pop()]), // APPEND
  101: (m) => m.append(m.popToMark()), // APPENDS
  41: (m) => m.push(new PickleTuple([])), // EMPTY_TUPLE
  116: (m) => m.push(new PickleTuple(m.popToMark())), // TUPLE
  133: tuple(1),
  134: tuple(2),
  135: tuple(3),
  125: (m) => m.push(new PickleDict()), // EMPTY_DICT
  100: dict, // DICT
  115: setItem, // SETITEM
  117: (m) => m.setItems(m.popToMark()), // SETITEMS
  143: (m) => m.push([]), // EMPTY_SET
  144: (m) => m.append(m.popToMark()), // ADDITEMS
  145: frozenSet, // FROZENSET
  112: (m) => m.remember(index(m)), // PUT
  113: (m) => m.remember(m.u8()), // BINPUT
  114: (m) => m.remember(m.u32()), // LONG_BINPUT
  148: (m) => m.remember(), // MEMOIZE
  103: (m) => m.recall(index(m)), // GET
  104: (m) => m.recall(m.u8()), // BINGET
  106: (m) => m.recall(m.u32()), // LONG_BINGET
  99: global, // GLOBAL
  147: stackGlobal, // STACK_GLOBAL
  82: call, // REDUCE
  129: call, // NEWOBJ
  146: callWithNames, // NEWOBJ_EX
  105: instance, // INST
  111: object, // OBJ
  98: build, // BUILD
  81: (m) => m.push(m.resolver.persistent(m.pop())), // BINPERSID
  80: (m) => m.push(m.resolver.persistent(m.line())), // PERSID
}
