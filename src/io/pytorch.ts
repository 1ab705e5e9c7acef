/** PyTorch checkpoints (`torch.save` since 1.6: a zip archive with a pickle and raw storages). Nothing in them is executed. */
import { elementCount, type NDArray } from '../tensor/dtype.ts'
import { stridesOf } from '../tensor/shape.ts'
import { FormatError } from '../util/errors.ts'
import { elementBytes, type FileElement, readElements } from './elements.ts'
import { PickleDict, PickleGlobal, PickleObject, PickleReader, PickleTuple, type PickleValue } from './pickle.ts'
import type { TensorFile } from './tensor-file.ts'
import { readZip, type ZipMember } from './zip.ts'

const what = 'PyTorch checkpoint'

const storageElements: Readonly<Record<string, FileElement>> = {
  FloatStorage: 'f32',
  DoubleStorage: 'f64',
  HalfStorage: 'f16',
  BFloat16Storage: 'bf16',
  ByteStorage: 'u8',
  CharStorage: 'i8',
  ShortStorage: 'i16',
  IntStorage: 'i32',
  LongStorage: 'i64',
  BoolStorage: 'bool',
  UntypedStorage: 'u8',
}

const dtypeElements: Readonly<Record<string, FileElement>> = {
  'torch.float32': 'f32',
  'torch.float64': 'f64',
  'torch.float16': 'f16',
  'torch.bfloat16': 'bf16',
  'torch.uint8': 'u8',
  'torch.int8': 'i8',
  'torch.int16': 'i16',
  'torch.int32': 'i32',
  'torch.int64': 'i64',
  'torch.bool': 'bool',
}

interface Storage {
  readonly key: string
  readonly element: FileElement
}

/** A tensor as pickled: a window on a storage. */
class TensorView {
  readonly storage: Storage
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  constructor(storage: Storage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage
    this.offset = offset
    this.shape = shape
    this.strides = strides
  }
}

const harmless = new Set([
  'torch.Size',
  'torch.device',
  'builtins.set',
  '__builtin__.set',
  'builtins.list',
  'builtins.tuple',
])

function isStorage(value: unknown): value is Storage {
  return typeof value === 'object' && value !== null && 'key' in value && 'element' in value
}

function sizes(value: PickleValue | undefined, name: string): number[] {
  const items = value instanceof PickleTuple ? value.items : Array.isArray(value) ? value : undefined
  const list = items?.map(Number)
  if (!list?.every((size) => Number.isSafeInteger(size) && size >= 0))
    throw new FormatError(`${what}: a tensor's ${name} must be a tuple of sizes`)
  return list
}

function rebuildTensor(args: readonly PickleValue[], element?: FileElement): PickleObject {
  const [storage, offset, shape, strides] = args
  if (!(storage instanceof PickleObject) || !isStorage(storage.value))
    throw new FormatError(`${what}: a tensor has no storage`)
  const start = Number(offset)
  if (!Number.isSafeInteger(start) || start < 0) throw new FormatError(`${what}: a tensor begins at ${String(offset)}`)
  const typed = element ? { ...storage.value, element } : storage.value
  return new PickleObject(new TensorView(typed, start, sizes(shape, 'shape'), sizes(strides, 'strides')))
}

function callGlobal(name: string, args: readonly PickleValue[]): PickleValue {
  if (name === 'torch._utils._rebuild_tensor_v2' || name === 'torch._utils._rebuild_tensor') return rebuildTensor(args)
  if (name === 'torch._utils._rebuild_tensor_v3') {
    const dtype = args[6]
    return rebuildTensor(args, dtype instanceof PickleGlobal ? dtypeElements[dtype.name] : undefined)
  }
  if (name === 'torch._utils._rebuild_parameter' || name === 'torch._utils._rebuild_parameter_with_state') {
    const [tensor] = args
    if (tensor instanceof PickleObject) return tensor
  }
  if (name === 'torch._tensor._rebuild_from_type_v2') {
    const [callee, , inner] = args
    if (callee instanceof PickleGlobal && inner instanceof PickleTuple) return callGlobal(callee.name, inner.items)
  }
  if (harmless.has(name)) {
    const [first] = args
    return first instanceof PickleTuple || Array.isArray(first) || typeof first === 'string'
      ? first
      : new PickleTuple(args)
  }
  throw new FormatError(`${what}: asks to run "${name}": refused`, {
    hint: 'save the state dict alone: torch.save(model.state_dict(), path)',
  })
}

/** `('storage', torch.FloatStorage, key, device, count)` */
function persistentStorage(id: PickleValue): PickleValue {
  const [kind, type, key] = id instanceof PickleTuple ? id.items : []
  const typeName = type instanceof PickleGlobal ? (type.name.split('.').at(-1) ?? '') : ''
  const element = storageElements[typeName]
  if (kind !== 'storage' || !element || typeof key !== 'string') {
    throw new FormatError(`${what}: a tensor's storage has the unknown type "${typeName || String(type)}"`)
  }
  return new PickleObject({ key, element } satisfies Storage)
}

