import type { NDArray } from '../tensor/dtype.ts'
import { withScope } from '../tensor/origin.ts'
import { inspectSymbol } from '../tensor/print.ts'
import { copyState, type LoadOptions, loadState, type StateDifference } from '../tensor/state-dict.ts'
import { currentTrace, dependOn } from '../tensor/trace.ts'
import { Variable } from '../tensor/variable.ts'
import { shown } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import { Scoped } from '../util/scoped.ts'
import { warn } from '../util/warnings.ts'

type Observer = (module: Module, result: unknown) => void
const observer = new Scoped<Observer | undefined>(undefined)

/** Runs `body`, and calls `observe` with what each module's `forward` returns, inner modules first. */
export function observeForward<T>(observe: Observer, body: () => T): T {
  return observer.run(observe, body)
}

/** The number of modules whose `forward` is running. */
let running = 0

/**
 * A part of a model. A subclass has a constructor, which puts variables and other modules into properties (also inside
 * arrays, plain objects, Maps and Sets), and `forward`. Names in the state dict are the paths of these properties:
 * `blocks.0.mlp_tokens.fc1.weight`. What stands in a `#private` field or in an object of another class cannot be found;
 * a `forward` that uses such a parameter is warned about.
 */
export abstract class Module {
  #training = true
  #isHeld = false

  constructor() {
    const { forward } = this
    Object.defineProperty(this, 'forward', {
      configurable: true,
      writable: true,
      value: (...inputs: never[]): unknown => {
        running++
        try {
          const result = withScope(this, () => forward.apply(this, inputs))
          observer.current?.(this, result)
          if (running === 1) warnOfLostParameters(this)
          return result
        } finally {
          running--
        }
      },
    })
  }

  abstract forward(...inputs: never[]): unknown

