/** Labelled arrays of a file: rows with channels, optional positions and masks; every way in which they can be wrong. */
import { readTensorFile } from '../../io/tensor-file.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { FormatError } from '../../util/errors.ts'
import { listSome } from '../counting.ts'

/** The arrays of a file by their names. */
export interface ArrayFile {
  /** uint8 or float32 [N, M, C] */
  readonly inputs: NDArray
  /** float32 [N or 1, M, d], from -1 to 1; 1: the same for all. */
  readonly positions?: NDArray
  /** bool [N, M], true: may be read. */
  readonly mask?: NDArray
  /** int32 [N], class numbers; or float32 [N, K] of 0 and 1. */
  readonly labels?: NDArray
  /** Examples that cannot be used, with the reason. */
  readonly unusable: ReadonlyMap<number, string>
  /** Names of arrays that nothing reads. */
  readonly unread: readonly string[]
}

const names = ['inputs', 'positions', 'mask', 'labels']

/** Class numbers beyond are a mistake, such as identifiers. */
const mostClasses = 100_000

function shapeText({ dtype, shape }: NDArray): string {
  return `${dtype} [${shape.join(', ')}]`
}

class Reader {
  readonly #file: string
  readonly #tensors: ReadonlyMap<string, NDArray>
  readonly unusable = new Map<number, string>()

  constructor(file: string, tensors: ReadonlyMap<string, NDArray>) {
    this.#file = file
    this.#tensors = tensors
  }

  #fail(name: string, must: string, found: string, hint?: string): FormatError {
    return new FormatError(
      `${this.#file}: "${name}" must be ${must}, found ${found}`,
      hint === undefined ? {} : { hint },
    )
  }

  /** Refuses an array of another shape; `wanted` has a size, or a list of them, for each axis, undefined for any size. */
  #check(
    name: string,
    array: NDArray,
    must: string,
    wanted: readonly (readonly number[] | undefined)[],
    hint?: string,
  ): void {
    const { shape } = array
    const fits =
      shape.length === wanted.length && shape.every((size, axis) => size > 0 && (wanted[axis]?.includes(size) ?? true))
    if (!fits) throw this.#fail(name, must, shapeText(array), hint)
  }

  #note(row: number, reason: string): void {
    if (!this.unusable.has(row)) this.unusable.set(row, reason)
  }

  /** Numbers as float32; rows with a number that is not finite are unusable. */
  #floats(name: string, array: NDArray, rows: number): NDArray {
    const data = array.data instanceof Float32Array ? array.data : Float32Array.from(toNumbers(array.data))
    const size = data.length / rows
    for (const [i, value] of data.entries()) {
      if (!Number.isFinite(value)) this.#note(Math.floor(i / size), `"${name}" has a number that is ${value}`)
    }
    return { dtype: 'float32', shape: array.shape, data }
  }

  inputs(): NDArray {
    const array = this.#tensors.get('inputs')
    if (!array) {
      const found = [...this.#tensors.keys()].map((name) => `"${name}"`)
      throw new FormatError(
        `${this.#file}: must have an array "inputs" [N, M, C], found ${listSome(found, 5) || 'none'}`,
      )
    }
    const hint = 'N examples of M rows with C channels; one channel: inputs[..., None]'
    this.#check('inputs', array, 'numbers [N, M, C]', [undefined, undefined, undefined], hint)
    return array.dtype === 'uint8' ? array : this.#floats('inputs', array, array.shape[0] ?? 1)
  }

  positions(examples: number, rows: number): NDArray | undefined {
    const array = this.#tensors.get('positions')
    if (!array) return undefined
    const must = `numbers [${examples} or 1, ${rows}, d], a place for each row of the inputs`
    this.#check('positions', array, must, [[examples, 1], [rows], undefined])
    const floats = this.#floats('positions', array, array.shape[0] ?? 1)
    const beyond = (floats.data as Float32Array).find((value) => Math.abs(value) > 1)
    if (beyond !== undefined) {
      throw this.#fail('positions', 'from -1 to 1', String(beyond), 'scale each axis: 2 * (x - min) / (max - min) - 1')
    }
    return floats
  }

  mask(examples: number, rows: number): NDArray | undefined {
    const array = this.#tensors.get('mask')
    if (!array) return undefined
    this.#check('mask', array, `[${examples}, ${rows}], true for each row that may be read`, [[examples], [rows]])
    const values = toNumbers(array.data)
    const wrong = values.find((value) => value !== 0 && value !== 1)
    if (wrong !== undefined) throw this.#fail('mask', 'true and false, or 1 and 0', String(wrong))
    for (let i = 0; i < examples; i++) {
      if (!values.slice(i * rows, (i + 1) * rows).includes(1)) this.#note(i, '"mask" lets no row be read')
    }
    return { dtype: 'bool', shape: array.shape, data: Uint8Array.from(values) }
  }

  labels(examples: number): NDArray | undefined {
    const array = this.#tensors.get('labels')
    if (!array) return undefined
    const must = `class numbers [${examples}], or 0 and 1 for each class [${examples}, K]`
    const isMulti = array.shape.length === 2
    this.#check('labels', array, must, isMulti ? [[examples], undefined] : [[examples]])
    const values = toNumbers(array.data)
    if (!isMulti) return this.#classNumbers(array, values)
    const classes = array.shape[1] ?? 1
    if (classes === 1) throw this.#fail('labels', must, shapeText(array), 'class numbers are labels[:, 0]')
    const wrong = values.find((value) => value !== 0 && value !== 1)
    if (wrong !== undefined) throw this.#fail('labels', must, `${wrong} in ${shapeText(array)}`)
    return { dtype: 'float32', shape: array.shape, data: Float32Array.from(values) }
  }

  #classNumbers(array: NDArray, values: readonly number[]): NDArray {
    for (const [row, value] of values.entries()) {
      if (!Number.isInteger(value) || value < 0)
        this.#note(row, `the label must be a class number from 0 on, found ${value}`)
      else if (value >= mostClasses) this.#note(row, `the label must be below ${mostClasses}, found ${value}`)
    }
    return { dtype: 'int32', shape: array.shape, data: Int32Array.from(values) }
  }
}

/**
 * Reads a file of arrays (.npz, also safetensors and the like). Throws a UsageError if it can't be read, a FormatError if it is damaged or its
 * arrays do not fit together; examples with numbers that are not finite, or that are no labels, are only named.
 */
export async function readArrayFile(file: string): Promise<ArrayFile> {
  const { tensors, leftOut = new Map<string, string>() } = await readTensorFile(file)
  const text = names.find((name) => leftOut.has(name))
  if (text !== undefined) {
    throw new FormatError(`${file}: "${text}" must be numbers, found ${leftOut.get(text)}`, {
      ...(text === 'labels' && { hint: 'numbers for names: numpy.unique(labels, return_inverse=True)[1]' }),
    })
  }
  const reader = new Reader(file, tensors)
  const inputs = reader.inputs()
  const [examples = 0, rows = 0] = inputs.shape
  const [positions, mask, labels] = [
    reader.positions(examples, rows),
    reader.mask(examples, rows),
    reader.labels(examples),
  ]
  return {
    inputs,
    ...(positions && { positions }),
    ...(mask && { mask }),
    ...(labels && { labels }),
    unusable: reader.unusable,
    unread: [...tensors.keys(), ...leftOut.keys()].filter((name) => !names.includes(name)),
  }
}
