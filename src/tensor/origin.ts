import { Scoped } from '../util/scoped.ts'

/**
 * Where a node came from: the modules whose `forward` was running, and the line of the model that called the op.
 * Both are kept raw and only formatted when somebody asks (an error, a profile, an export).
 */
export interface Origin {
  readonly scope: readonly object[]
  readonly error: Error
}

const scopes: object[] = []

/** Runs `body` inside the scope of `owner` (a module), which `path` names later. */
export function withScope<T>(owner: object, body: () => T): T {
  scopes.push(owner)
  try {
    return body()
  } finally {
    scopes.pop()
  }
}

const inherited = new Scoped<Origin | undefined>(undefined)

/** Runs `body`, whose nodes are made for the node of this origin (its gradient, a simpler form) and share it. */
export function withOrigin<T>(origin: Origin, body: () => T): T {
  return inherited.run(origin, body)
}

// Modules in modules, each some calls deep, stand between an op and the line of the model: the usual 10 are too few.
const stackDepth = 40

export function captureOrigin(): Origin {
  if (inherited.current) return inherited.current
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = stackDepth
  const error = new Error('origin')
  Error.stackTraceLimit = stackTraceLimit
  return { scope: scopes.slice(), error }
}

/** The name under which `child` hangs below `parent`: `fc1`, or `blocks.3` inside an array or record of modules. */
function propertyPath(parent: object, child: object): string | undefined {
  for (const [name, value] of Object.entries(parent)) {
    if (value === child) return name
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) continue
    const entries =
      value instanceof Map ? [...value] : value instanceof Set ? [...value].entries() : Object.entries(value)
    for (const [key, nested] of entries) if (nested === child) return `${name}.${key}`
  }
  return undefined
}

/** The module path of an origin, like `Mixer.blocks.3.mlp_tokens.fc1`; empty outside of modules. */
export function scopePath(origin: Origin): string {
  const parts: string[] = []
  let parent: object | undefined
  for (const owner of origin.scope) {
    const path = parent && propertyPath(parent, owner)
    parts.push(path ?? owner.constructor.name)
    parent = owner
  }
  return parts.join('.')
}

const ownSource =
  /[\\/](?:src|dist)[\\/](?:tensor|ops|autodiff|compile|runtime|nn|optim)[\\/]|node_modules|node:internal/

/** Frames with a place in a file, the innermost first. */
const stackOf = (origin: Origin): string[] =>
  (origin.error.stack ?? '').split('\n').filter((line) => /:\d+:\d+\)?$/.test(line))

/** `model.ts:41:17`, the first place outside the library that led to the node; undefined if none is on the stack. */
export function callSite(origin: Origin): string | undefined {
  for (const line of stackOf(origin)) {
    if (ownSource.test(line)) continue
    const found = /([^\s()/\\]+:\d+:\d+)\)?$/.exec(line)
    if (found?.[1]) return found[1]
  }
  return undefined
}

/** `nansum`: the function of the ops that the model, or a module, called; undefined if none is on the stack. */
export function calledOp(origin: Origin): string | undefined {
  const lines = stackOf(origin)
  const outside = lines.findIndex((line) => !ownSource.test(line))
  const last = lines.slice(0, outside === -1 ? undefined : outside).findLast((line) => /[\\/]ops[\\/]/.test(line))
  return /^\s*at (?:\S+\.)?(\w+)(?: \[as \w+\])? \(/.exec(last ?? '')?.[1]
}

/** `model.ts:41`: its line. */
function sourceLine(origin: Origin): string | undefined {
  return callSite(origin)?.replace(/:\d+$/, '')
}

/** ` in Mixer.blocks.3.fc1 (model.ts:41)`, or the part of it that is known. */
export function describeOrigin(origin: Origin): string {
  const path = scopePath(origin)
  const line = sourceLine(origin)
  if (path && line) return `${path} (${line})`
  return path || line || ''
}