  /** Whether dropout drops and batch statistics are used. A compiled function that reads it is traced for each mode. */
  get training(): boolean {
    return dependOn(() => this.#training)
  }

  /** Sets the mode of this module and of all inside it. */
  train(mode = true): this {
    for (const module of this.modules()) module.#training = mode && !module.#isHeld
    return this
  }

  /** The mode for evaluation: `train(false)`. */
  eval(): this {
    return this.train(false)
  }

  /** Runs `body` in evaluation mode. Afterwards each module is back in its previous mode, even if `body` throws. */
  inEvalMode<T>(body: () => Promise<T>): Promise<T> {
    return this.keepingModes(() => {
      this.eval()
      return body()
    })
  }

  /** Runs `body`, which may change modes. Afterwards each module is back in its previous mode, even if `body` throws. */
  async keepingModes<T>(body: () => Promise<T>): Promise<T> {
    const modes = [...this.modules()].map((module) => [module, module.#training] as const)
    try {
      return await body()
    } finally {
      for (const [module, mode] of modes) module.#training = mode
    }
  }

  /** Puts this module and all inside it into evaluation mode for good: `train` no longer changes them. For frozen batch norms. */
  holdEval(): this {
    for (const module of this.modules()) module.#isHeld = true
    return this.eval()
  }

  /** What optimizers change: trainable variables that are not frozen, each once. */
  parameters(): Variable[] {
    return [...this.namedParameters().values()]
  }

  /** `parameters()` by name. */
  namedParameters(): Map<string, Variable> {
    return distinct(this, (variable) => variable.trainable && !variable.frozen)
  }

  /** Variables that are not parameters: running statistics, counters. */
  namedBuffers(): Map<string, Variable> {
    return distinct(this, (variable) => !variable.trainable)
  }

  /** Everything a checkpoint needs, by name: parameters (also frozen ones) and persistent buffers, each once. */
  variables(): Map<string, Variable> {
    return distinct(this, (variable) => variable.persistent)
  }

  /** This module and all inside it, each once, outer ones first. */
  modules(): Module[] {
    return [...this.namedModules().values()]
  }

  /** `modules()` by path; this module's own is empty. */
  namedModules(): Map<string, Module> {
    const known = new Set<Module>()
    return new Map(
      [...walk(this)].filter(([, module]) => {
        if (known.has(module)) return false
        known.add(module)
        return true
      }),
    )
  }

  /** Copies of the numbers by name, as in PyTorch: a shared variable has an entry for each of its names. */
  stateDict(): Map<string, NDArray> {
    return copyState(persistentVariables(this))
  }

  /** Copies numbers into the variables. Throws a ShapeError that lists names that are missing, unexpected or of another shape or type. */
  loadStateDict(state: ReadonlyMap<string, NDArray>, options?: LoadOptions): StateDifference {
    return loadState(this.constructor.name, persistentVariables(this), state, options)
  }

  /** The modules inside and their variables, one a line, as PyTorch prints them. */
  toString(): string {
    return describeModule(this, '')
  }

  /** What `console.log` shows in Node. */
  [inspectSymbol](): string {
    return this.toString()
  }
}

function describeModule(module: Module, indent: string): string {
  const own: string[] = []
  const inner: string[] = []
  for (const [name, member] of members(module, '', new Set())) {
    if (member instanceof Variable) own.push(`${name} ${member.leaf}`)
    else inner.push(`${indent}  ${name}: ${describeModule(member, `${indent}  `)}`)
  }
  const head = `${module.constructor.name}(${own.join(', ')}`
  return inner.length === 0 ? `${head})` : [head, ...inner, `${indent})`].join('\n')
}

const warned = new WeakSet<Variable>()

/** Warns of parameters that a `forward` used but that cannot be reached through properties: optimizers and checkpoints would miss them. */
function warnOfLostParameters(module: Module): void {
  const isUnclaimed = (variable: Variable): boolean => variable.trainable && variable.name === ''
  const unclaimed = [...(currentTrace()?.reads ?? [])].filter(isUnclaimed)
  if (unclaimed.length === 0) return
  // Gives names to all that can be reached.
  module.variables()
  const lost = unclaimed.filter((variable) => isUnclaimed(variable) && !warned.has(variable))
  if (lost.length === 0) return
  for (const variable of lost) warned.add(variable)
  warn(
    `${module.constructor.name}: forward uses ${lost.length === 1 ? 'a parameter' : `${lost.length} parameters`} (${lost.map(({ leaf }) => leaf).join(', ')}) that cannot be reached through properties, so optimizers and checkpoints miss ${lost.length === 1 ? 'it' : 'them'}; keep modules and variables in properties that are not #private, or in arrays, plain objects, Maps or Sets there`,
  )
}

/** Modules and variables among the properties of `owner`, with their paths below it. */
function* members(owner: object, prefix: string, open: Set<object>): Generator<[string, Variable | Module]> {
  for (const [key, value] of entriesOf(owner)) {
    const path = prefix ? `${prefix}.${key}` : key
    if (value instanceof Variable || value instanceof Module) yield [path, value]
    else if (isContainer(value) && !open.has(value)) yield* members(value, path, new Set(open).add(value))
  }
}

/** Properties of an object, entries of a Map, elements of a Set by number. */
function entriesOf(owner: object): [string, unknown][] {
  if (owner instanceof Map) return [...owner].map(([key, value]) => [String(key), value])
  if (owner instanceof Set) return [...owner].map((value, i) => [String(i), value])
  return Object.entries(owner)
}

function isContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (value instanceof Map || value instanceof Set) return true
  const prototype = Object.getPrototypeOf(value)
  return Array.isArray(value) || prototype === Object.prototype || prototype === null
}

/** Every module under each of its paths, outer ones first. */
function* walk(module: Module, path = '', outer: readonly Module[] = []): Generator<[string, Module]> {
  if (outer.includes(module)) return
  yield [path, module]
  for (const [name, member] of members(module, path, new Set()))
    if (member instanceof Module) yield* walk(member, name, [...outer, module])
}

/** Every variable under each of its names, in PyTorch's order: a module's own before those of modules inside it. */
function* namedVariables(root: Module): Generator<[string, Variable]> {
  const known = new Map<string, Variable>()
  for (const [path, module] of walk(root)) {
    for (const [name, member] of members(module, path, new Set())) {
      if (!(member instanceof Variable)) continue
      if ((known.get(name) ?? member) !== member) {
        throw new UsageError(`${root.constructor.name}: two variables are called "${name}"`, {
          hint: 'properties and keys of a Map must not differ only in type or in where a dot stands',
        })
      }
      known.set(name, member)
      // Seen from an outer module a name is longer; the longest is kept.
      if (member.name === '' || name.endsWith(`.${member.name}`)) member.name = name
      yield [name, member]
    }
  }
}

function distinct(root: Module, wanted: (variable: Variable) => boolean): Map<string, Variable> {
  const known = new Set<Variable>()
  const found = new Map<string, Variable>()
  for (const [name, variable] of namedVariables(root)) {
    if (known.has(variable) || !wanted(variable)) continue
    known.add(variable)
    found.set(name, variable)
  }
  return found
}

function persistentVariables(root: Module): [string, Variable][] {
  return [...namedVariables(root)].filter(([, variable]) => variable.persistent)
}

/** Selects parameters, by name or otherwise. */
export type ParameterPredicate = (name: string, parameter: Variable) => boolean

function setFrozen(module: Module, predicate: ParameterPredicate, frozen: boolean): void {
  if (typeof predicate !== 'function')
    throw new UsageError(
      `${frozen ? 'freeze' : 'unfreeze'}: parameters are chosen by a function, found ${shown(predicate)}`,
      {
        hint: "for example (name) => name.startsWith('blocks.0.')",
      },
    )
  for (const [name, variable] of distinct(module, ({ trainable }) => trainable))
    if (predicate(name, variable)) variable.frozen = frozen
}

/** Takes parameters out of `parameters()`; by default all of the module's. They stay in the state dict. */
export function freeze(module: Module, predicate: ParameterPredicate = () => true): void {
  setFrozen(module, predicate, true)
}

/** Undoes `freeze`. Give parameters that begin to learn in the middle of a training an optimizer of their own, made then: it counts updates from 0. */
export function unfreeze(module: Module, predicate: ParameterPredicate = () => true): void {
  setFrozen(module, predicate, false)
}