// Tensors may share storages, so that a small file could describe far more data than it has.
const maximumExpansion = 16

class Archive {
  readonly #members: ReadonlyMap<string, ZipMember>
  readonly #prefix: string
  readonly #littleEndian: boolean
  readonly #storages = new Map<string, Uint8Array>()
  #budget: number

  constructor(members: readonly ZipMember[], pickle: ZipMember) {
    this.#members = new Map(members.map((member) => [member.name, member]))
    this.#prefix = pickle.name.slice(0, -'data.pkl'.length)
    const order = this.#members.get(`${this.#prefix}byteorder`)
    this.#littleEndian = order === undefined || new TextDecoder().decode(order.unpack()).trim() !== 'big'
    this.#budget = maximumExpansion * members.reduce((sum, member) => sum + member.size, 1 << 20)
  }

  #bytes(key: string): Uint8Array {
    const known = this.#storages.get(key)
    if (known) return known
    const member = this.#members.get(`${this.#prefix}data/${key}`)
    if (!member) throw new FormatError(`${what}: storage "${key}" is missing from the archive`)
    const bytes = member.unpack()
    this.#storages.set(key, bytes)
    return bytes
  }

  /** The elements of a view, row-major. */
  read(view: TensorView, name: string): NDArray {
    const { storage, offset, shape, strides } = view
    const width = elementBytes(storage.element)
    const bytes = this.#bytes(storage.key)
    const count = elementCount(shape)
    if (strides.length !== shape.length)
      throw new FormatError(`${what}: tensor "${name}" has ${shape.length} sizes and ${strides.length} strides`)
    this.#budget -= count * width
    if (!(this.#budget >= 0)) throw new FormatError(`${what}: its tensors are far larger than the file`)
    const last = offset + shape.reduce((sum, size, i) => sum + (size - 1) * (strides[i] ?? 0), 0)
    if (count > 0 && (last + 1) * width > bytes.length) {
      throw new FormatError(
        `${what}: tensor "${name}" needs ${(last + 1) * width} bytes of storage "${storage.key}", which has ${bytes.length}`,
      )
    }
    const plain = stridesOf(shape)
    const contiguous = shape.every((size, i) => size === 1 || strides[i] === plain[i])
    const window =
      contiguous || count === 0
        ? bytes.subarray(offset * width, (offset + count) * width)
        : gather(bytes, offset, shape, strides, width)
    return readElements(`${what}: tensor "${name}"`, storage.element, shape, window, this.#littleEndian)
  }
}

/** Copies the elements of a strided view into row-major order. */
function gather(
  bytes: Uint8Array,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
  width: number,
): Uint8Array {
  const out = new Uint8Array(elementCount(shape) * width)
  const index = new Array<number>(shape.length).fill(0)
  for (let to = 0; to < out.length; to += width) {
    const from = width * (offset + index.reduce((sum, i, axis) => sum + i * (strides[axis] ?? 0), 0))
    out.set(bytes.subarray(from, from + width), to)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1
      if ((index[axis] ?? 0) < (shape[axis] ?? 0)) break
      index[axis] = 0
    }
  }
  return out
}

/** Depth to which nested dicts and lists are followed. */
const maximumDepth = 64

/**
 * Reads the tensors of a checkpoint. Nested dicts and lists become dotted names; numbers and texts go into `metadata`.
 * Throws a FormatError on damaged archives, and on checkpoints that ask to run anything (naming it).
 */
export function readPytorch(bytes: Uint8Array): TensorFile {
  const members = readZip(bytes, what)
  const pickle = members.find(({ name }) => name === 'data.pkl' || name.endsWith('/data.pkl'))
  if (!pickle) throw new FormatError(`${what}: the archive has no data.pkl`)
  const root = new PickleReader(pickle.unpack(), { call: callGlobal, persistent: persistentStorage }, what).read()
  const archive = new Archive(members, pickle)
  const tensors = new Map<string, NDArray>()
  const metadata: Record<string, string> = {}
  const visit = (value: PickleValue, path: string, depth: number): void => {
    if (depth > maximumDepth) throw new FormatError(`${what}: is nested deeper than ${maximumDepth} levels`)
    const join = (key: string): string => (path ? `${path}.${key}` : key)
    if (value instanceof PickleObject) {
      if (value.value instanceof TensorView) tensors.set(path || 'tensor', archive.read(value.value, path || 'tensor'))
    } else if (value instanceof PickleDict) {
      for (const [key, item] of value.entries) visit(item, join(String(key)), depth + 1)
    } else if (value instanceof PickleTuple || Array.isArray(value)) {
      const items = value instanceof PickleTuple ? value.items : value
      for (const [i, item] of items.entries()) visit(item, join(String(i)), depth + 1)
    } else if (value !== null && !(value instanceof PickleGlobal) && !(value instanceof Uint8Array)) {
      metadata[path] = String(value)
    }
  }
  visit(root, '', 0)
  return { format: 'pytorch', tensors, metadata }
}
