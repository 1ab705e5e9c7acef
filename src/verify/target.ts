/** What a reference case is checked against. */

import * as ops from '../ops/index.ts'
import type { NDArray } from '../tensor/dtype.ts'
import { sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { FormatError } from '../util/errors.ts'
import type { CaseTensors } from './reads.ts'
import type { Rounding } from './rounding.ts'

/** Arguments of a case as JSON has them, read with the functions below. */
export type Settings = Readonly<Record<string, unknown>>

/** One application of an op, as its reference entry describes it: symbolic inputs by argument name. */
export interface OpCall {
  /** Both `input/` and `param/` tensors, by the name after the slash: `input`, `weight`, `tensors.0`. */
  readonly inputs: Readonly<Record<string, Tensor>>
  readonly settings: Settings
  /** The numbers of an input, for what PyTorch makes as large as its data say. */
  readonly valuesOf: (name: string) => readonly number[]
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
  /** The whole JSON file: some cases have texts or records besides their tensors. */
  readonly fields: Settings
  /** The folder of the case's files: some cases name another one. */
  readonly folder: string
  /** The general one, for what a target compares itself. */
  readonly tolerance: CaseTolerance
  /** Rounded as `rounding` says. */
  readonly tensors: CaseTensors
  /** For weights and inputs that a target makes itself, under the full names that stored ones would have. */
  readonly rounding: Rounding
}

/** Computes every `output/`, `grad/`, `grad_input/` and `state/` tensor of a case, by its full name. */
export type CaseTarget = (reference: ReferenceCase) => Promise<ReadonlyMap<string, NDArray>>

/** Targets by the `target` of the cases; the first matching predicate wins. */
export interface CaseTargetRule {
  /** The `target` text of the case; a model's is its import path in the official code. */
  readonly target: string | RegExp
  /** Whose rule it is: other systems may have cases of the same name. */
  readonly system?: string
  readonly run: CaseTarget
  /** Where the case's own notes ask for a tolerance other than its general one: by the tensor's full name. */
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

/** One of a few texts. */
export function choiceSetting<T extends string>(
  settings: Settings,
  name: string,
  choices: readonly T[],
  fallback?: NoInfer<T>,
): T {
  const value = settings[name] ?? fallback
  const found = choices.find((choice) => choice === value)
  if (found === undefined) throw wrong(name, `one of ${choices.join(', ')}`, value)
  return found
}

/** A setting with only one supported value: another one is refused. */
export function fixedSetting(settings: Settings, name: string, value: unknown): void {
  const found = settings[name] ?? value
  if (JSON.stringify(found) !== JSON.stringify(value)) throw wrong(name, JSON.stringify(value), found)
}

/** Reads settings that have no effect on what a case computes: each call says why. */
export function withoutEffect(settings: Settings, ...names: readonly string[]): void {
  for (const name of names) void settings[name]
}

/** The settings below a name; absent or null gives the fallback, if there is one. */
export function nestedSettings(settings: Settings, name: string, fallback?: Settings): Settings {
  const value = settings[name] ?? fallback
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(name, 'an object', value)
  return value as Settings
}

/** A dropout rate. Cases are deterministic: in training the rate must be 0. */
export function dropoutSetting({ config, mode }: Pick<ReferenceCase, 'config' | 'mode'>, name: string): number {
  const rate = numberSetting(config, name, 0)
  if (mode === 'train' && rate !== 0) throw wrong(name, '0 in training, which draws at random', rate)
  return rate
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

/** Element i of the first axis: one step of several, for instance. */
export function rowAt({ dtype, shape, data }: NDArray, i: number): NDArray {
  const size = data.length / Math.max(1, sizeOf(shape, 0))
  return { dtype, shape: shape.slice(1), data: data.slice(i * size, (i + 1) * size) }
}

/** The tensors whose names begin with `prefix`, under the rest of their names. */
export function tensorsBelow(reference: ReferenceCase, prefix: string): Map<string, NDArray> {
  const names = [...reference.tensors.keys()].filter((name) => name.startsWith(prefix))
  return new Map(names.map((name) => [name.slice(prefix.length), requiredTensor(reference.tensors, name)]))
}

/** The inputs of a case as a compiled function takes them. They count as read where `inputsRead` gives them. */
export function inputArrays({ tensors }: ReferenceCase): Record<string, NDArray> {
  const names = [...tensors.keys()].filter((name) => name.startsWith('input/'))
  return Object.fromEntries(
    names.flatMap((name) => {
      const array = tensors.peek(name)
      return array ? [[name.slice('input/'.length), array] as const] : []
    }),
  )
}

/** The inputs as the compiled function has them: getting one counts as reading it. */
export function inputsRead<T>({ tensors }: ReferenceCase, inputs: Readonly<Record<string, T>>) {
  return tensors.reading(inputs, (name) => `input/${name}`)
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

/** PyTorch also takes one example alone, without the axis of the batch: `rank` is that of a batch. */
export function batched(x: Tensor, rank: number, f: (x: Tensor) => Tensor): Tensor {
  return x.rank === rank - 1 ? ops.squeeze(f(ops.unsqueeze(x, 0)), 0) : f(x)
}

/** `name.0`, `name.1`, ... as a list. */
export function inputList(call: OpCall, name: string): Tensor[] {
  const list: Tensor[] = []
  for (let tensor = call.inputs[`${name}.0`]; tensor; tensor = call.inputs[`${name}.${list.length}`]) list.push(tensor)
  return list
}
