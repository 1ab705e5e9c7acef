/**
 * PyTorch checkpoints (`torch.save` since 1.6: a zip archive with a pickle and raw storages), and the weights of TorchScript's programs
 * (`torch.jit.save`), which have the same form. Nothing in them is executed.
 */
import { elementCount, type NDArray } from '../tensor/dtype.ts'
import { stridesOf } from '../tensor/shape.ts'
import { FormatError } from '../util/errors.ts'
import { arrayOrWords, elementBytes, gatherElements, isPlausibleShape, readElements } from './elements.ts'
import { damaged, quoted } from './errors.ts'
import { readPickle } from './pickle.ts'
import {
  PickleAttributes,
  PickleDict,
  PickleGlobal,
  PickleObject,
  PickleTuple,
  PickleUnbuilt,
  type PickleValue,
  sequence,
} from './pickle-values.ts'
import { pytorchObjects, TensorView } from './pytorch-objects.ts'
import type { TensorFile } from './tensor-format.ts'
import { readZip, type ZipMember } from './zip.ts'

const what = 'PyTorch checkpoint'

// The pickle has names and shapes only: millions of tensors fit into this.
const maximumPickle = 2 ** 28
// Tensors may share storages, so that a small file could describe far more data than it has.
const maximumExpansion = 16
const freeExpansion = 2 ** 24
/** Depth to which nested dicts and lists are followed. */
const maximumDepth = 64
// Nested containers may hold one another many times: their names are bounded together, in characters.
const maximumNames = 2 ** 25

/** The member of a zip archive that makes it a PyTorch checkpoint. */
function findPickle(members: readonly ZipMember[]): ZipMember | undefined {
  return members.find(({ name }) => name === 'data.pkl' || name.endsWith('/data.pkl'))
}

const stateDictHint = 'save the state dict alone: torch.save(model.state_dict(), path)'

/** What PyTorch writes besides checkpoints, by a member that only such an archive has. */
const programs: readonly (readonly [name: RegExp, kind: string])[] = [
  [/(^|\/)(archive_format|serialized_exported_program\.json|models\/[^/]+\.json)$/, 'torch.export (.pt2)'],
  [/(^|\/)aotinductor\//, 'AOTInductor (.pt2)'],
  [/(^|\/)\.data\/extern_modules$/, 'torch.package'],
]

/** Members that make an archive TorchScript's. */
const script = /(^|\/)(constants\.pkl|code\/.+\.py)$/

/** Whether an archive is PyTorch's: a checkpoint, or a program. */
export function isPytorch(members: readonly ZipMember[]): boolean {
  return findPickle(members) !== undefined || findProgram(members) !== undefined
}

function findProgram(members: readonly ZipMember[]): string | undefined {
  return programs.find(([pattern]) => members.some(({ name }) => pattern.test(name)))?.[1]
}

function refuseProgram(members: readonly ZipMember[]): void {
  const kind = findProgram(members)
  if (kind === undefined) return
  throw new FormatError(`is an archive of ${kind}, a program with its weights, which is not read`, {
    hint: 'load it with PyTorch and save its weights alone: torch.save(model.state_dict(), path)',
  })
}

/** The storages of a checkpoint's archive. */
class Storages {
  readonly #members: ReadonlyMap<string, ZipMember>
  readonly #prefix: string
  readonly #littleEndian: boolean
  readonly #unpacked = new Map<string, Uint8Array>()
  #budget: number

  constructor(members: readonly ZipMember[], pickle: ZipMember) {
    this.#members = new Map(members.map((member) => [member.name, member]))
    this.#prefix = pickle.name.slice(0, -'data.pkl'.length)
    this.#littleEndian = this.#byteOrder() === 'little'
    this.#budget = freeExpansion + maximumExpansion * members.reduce((sum, { size }) => sum + size, 0)
  }

  /** Files without the member were written before 2.1, on little-endian machines but for rare ones. */
  #byteOrder(): string {
    const member = this.#members.get(`${this.#prefix}byteorder`)
    const order = member ? new TextDecoder().decode(member.unpack()).trim() : 'little'
    if (order !== 'little' && order !== 'big') {
      throw damaged(`${what}: the byte order must be "little" or "big", found ${quoted(order)}`)
    }
    return order
  }

  #bytes(key: string): Uint8Array {
    const known = this.#unpacked.get(key)
    if (known) return known
    const member = this.#members.get(`${this.#prefix}data/${key}`)
    if (!member) throw damaged(`${what}: the archive has no storage ${quoted(key)}`)
    const bytes = member.unpack()
    this.#unpacked.set(key, bytes)
    return bytes
  }

  /** The elements of a view, row-major. */
  read({ storage, offset, shape, strides }: TensorView, name: string): NDArray {
    const tensor = `${what}: tensor ${quoted(name)}`
    const width = elementBytes(storage.element)
    const bytes = this.#bytes(storage.key)
    const count = elementCount(shape)
    if (!isPlausibleShape(shape)) throw damaged(`${tensor} has ${count} elements, more than any array`)
    this.#budget -= count * width
    if (this.#budget < 0) {
      throw new FormatError(`${what}: its tensors take more than ${maximumExpansion} times the file's size`, {
        hint: 'save copies of tensors that are expanded: tensor.contiguous()',
      })
    }
    const last = offset + shape.reduce((sum, size, i) => sum + (size - 1) * (strides[i] ?? 0), 0)
    if (count > 0 && (last + 1) * width > bytes.length) {
      throw damaged(
        `${tensor} needs ${(last + 1) * width} bytes of storage ${quoted(storage.key)}, which has ${bytes.length}`,
      )
    }
    const plain = stridesOf(shape)
    const contiguous = count === 0 || shape.every((size, i) => size === 1 || strides[i] === plain[i])
    const window = contiguous
      ? bytes.subarray(offset * width, (offset + count) * width)
      : gatherElements(bytes, width, { offset, shape, strides })
    return readElements(tensor, storage.element, shape, window, this.#littleEndian)
  }
}

