import { describe, expect, test } from 'vitest'
import { type PickleResolver, readPickle } from '../../src/io/pickle.ts'
import {
  PickleDict,
  PickleGlobal,
  PickleTuple,
  PickleUnbuilt,
  type PickleValue,
  wholeNumber,
} from '../../src/io/pickle-values.ts'
import { bytesOfText, expectDamaged } from './samples.ts'

const resolver: PickleResolver = {
  what: 'file',
  call: (name, args) => (name === 'known.function' ? `${name} called with ${args.length}` : undefined),
  persistent: (id) => `object ${String(id)}`,
}

/** Old protocols write bytes as a call of `_codecs.encode`. */
const codecs: PickleResolver = { ...resolver, call: () => new Uint8Array() }

const read = (text: string): PickleValue => readPickle(bytesOfText(text), resolver)

/** Tuples as lists with a mark before them, dicts as objects: comparable. */
function plain(value: PickleValue): unknown {
  if (value instanceof PickleTuple) return ['tuple', ...value.items.map(plain)]
  if (value instanceof PickleDict) return Object.fromEntries([...value.entries].map(([k, v]) => [String(k), plain(v)]))
  return Array.isArray(value) ? value.map(plain) : value
}

// One value in four protocols, by Python 3.11: base64.b64encode(pickle.dumps(value, protocol)).
test.each([
  [
    0,
    'KGxwMApJMQphSS0yCmFJMzAwCmFMMjE0NzQ4MzY0OEwKYUwxMjM0NTY3ODkwMTIzNDU2Nzg5MEwKYUwtMTE4MDU5MTYyMDcxNzQxMTMwMzQyNEwKYUYxLjUKYUYtaW5mCmFWdPx4dApwMQphY19jb2RlY3MKZW5jb2RlCnAyCihWXHUwMDAw/wpwMwpWbGF0aW4xCnA0CnRwNQpScDYKYUkwMQphSTAwCmFOYSh0YShJMQp0cDcKYShJMQpJMgpJMwpJNAp0cDgKYShkcDkKVmsKcDEwCkkzCnNhY2NvbGxlY3Rpb25zCk9yZGVyZWREaWN0CnAxMQoodFJwMTIKVmEKcDEzCkkxCnNhY19fYnVpbHRpbl9fCnNldApwMTQKKChscDE1Ckk1CmF0cDE2ClJwMTcKYVZ4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHgKcDE4CmEobHAxOQoobHAyMAphYShscDIxClZzCnAyMgphYWcyMQphLg==',
  ],
  [
    2,
    'gAJdcQAoSwFK/v///00sAYoFAAAAgACKCdIKH+uMqVSrAIoJAAAAAAAAAADARz/4AAAAAAAAR//wAAAAAAAAWAUAAAB0w7x4dHEBY19jb2RlY3MKZW5jb2RlCnECWAMAAAAAw79xA1gGAAAAbGF0aW4xcQSGcQVScQaIiU4pSwGFcQcoSwFLAksDSwR0cQh9cQlYAQAAAGtxCksDc2Njb2xsZWN0aW9ucwpPcmRlcmVkRGljdApxCylScQxYAQAAAGFxDUsBc2NfX2J1aWx0aW5fXwpzZXQKcQ5dcQ9LBWGFcRBScRFYLAEAAHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHESXXETXXEUYV1xFVgBAAAAc3EWYWgVZS4=',
  ],
  [
    4,
    'gASV1QEAAAAAAABdlChLAUr+////TSwBigUAAACAAIoJ0gof64ypVKsAigkAAAAAAAAAAMBHP/gAAAAAAABH//AAAAAAAACMBXTDvHh0lEMCAP+UiIlOKUsBhZQoSwFLAksDSwR0lH2UjAFrlEsDc4wLY29sbGVjdGlvbnOUjAtPcmRlcmVkRGljdJSTlClSlIwBYZRLAXOPlChLBZBYLAEAAHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eJRdlF2UYV2UjAFzlGFoEGUu',
  ],
  [
    5,
    'gAWV1QEAAAAAAABdlChLAUr+////TSwBigUAAACAAIoJ0gof64ypVKsAigkAAAAAAAAAAMBHP/gAAAAAAABH//AAAAAAAACMBXTDvHh0lEMCAP+UiIlOKUsBhZQoSwFLAksDSwR0lH2UjAFrlEsDc4wLY29sbGVjdGlvbnOUjAtPcmRlcmVkRGljdJSTlClSlIwBYZRLAXOPlChLBZBYLAEAAHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eJRdlF2UYV2UjAFzlGFoEGUu',
  ],
] as const)('protocol %i', (protocol, base64) => {
  const bytes = protocol < 4 ? new Uint8Array() : Uint8Array.of(0, 255)
  expect(plain(readPickle(new Uint8Array(Buffer.from(base64, 'base64')), codecs))).toEqual([
    ...[1, -2, 300, 2 ** 31, 12345678901234567890n, -(2n ** 70n), 1.5, -Infinity, 'tüxt', bytes],
    ...[true, false, null, ['tuple'], ['tuple', 1], ['tuple', 1, 2, 3, 4], { k: 3 }, { a: 1 }, [5], 'x'.repeat(300)],
    ...[[[]], ['s'], ['s']],
  ])
})

test('texts of protocol 0 with escapes', () => {
  const bytes = Buffer.from('KGxwMApWXHUwM2Ji/Fx1MDA1Y3VcVTAwMDFmNjAwXHUwMDBhCnAxCmEu', 'base64')
  expect(readPickle(new Uint8Array(bytes), resolver)).toEqual(['λü\\u😀\n'])
  expect(read("S'a b'\n.")).toBe('a b')
})

