/** Runs reference cases against tenfold: what `tenfold verify` does. */
import { systems } from '../systems/index.ts'
import type { NDArray } from '../tensor/dtype.ts'
import { TenfoldError } from '../util/errors.ts'
import { findCases, type LoadedCase, loadCase } from './case.ts'
import { type Comparison, compareTensors } from './compare.ts'
import { type OpEntry, runOpEntry } from './op-entry.ts'
import type { CaseTargetRule, CaseTolerance as Tolerance } from './target.ts'
import { opTargets } from './targets/index.ts'
import { optimTargets } from './targets/optim.ts'

/** The outcome of one case, or of one entry of a case that holds many. */
export interface CaseResult extends Comparison {
  readonly case: string
  readonly target: string
  readonly passed: boolean
}

const none: Comparison = { tensors: 0, maxAbsolute: 0, maxRelative: 0 }

/** A mistake in the case is its failure; a bug of ours is too, told with its message: the rest still runs. */
async function attempt(name: string, target: string, body: () => Promise<Comparison>): Promise<CaseResult> {
  try {
    const comparison = await body()
    return { case: name, target, passed: comparison.problem === undefined, ...comparison }
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    const kind = error instanceof TenfoldError ? '' : 'internal error: '
    return { case: name, target, passed: false, ...none, problem: `${kind}${reason}` }
  }
}

async function runEntry(
  entry: OpEntry,
  tensors: ReadonlyMap<string, NDArray>,
  tolerance: Tolerance,
): Promise<Comparison> {
  const [target, optimTarget] = [opTargets[entry.op], optimTargets[entry.op]]
  if (!target && !optimTarget) return { ...none, problem: 'unknown target' }
  const wanted = new Map([...entry.outputs, ...entry.grads].map((name) => [name, tensors.get(name)] as const))
  const missing = [...wanted].find(([, array]) => !array)
  if (missing) return { ...none, problem: `the case's safetensors file has no tensor "${missing[0]}"` }
  const found = target ? await runOpEntry(entry, target, tensors) : await optimTarget?.(entry, tensors)
  return compareTensors(wanted as Map<string, NDArray>, found ?? new Map(), () => tolerance)
}

function ruleFor(target: string): CaseTargetRule | undefined {
  const rules = systems.flatMap((system) => system.targets)
  return rules.find((rule) => (typeof rule.target === 'string' ? rule.target === target : rule.target.test(target)))
}

const checked = /^(output|grad|grad_input|state)\//

async function runCase({ description, folder, tensors }: LoadedCase): Promise<Comparison> {
  const rule = ruleFor(description.target)
  if (!rule) return { ...none, problem: 'unknown target' }
  const { system, case: name, target, mode, config, tolerance } = description
  const found = await rule.run({ system, name, target, mode, config, fields: description, folder, tensors })
  const expected = new Map([...tensors].filter(([key]) => checked.test(key)))
  if (expected.size === 0) return { ...none, problem: 'the case has no tensors to compare with' }
  return compareTensors(expected, found, (key) => rule.toleranceOf?.(key, tolerance) ?? tolerance)
}

/** Runs every case below the paths whose name or target contains `filter`, one after the other. */
export async function* verify(paths: readonly string[], filter = ''): AsyncGenerator<CaseResult> {
  for (const path of await findCases(paths)) {
    const label = path.replace(/^.*[\\/]/, '').replace(/\.json$/, '')
    let loaded: LoadedCase
    try {
      loaded = await loadCase(path)
    } catch (error) {
      if (!(error instanceof TenfoldError)) throw error
      if (label.includes(filter)) yield { case: label, target: '', passed: false, ...none, problem: error.message }
      continue
    }
    const { description, tensors } = loaded
    const matches = (name: string, target: string): boolean =>
      `${description.system}/${name} ${target}`.includes(filter)
    for (const entry of description.cases ?? []) {
      const name = `${description.case}/${entry.name}`
      if (matches(name, entry.op))
        yield await attempt(name, entry.op, () =>
          runEntry(entry as OpEntry, tensors, entry.tolerance ?? description.tolerance),
        )
    }
    if (!description.cases && matches(description.case, description.target)) {
      yield await attempt(description.case, description.target, () => runCase(loaded))
    }
  }
}
