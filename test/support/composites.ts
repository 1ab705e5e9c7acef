/** The tables of `ops/composites/`: samples of the functions made of ops, by file and function. */
import { readdirSync } from 'node:fs'
import * as define from '../../src/ops/define.ts'
import type * as ops from '../../src/ops/kit.ts'

export interface Table {
  readonly samples: Readonly<Record<string, readonly ops.Sample[]>>
  /** Calls that end in an error, by its message. */
  readonly errors?: Readonly<Record<string, ops.Sample>>
}

const folder = new URL('../ops/composites/', import.meta.url)

export const tables = new Map<string, Table>()
for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')))
  tables.set(file.replace('.ts', ''), await import(new URL(file, folder).href))

/** Exports of the kit that build ops or look into tensors, and compute nothing. */
export const tools: ReadonlySet<string> = new Set([
  ...Object.keys(define),
  'defineBinary',
  'defineUnary',
  'withoutSwap',
  'withoutZero',
  'inferBroadcast',
  'restoreAxes',
  'certainlyWithin',
  'isWeightConvolution',
  'kernelPlaces',
  'perAxis',
  'requireElements',
  'requireFunction',
  'requireIndex',
  'requireResult',
  'emitExtremum',
  'lateInputs',
  'runAfterAll',
])