test('a value that was kept is the same value again', () => {
  const [first, second] = read('](]q\x01h\x01e.') as PickleValue[]
  expect(first).toBe(second)
})

test('dicts of the standard library are dicts', () => {
  const text = '\x80\x02ccollections\nOrderedDict\n]((U\x01aK\x01tK\x02U\x02hi\x86e\x85R}U\x01xK\x01sb.'
  expect(plain(read(text))).toEqual({ a: 1, 2: 'hi' })
  expect(plain(read('ccollections\ndefaultdict\ncbuiltins\nlist\n\x85R(U\x01kNu.'))).toEqual({ k: null })
  expect(plain(read('cbuiltins\nset\n](K\x01K\x02e\x85R.'))).toEqual([1, 2])
})

test('what is known is handed on', () => {
  expect(read('cknown\nfunction\nK\x01K\x02\x86R.')).toBe('known.function called with 2')
  expect(read('U\x05knownU\x08function\x93)\x81.')).toBe('known.function called with 0')
  expect(read('(K\x01iknown\nfunction\n.')).toBe('known.function called with 1')
  expect(read('(cknown\nfunction\nK\x01K\x02o.')).toBe('known.function called with 2')
  expect(read('Pid\n.')).toBe('object id')
})

describe('what is unknown is left unbuilt, with all that is in it', () => {
  const call = 'cos\nsystem\n(U\x02lstR'
  test.each([
    ['a function that is called', 'os.system', `${call}.`],
    ['named by the stack', 'os.system', 'U\x02osU\x06system\x93)R.'],
    ['an old instance', 'os.system', '(U\x02lsios\nsystem\n.'],
    ['an object with its class above the mark', 'os.system', '(cos\nsystem\nU\x02lso.'],
    ['a class', 'project.Net', 'cproject\nNet\n)\x81}U\x01aK\x01sb.'],
    ['a class with named arguments', 'project.Net', 'cproject\nNet\n)}\x92.'],
    ['a class that is a dict', 'project.Names', 'cproject\nNames\n)\x81U\x01aK\x01s(U\x01bK\x02u.'],
    ['a class that is a list', 'project.List', 'cproject\nList\n)\x81K\x01a(K\x02e.'],
    ['a result that is called', 'os.system', `${call})R.`],
    ['an object by its class', 'project.Net', 'ccopy_reg\n_reconstructor\n(cproject\nNet\nc__builtin__\nobject\nNtR.'],
    ['a member of a class', 'project.Color.RED', 'cbuiltins\ngetattr\n(cproject\nColor\nU\x03REDtR.'],
    ['a member of what is no class', 'builtins.getattr', 'cbuiltins\ngetattr\n(NU\x03REDtR.'],
  ])('%s', (_case, name, text) => {
    expect(read(text)).toEqual(new PickleUnbuilt(name))
  })
  test('a name alone is a name', () => {
    expect(read('cos\nsystem\n.')).toEqual(new PickleGlobal('os.system'))
  })
})

describe('what is no pickle', () => {
  test.each<[string, string, string]>([
    ['nothing', '', 'file: the pickle is cut off'],
    ['half a number', 'J\x01', 'file: the pickle is cut off'],
    ['half a line', 'I12', 'file: the pickle is cut off'],
    ['a text longer than the file', '\x8d\xff\xff\xff\xff\xff\xff\xff\xff', 'file: the pickle is cut off'],
    ['an unknown instruction', '\x80\x02\x03.', 'file: the pickle has the unknown instruction 0x03'],
    ['a result without values', '.', 'file: the pickle takes a value that is not there'],
    ['a value beyond the mark', 'K\x01(a.', 'file: the pickle takes a value that is not there'],
    ['a tuple without a mark', 'K\x01t.', 'file: the pickle ends a sequence that it never began'],
    ['a value never kept', 'h\x07.', 'file: the pickle recalls the value 7, which it never kept'],
    ['an item in a list', ']K\x01K\x02s.', 'file: the pickle sets an item of something that is not a dict'],
    ['a key without a value', '}(K\x01u.', 'file: the pickle sets an item of something that is not a dict'],
    ['a list in a dict', '}K\x01a.', 'file: the pickle appends to something that is not a list'],
    ['a call of a number', 'K\x01)R.', 'file: the pickle calls something that is not a function'],
    ['a call with no tuple', 'cknown\nfunction\nNR.', 'file: the pickle calls something that is not a function'],
    ['a class without a name', ']]\x93.', 'file: the pickle names a class by something that is not a text'],
    [
      'a dict of numbers',
      'cbuiltins\ndict\n]K\x01a\x85R.',
      'file: the pickle makes a dict of something other than pairs',
    ],
    ['a whole number', 'I1x\n.', 'file: the pickle has a malformed number'],
    ['a fraction', 'F0x10\n.', 'file: the pickle has a malformed number'],
    ['a text with escapes', "S'\\x00'\n.", 'file: the pickle has a text with escapes or without quotes'],
    ['a number without end', `I${'9'.repeat(2000)}\n.`, 'file: the pickle has a malformed number'],
  ])('%s', (_case, text, message) => {
    expectDamaged(() => read(text), message)
  })
  test.each(['N', '(', ']', ')', '}', 'N0', 'N2'])('%s without end', (instructions) => {
    const bytes = bytesOfText(instructions.repeat(10_001))
    const message = 'file: the pickle makes more values than any checkpoint has'
    expectDamaged(() => readPickle(bytes, resolver, 10_000), message)
  })
})

test('whole numbers', () => {
  expect([3, 3n, 3.5, 2n ** 60n, '3', null, undefined].map(wholeNumber)).toEqual([
    3,
    3,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})