function isView(value: PickleValue): value is PickleObject & { readonly value: TensorView } {
  return value instanceof PickleObject && value.value instanceof TensorView
}

/** Collects the leaves of nested dicts and lists under dotted names. */
class Leaves {
  readonly tensors = new Map<string, NDArray>()
  readonly metadata = new Map<string, string>()
  /** Everything else, with what it is. */
  readonly leftOut = new Map<string, string>()
  readonly #storages: Storages
  #names = 0

  constructor(storages: Storages) {
    this.#storages = storages
  }

  visit(value: PickleValue, path: string, depth = 0): void {
    this.#names += path.length + 1
    if (this.#names > maximumNames) throw damaged(`${what}: its dicts and lists have more entries than any checkpoint`)
    if (depth > maximumDepth) throw damaged(`${what}: is nested deeper than ${maximumDepth} levels`)
    if (value instanceof PickleAttributes) this.#visitModule(value, path, depth)
    else if (value instanceof PickleDict) this.#visitAll(value.entries, path, depth)
    else if (value instanceof PickleTuple || Array.isArray(value)) {
      this.#visitAll(sequence(value).entries(), path, depth)
    } else this.#leaf(value, path)
  }

  /** Of a module only parameters, buffers and modules are state: not its mode, hooks and constants. */
  #visitModule({ entries }: PickleAttributes, path: string, depth: number): void {
    this.#visitAll(
      [...entries].filter(([, item]) => isView(item) || item instanceof PickleAttributes),
      path,
      depth,
    )
  }

  #visitAll(entries: Iterable<readonly [PickleValue, PickleValue]>, path: string, depth: number): void {
    for (const [key, item] of entries) {
      if (typeof key === 'object' && key !== null)
        this.leftOut.set(path || 'the outermost dict', 'a key that is neither text nor number')
      else this.visit(item, path ? `${path}.${String(key)}` : String(key), depth + 1)
    }
  }

  #tensor(view: TensorView, name: string): void {
    const found = arrayOrWords(() => this.#storages.read(view, name))
    if (typeof found === 'string') this.leftOut.set(name, found)
    else this.tensors.set(name, found)
  }

  #leaf(value: PickleValue, path: string): void {
    const isTensor = isView(value)
    const name = path || (isTensor ? 'tensor' : 'value')
    if (this.tensors.has(name) || this.metadata.has(name)) {
      throw new FormatError(`${what}: two values have the name ${quoted(name)}`, {
        hint: 'nested dicts become dotted names: rename a key that has a dot',
      })
    }
    if (isTensor) this.#tensor(value.value, name)
    else if (value instanceof PickleGlobal) this.metadata.set(name, value.name)
    else if (value instanceof PickleUnbuilt) this.leftOut.set(name, value.name)
    else if (value instanceof PickleObject) this.leftOut.set(name, 'storage')
    else if (value instanceof Uint8Array) this.leftOut.set(name, 'bytes')
    else if (value !== null && typeof value !== 'object') this.metadata.set(name, String(value))
  }
}

/**
 * Reads the tensors of a checkpoint. Nested dicts and lists become dotted names (`optimizer.state.0.step`); numbers,
 * bools and texts go into `metadata`; objects of any class but those of plain tensors are never built, and stand in
 * `leftOut`. Throws a FormatError on damaged archives, and on those of other uses: a whole model, torch.export. Of a
 * TorchScript program the state dict of its module is read.
 */
export function readPytorch(bytes: Uint8Array): TensorFile {
  const members = readZip(bytes, what)
  refuseProgram(members)
  const pickle = findPickle(members)
  if (!pickle) {
    throw new FormatError(`${what}: the archive has no data.pkl`, { hint: 'write it with torch.save of 1.6 or later' })
  }
  if (pickle.size > maximumPickle) {
    throw damaged(`${what}: data.pkl must have at most ${maximumPickle} bytes, found ${pickle.size}`)
  }
  const root = readPickle(
    pickle.unpack(),
    pytorchObjects(
      what,
      members.some(({ name }) => script.test(name)),
    ),
  )
  if (root instanceof PickleUnbuilt) {
    throw new FormatError(`${what}: is one whole object, which is not built: ${quoted(root.name)}`, {
      hint: stateDictHint,
    })
  }
  const { tensors, metadata, leftOut } = collected(root, new Storages(members, pickle))
  return {
    format: 'pytorch',
    tensors,
    metadata: Object.fromEntries(metadata),
    ...(leftOut.size > 0 && { leftOut }),
  }
}

function collected(root: PickleValue, storages: Storages): Leaves {
  const leaves = new Leaves(storages)
  leaves.visit(root, '')
  return leaves
}
