/** The classes and functions of PyTorch that a checkpoint of plain tensors asks for, and what they stand for here. */
import { FormatError } from '../util/errors.ts'
import type { FileElement } from './elements.ts'
import { damaged, quoted } from './errors.ts'
import type { PickleResolver } from './pickle.ts'
import { PickleGlobal, PickleObject, PickleTuple, type PickleValue, sequence, wholeNumber } from './pickle-values.ts'

const storageElements: ReadonlyMap<string, FileElement> = new Map([
  ['torch.FloatStorage', 'f32'],
  ['torch.DoubleStorage', 'f64'],
  ['torch.HalfStorage', 'f16'],
  ['torch.BFloat16Storage', 'bf16'],
  ['torch.ByteStorage', 'u8'],
  ['torch.CharStorage', 'i8'],
  ['torch.ShortStorage', 'i16'],
  ['torch.IntStorage', 'i32'],
  ['torch.LongStorage', 'i64'],
  ['torch.BoolStorage', 'bool'],
  ['torch.storage.UntypedStorage', 'u8'],
])

const dtypeElements: ReadonlyMap<string, FileElement> = new Map([
  ['torch.float32', 'f32'],
  ['torch.float64', 'f64'],
  ['torch.float16', 'f16'],
  ['torch.bfloat16', 'bf16'],
  ['torch.uint8', 'u8'],
  ['torch.uint16', 'u16'],
  ['torch.uint32', 'u32'],
  ['torch.uint64', 'u64'],
  ['torch.int8', 'i8'],
  ['torch.int16', 'i16'],
  ['torch.int32', 'i32'],
  ['torch.int64', 'i64'],
  ['torch.bool', 'bool'],
])

/** A piece of the archive with the type of its elements. */
export interface Storage {
  readonly key: string
  readonly element: FileElement
}

/** A tensor as pickled: a window on a storage. Offset and strides count elements. */
export class TensorView {
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

class StorageReference {
  readonly storage: Storage
  constructor(storage: Storage) {
    this.storage = storage
  }
}

type Call = (what: string, args: readonly PickleValue[]) => PickleValue

// NumPy's and PyTorch's bound on axes.
const maximumRank = 64

function sizes(what: string, value: PickleValue | undefined, name: string): number[] {
  const items = value instanceof PickleTuple || Array.isArray(value) ? sequence(value) : undefined
  const list = items?.slice(0, maximumRank).map((item) => wholeNumber(item) ?? -1)
  if (!items || !list || items.length > maximumRank || list.some((size) => size < 0)) {
    throw damaged(`${what}: a tensor's ${name} must be at most ${maximumRank} sizes`)
  }
  return list
}

/** `(storage, offset, size, stride, ...)` */
function rebuildTensor(what: string, args: readonly PickleValue[], element?: FileElement): PickleObject {
  const [reference, offset, shape, strides] = args
  if (!(reference instanceof PickleObject) || !(reference.value instanceof StorageReference)) {
    throw damaged(`${what}: a tensor has no storage`)
  }
  const { storage } = reference.value
  const start = wholeNumber(offset)
  if (start === undefined || start < 0) throw damaged(`${what}: a tensor's offset must be a whole number of elements`)
  const view = { shape: sizes(what, shape, 'shape'), strides: sizes(what, strides, 'strides') }
  if (view.shape.length !== view.strides.length) {
    throw damaged(`${what}: a tensor has ${view.shape.length} sizes and ${view.strides.length} strides`)
  }
  return new PickleObject(new TensorView(element ? { ...storage, element } : storage, start, view.shape, view.strides))
}

/** `(untyped storage, offset, size, stride, requires_grad, hooks, dtype)` */
function rebuildTypedTensor(what: string, args: readonly PickleValue[]): PickleObject {
  const dtype = args[6]
  const element = dtype instanceof PickleGlobal ? dtypeElements.get(dtype.name) : undefined
  if (!element) throw damaged(`${what}: a tensor has no dtype`)
  return rebuildTensor(what, args, element)
}

/** `(tensor, requires_grad, hooks)` */
function rebuildParameter(what: string, [tensor]: readonly PickleValue[]): PickleObject {
  if (!(tensor instanceof PickleObject) || !(tensor.value instanceof TensorView)) {
    throw damaged(`${what}: a parameter has no tensor`)
  }
  return tensor
}

const tensorCalls: ReadonlyMap<string, Call> = new Map<string, Call>([
  ['torch._utils._rebuild_tensor', (what, args) => rebuildTensor(what, args)],
  ['torch._utils._rebuild_tensor_v2', (what, args) => rebuildTensor(what, args)],
  ['torch._utils._rebuild_tensor_v3', rebuildTypedTensor],
  ['torch._utils._rebuild_parameter', rebuildParameter],
  ['torch._utils._rebuild_parameter_with_state', rebuildParameter],
])

/** `(function, type, its arguments, attributes)`: a tensor with attributes of its own, which are left out. */
function rebuildFromType(what: string, [callee, , args]: readonly PickleValue[]): PickleValue {
  const call = callee instanceof PickleGlobal ? tensorCalls.get(callee.name) : undefined
  if (!call || !(args instanceof PickleTuple)) throw damaged(`${what}: a tensor with attributes has no tensor`)
  return call(what, args.items)
}

const calls: ReadonlyMap<string, Call> = new Map<string, Call>([
  ...tensorCalls,
  ['torch._tensor._rebuild_from_type_v2', rebuildFromType],
  ['torch.Size', (_what, [size]) => size ?? new PickleTuple([])],
  ['torch.device', (_what, [name]) => (typeof name === 'string' ? name : '')],
  // Bytes as protocol 2 writes them. They are no data of ours, so that nothing is encoded.
  ['_codecs.encode', () => new Uint8Array()],
])

// Named, but not called: what a tensor with attributes is.
const types = new Set(['torch.Tensor', 'torch.nn.parameter.Parameter', 'torch.nn.parameter.Buffer'])

function isKnown(name: string): boolean {
  return calls.has(name) || storageElements.has(name) || dtypeElements.has(name) || types.has(name)
}

function refused(what: string, name: string): FormatError {
  if (/^torch\.\w+Storage$/.test(name)) {
    return new FormatError(`${what}: holds a ${quoted(name)}, which is not read`, {
      hint: 'convert the tensor to one of the dtypes float32, int32, int64, bool, uint8',
    })
  }
  return new FormatError(`${what}: asks to run ${quoted(name)}: refused`, {
    hint: 'save the state dict alone: torch.save(model.state_dict(), path)',
  })
}

/** `('storage', torch.FloatStorage, key, device, count)` */
function persistentStorage(what: string, id: PickleValue): PickleObject {
  const [kind, type, key] = id instanceof PickleTuple ? id.items : []
  const element = type instanceof PickleGlobal ? storageElements.get(type.name) : undefined
  if (kind !== 'storage' || !element || typeof key !== 'string') {
    throw damaged(`${what}: a storage must have a type and a name`)
  }
  return new PickleObject(new StorageReference({ key, element }))
}

/** What the pickle of a checkpoint may ask for; `what` begins every error. */
export function pytorchObjects(what: string): PickleResolver {
  return {
    what,
    admit: (name) => {
      if (!isKnown(name)) throw refused(what, name)
    },
    call: (name, args) => {
      const call = calls.get(name)
      if (!call) throw refused(what, name)
      return call(what, args)
    },
    persistent: (id) => persistentStorage(what, id),
  }
}
