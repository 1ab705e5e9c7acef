/** Runs reference cases against tenfold: what `tenfold verify` does. */
import type { NDArray } from '../tensor/dtype.ts'
import { TenfoldError } from '../util/errors.ts'
import { type CaseDescription, caseFields, entryFields, findCases, type LoadedCase, loadCase } from './case.ts'
import { type Comparison, compareTensors } from './compare.ts'
import { type OpEntry, runOpEntry } from './op-entry.ts'
import { CaseTensors, refuseUnread, SettingsReads } from './reads.ts'
import { asGiven, otherRoundings, type Rounding, roundedOtherwise } from './rounding.ts'
import type { CaseTargetRule } from './target.ts'
import { opTargets } from './targets/index.ts'
import { optimTargets } from './targets/optim.ts'
import { type Tolerances, toleranceFor, unusedTolerances } from './tolerance.ts'

/** The outcome of one case, or of one entry of a case that holds many. */
export interface CaseResult extends Comparison {
  readonly case: string
  readonly target: string
  readonly passed: boolean
  /** It agrees for inputs that differ by one rounding, not for those given: which of the trials (`roundedOtherwise`). */
  readonly rounding?: number
  /** The case's files cannot be read as a case: bad input, not a failure of tenfold. */
  readonly unreadable?: true
}

const none: Comparison = { tensors: 0, maxAbsolute: 0, maxRelative: 0, excess: 0 }
// What a rounding decides differs by little: one element of thousands has another gradient.
const mostExcess = 10

/** A mistake in the case makes it fail, and so does a bug of ours, with its message: the rest still runs. */
async function attempt(
  name: string,
  target: string,
  body: () => Promise<Comparison & Pick<CaseResult, 'rounding'>>,
): Promise<CaseResult> {
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
  general: Tolerances,
): Promise<Comparison> {
  const [target, optimTarget] = [opTargets[entry.op], optimTargets[entry.op]]
  if (!target && !optimTarget) return { ...none, problem: 'unknown target' }
  const wanted = new Map([...entry.outputs, ...entry.grads].map((name) => [name, tensors.get(name)] as const))
  const missing = [...wanted].find(([, array]) => !array)
  if (missing) return { ...none, problem: `the case's safetensors file has no tensor "${missing[0]}"` }
  const { tolerance } = entry
  const ownName = (name: string): string => name.slice(entry.name.length + 1)
  refuseUnread([
    ...Object.keys(entry).flatMap((field) => (entryFields.has(field) ? [] : [`field "${field}"`])),
    ...unlisted(entry, tensors).map((name) => `tensor "${name}"`),
    ...(tolerance ? unusedTolerances(tolerance, [...wanted.keys()].map(ownName)) : []),
  ])
  const found = target ? await runOpEntry(entry, target, tensors) : await optimTarget?.(entry, tensors)
  return compareTensors(wanted as Map<string, NDArray>, found ?? new Map(), (name) =>
    toleranceFor(tolerance ?? general, ownName(name)),
  )
}

/** The tensors of an entry that it does not list. */
function unlisted(entry: OpEntry, tensors: ReadonlyMap<string, NDArray>): string[] {
  const listed = new Set([entry.inputs, entry.outputs, entry.grads, entry.cotangents].flat())
  return [...tensors.keys()].filter((name) => !listed.has(name))
}

/** The tensors of each entry, whose names begin with its own; under no entry's name: those of none. */
function tensorsByEntry(
  entries: readonly { readonly name: string }[],
  tensors: ReadonlyMap<string, NDArray>,
): Map<string | undefined, Map<string, NDArray>> {
  const byEntry = new Map<string | undefined, Map<string, NDArray>>(
    [undefined, ...entries.map(({ name }) => name)].map((name) => [name, new Map()]),
  )
  for (const [name, array] of tensors) {
    const parts = name.split('/')
    // Names of entries may have slashes themselves: the longest counts.
    const owner = parts.map((_, i) => parts.slice(0, parts.length - i).join('/')).find((start) => byEntry.has(start))
    byEntry.get(owner)?.set(name, array)
  }
  return byEntry
}

/** The first rule that fits a case: those of its own system come before all others. */
function ruleFor(
  { system, target }: Pick<CaseDescription, 'system' | 'target'>,
  rules: readonly CaseTargetRule[],
): CaseTargetRule | undefined {
  return [...rules.filter((rule) => rule.system === system), ...rules].find((rule) =>
    typeof rule.target === 'string' ? rule.target === target : rule.target.test(target),
  )
}

/** What a case expects. Where states after the call have a name of their own, `state/` are those before it: inputs. */
const checked = /^(output|grad|grad_input|state)\//
const checkedAfter = /^(output|grad|grad_input|state_out)\//

/** The full name of a tensor that a case lists: with what stands before the slash, or without it. */
function fullName(kind: string, name: string): string {
  return /^(input|output|state|state_out)\//.test(name) ? name : `${kind}/${name}`
}

