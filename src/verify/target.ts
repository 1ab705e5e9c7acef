/** What a reference case is checked against. */
import type { NDArray } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { FormatError } from '../util/errors.ts'

/** Arguments of a case as JSON has them, read with the functions below. */
export type Settings = Readonly<Record<string, unknown>>

/** One application of an op, as its reference entry describes it: symbolic inputs by argument name. */
export interface OpCall {
  /** Both `input/` and `param/` tensors, by the name after the slash: `input`, `weight`, `tensors.0`. */
  readonly inputs: Readonly<Record<string, Tensor>>
  readonly settings: Settings
}

/** Builds the outputs of an entry, in the order of its `outputs`. Gradients and comparison are the caller's. */
export type OpTarget = (call: OpCall) => Tensor | readonly Tensor[]

/** Targets by the `op` name of the entries. */
export type OpTargets = Readonly<Record<string, OpTarget>>

/** A whole case: its settings and tensors by their full names (`param/...`, `input/...`). */
export interface ReferenceCase {
  readonly system: string
  readonly name: string
  readonly target: string
  readonly mode: string
  readonly config: Settings
  /** The whole JSON file: some cases have texts or records beside their tensors. */
  readonly fields: Settings
  /** Where the case's files lie: some cases name another one. */
  readonly folder: string
  readonly tensors: ReadonlyMap<string, NDArray>
}

/** Computes every `output/`, `grad/`, `grad_input/` and `state/` tensor of a case, by its full name. */
export type CaseTarget = (reference: ReferenceCase) => Promise<ReadonlyMap<string, NDArray>>

/** Targets by the `target` of the cases; the first matching predicate wins. */
export interface CaseTargetRule {
  /** The `target` text of the case; a model's is its import path in the official code. */
  readonly target: string | RegExp
  readonly run: CaseTarget
  /** Where the case's own notes ask for another tolerance than its general one: by the tensor's full name. */
  readonly toleranceOf?: (name: string, general: CaseTolerance) => CaseTolerance
}

/** |found - expected| <= atol + rtol |expected|. */
export interface CaseTolerance {
  readonly atol: number
  readonly rtol: number
}

function wrong(name: string, expected: string, found: unknown): FormatError {
  return new FormatError(`setting "${name}" must be ${expected}, found ${JSON.stringify(found)}`)
}

/** Numbers that JSON lacks, as cases write them. */
const namedNumbers: Readonly<Record<string, number>> = {
  inf: Number.POSITIVE_INFINITY,
  Infinity: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  nan: Number.NaN,
  NaN: Number.NaN,
}

/** A number; null or absent gives the fallback, if there is one. */
export function numberSetting(settings: Settings, name: string, fallback?: number): number {
  const setting = settings[name] ?? fallback
  const value = typeof setting === 'string' ? (namedNumbers[setting] ?? setting) : setting
  if (typeof value !== 'number') throw wrong(name, 'a number', value)
  return value
}

export function booleanSetting(settings: Settings, name: string, fallback?: boolean): boolean {
  const value = settings[name] ?? fallback
  if (typeof value !== 'boolean') throw wrong(name, 'true or false', value)
  return value
}

export function stringSetting(settings: Settings, name: string, fallback?: string): string {
  const value = settings[name] ?? fallback
  if (typeof value !== 'string') throw wrong(name, 'a text', value)
  return value
}

/** A number that may be left out: null and absent are undefined. */
export function optionalNumber(settings: Settings, name: string): number | undefined {
  return settings[name] === undefined || settings[name] === null ? undefined : numberSetting(settings, name)
}

/** A list of numbers; a single number is a list of one. */
export function numbersSetting(settings: Settings, name: string, fallback?: readonly number[]): readonly number[] {
  const value = settings[name] ?? fallback
  if (typeof value === 'number') return [value]
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'number'))
    throw wrong(name, 'a list of numbers', value)
  return value
}

/** PyTorch's form for one number an axis: a number, or a list; a list of one holds for every axis. */
export function perAxisSetting(settings: Settings, name: string, fallback?: number): number | readonly number[] {
  const values = numbersSetting(settings, name, fallback === undefined ? undefined : [fallback])
  const [only] = values
  return values.length === 1 && only !== undefined ? only : values
}

/** A tensor of the case that must be there. */
export function requiredTensor(tensors: ReadonlyMap<string, NDArray>, name: string): NDArray {
  const tensor = tensors.get(name)
  if (!tensor) throw new FormatError(`the case's safetensors file has no tensor "${name}"`)
  return tensor
}

/** The tensors whose names begin with `prefix`, under the rest of their names. */
export function tensorsBelow(reference: ReferenceCase, prefix: string): Map<string, NDArray> {
  return new Map(
    [...reference.tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, array]) => [name.slice(prefix.length), array]),
  )
}

/** An input that must be there. */
export function inputOf(call: OpCall, name: string): Tensor {
  const tensor = call.inputs[name]
  if (!tensor) throw new FormatError(`the entry has no input "${name}"`)
  return tensor
}

/** An argument that may be a tensor or a number. */
export function operandOf(call: OpCall, name: string): Tensor | number {
  return call.inputs[name] ?? numberSetting(call.settings, name)
}

/** `name.0`, `name.1`, ... as a list. */
export function inputList(call: OpCall, name: string): Tensor[] {
  const list: Tensor[] = []
  for (let tensor = call.inputs[`${name}.0`]; tensor; tensor = call.inputs[`${name}.${list.length}`]) list.push(tensor)
  return list
}
