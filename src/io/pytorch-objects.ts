/** The classes and functions of PyTorch that a checkpoint of plain tensors asks for, and what they stand for here. */
import type { FileElement } from './elements.ts'
import { damaged } from './errors.ts'
import type { PickleResolver } from './pickle.ts'
import {
  PickleAttributes,
  PickleGlobal,
  PickleObject,
  PickleTuple,
  PickleUnbuilt,
  type PickleValue,
  sequence,
  wholeNumber,
} from './pickle-values.ts'

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

/** A piece of the archive whose elements are of a type that is not read. */
class UnreadStorage {
  readonly type: string
  constructor(type: string) {
    this.type = type
  }
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

type Call = (what: string, args: readonly PickleValue[]) => PickleValue | undefined

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
function rebuildTensor(what: string, args: readonly PickleValue[], element?: FileElement): PickleValue {
  const [reference, offset, shape, strides] = args
  if (reference instanceof PickleObject && reference.value instanceof UnreadStorage) {
    return new PickleUnbuilt(`tensor of ${reference.value.type}`)
  }
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
function rebuildTypedTensor(what: string, args: readonly PickleValue[]): PickleValue {
  const dtype = args[6]
  if (!(dtype instanceof PickleGlobal)) throw damaged(`${what}: a tensor has no dtype`)
  const element = dtypeElements.get(dtype.name)
  return element ? rebuildTensor(what, args, element) : new PickleUnbuilt(`tensor of ${dtype.name}`)
}

/** `(tensor, requires_grad, hooks)` */
function rebuildParameter(what: string, [tensor]: readonly PickleValue[]): PickleValue {
  if (tensor instanceof PickleUnbuilt) return tensor
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

/** Tensors that have no plain numbers, by the function that builds them. */
const otherTensors: ReadonlyMap<string, string> = new Map([
  ['torch._utils._rebuild_qtensor', 'quantized tensor'],
  ['torch._utils._rebuild_sparse_tensor', 'sparse tensor'],
  ['torch._utils._rebuild_nested_tensor', 'nested tensor'],
  ['torch._utils._rebuild_meta_tensor_no_storage', 'tensor without data (meta)'],
  ['torch._utils._rebuild_wrapper_subclass', 'tensor of a class of its own'],
])

/** `(function, type, its arguments, attributes)`: a tensor with attributes of its own, which are left out. */
function rebuildFromType(what: string, [callee, , args]: readonly PickleValue[]): PickleValue {
  if (!(callee instanceof PickleGlobal) || !(args instanceof PickleTuple)) {
    throw damaged(`${what}: a tensor with attributes has no tensor`)
  }
  return tensorCalls.get(callee.name)?.(what, args.items) ?? otherTensor(callee.name) ?? new PickleUnbuilt(callee.name)
}

function otherTensor(name: string): PickleUnbuilt | undefined {
  const kind = otherTensors.get(name)
  return kind === undefined ? undefined : new PickleUnbuilt(kind)
}

const calls: ReadonlyMap<string, Call> = new Map<string, Call>([
  ...tensorCalls,
  ['torch._tensor._rebuild_from_type_v2', rebuildFromType],
  ['torch.Size', (_what, [size]) => size ?? new PickleTuple([])],
  ['torch.device', (_what, [name, index]) => [name, index].filter((part) => part !== undefined).join(':')],
  // Bytes as protocol 2 writes them. They are not tensor data, so nothing is encoded.
  ['_codecs.encode', () => new Uint8Array()],
])

/** `('storage', torch.FloatStorage, key, device, count)` */
function persistentStorage(what: string, id: PickleValue): PickleObject {
  const [kind, type, key] = id instanceof PickleTuple ? id.items : []
  if (kind !== 'storage' || !(type instanceof PickleGlobal) || typeof key !== 'string') {
    throw damaged(`${what}: a storage must have a type and a name`)
  }
  const element = storageElements.get(type.name)
  return new PickleObject(element ? new StorageReference({ key, element }) : new UnreadStorage(type.name))
}

/**
 * What the pickle of a checkpoint may ask for; `what` begins every error. `scripted`: modules of TorchScript are there, as their attributes.
 */
export function pytorchObjects(what: string, scripted = false): PickleResolver {
  const module = (name: string): PickleAttributes | undefined =>
    scripted && name.startsWith('__torch__.') ? new PickleAttributes() : undefined
  return {
    what,
    call: (name, args) => calls.get(name)?.(what, args) ?? otherTensor(name) ?? module(name),
    persistent: (id) => persistentStorage(what, id),
  }
}