/** A case that differs by little more than its tolerance is run again, for inputs rounded otherwise: it must agree in full with one of them. */
async function runCase(
  loaded: LoadedCase,
  rules: readonly CaseTargetRule[],
): Promise<Comparison & Pick<CaseResult, 'rounding'>> {
  const given = await runRounded(loaded, rules, asGiven)
  if (!(given.excess > 1 && given.excess <= mostExcess)) return given
  for (let trial = 1; trial <= otherRoundings; trial++) {
    const rounded = await runRounded(loaded, rules, roundedOtherwise(trial))
    if (rounded.problem === undefined) return { ...rounded, rounding: trial }
  }
  return given
}

async function runRounded(
  { description, folder, tensors }: LoadedCase,
  rules: readonly CaseTargetRule[],
  rounding: Rounding,
): Promise<Comparison> {
  const rule = ruleFor(description, rules)
  if (!rule) return { ...none, problem: 'unknown target' }
  const { system, case: name, target, mode, inputs, outputs, states, tolerance } = description
  const listed = Object.entries({ input: inputs, output: outputs, state: states })
  const absent = listed.flatMap(([kind, names]) =>
    names.map((each) => fullName(kind, each)).filter((each) => !tensors.has(each)),
  )
  if (absent[0]) return { ...none, problem: `the case's safetensors file has no tensor "${absent[0]}"` }
  const hasStateAfter = [...tensors.keys()].some((key) => key.startsWith('state_out/'))
  const expected = new Map([...tensors].filter(([key]) => (hasStateAfter ? checkedAfter : checked).test(key)))
  if (expected.size === 0) return { ...none, problem: 'the case has no tensors to compare with' }
  const settings = new SettingsReads()
  const config = settings.track(description.config)
  const own = Object.fromEntries(Object.entries(description).filter(([field]) => !caseFields.has(field)))
  const otherFields = new SettingsReads('field')
  const fields = otherFields.track(own)
  const given = new CaseTensors([...tensors].map(([key, array]) => [key, rounding(array, key)] as const))
  const found = await rule.run({
    system,
    name,
    target,
    mode,
    config,
    fields,
    folder,
    tolerance: tolerance.general,
    tensors: given,
    rounding,
  })
  const unread = given.unread((key) => expected.has(key))
  const unused = unusedTolerances(tolerance, [...expected.keys()])
  refuseUnread([...unread, ...settings.unread(), ...otherFields.unread(), ...unused])
  return compareTensors(expected, found, (key) =>
    toleranceFor(tolerance, key, (general) => rule.toleranceOf?.(key, general) ?? general),
  )
}

/** The entries of a case, and the case itself where it has something that belongs to none of them. */
async function* runEntries(
  { description, tensors }: LoadedCase,
  entries: NonNullable<CaseDescription['cases']>,
  matches: (name: string, target: string) => boolean,
): AsyncGenerator<CaseResult> {
  const byEntry = tensorsByEntry(entries, tensors)
  const measured = entries.flatMap(({ name, outputs, grads }) =>
    [...outputs, ...grads].map((each) => each.slice(name.length + 1)),
  )
  const unread = [
    ...[...(byEntry.get(undefined)?.keys() ?? [])].map((name) => `tensor "${name}"`),
    ...Object.keys(description.config).map((name) => `setting "${name}"`),
    ...Object.keys(description).flatMap((field) => (caseFields.has(field) ? [] : [`field "${field}"`])),
    ...unusedTolerances(description.tolerance, measured),
  ]
  if (unread.length > 0 && matches(description.case, description.target)) {
    yield await attempt(description.case, description.target, async () => {
      refuseUnread(unread)
      return none
    })
  }
  for (const entry of entries) {
    const name = `${description.case}/${entry.name}`
    if (!matches(name, entry.op)) continue
    const own = byEntry.get(entry.name) ?? new Map()
    yield await attempt(name, entry.op, () => runEntry(entry as OpEntry, own, description.tolerance))
  }
}

/** Runs every case below the paths whose name or target contains `filter`, one after the other. */
export async function* verify(
  paths: readonly string[],
  rules: readonly CaseTargetRule[],
  filter = '',
): AsyncGenerator<CaseResult> {
  for (const path of await findCases(paths)) {
    const label = path.replace(/^.*[\\/]/, '').replace(/\.json$/, '')
    let loaded: LoadedCase
    try {
      loaded = await loadCase(path)
    } catch (error) {
      if (!(error instanceof TenfoldError)) throw error
      const failure = {
        case: label,
        target: '',
        passed: false,
        unreadable: true as const,
        ...none,
        problem: error.message,
      }
      if (label.includes(filter)) yield failure
      continue
    }
    const { description } = loaded
    const matches = (name: string, target: string): boolean =>
      `${description.system}/${name} ${target}`.includes(filter)
    if (description.cases) {
      yield* runEntries(loaded, description.cases, matches)
    } else if (matches(description.case, description.target)) {
      yield await attempt(description.case, description.target, () => runCase(loaded, rules))
    }
  }
}
