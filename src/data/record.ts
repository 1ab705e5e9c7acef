/** What a run was trained on and tested with, by the names of the examples, so that later changes can be detected. */
import { counted } from '../util/words.ts'
import { listSome } from './counting.ts'
import { pick, type Sides, splitByName } from './split.ts'

/** Names and digests of examples. */
type Digests = Readonly<Record<string, string>>

/** What a run was trained on and tested with. */
export interface DataRecord {
  readonly format: 1
  /** What an example is: `picture`, `row`, `text`. */
  readonly unit: string
  /** Packages and other sources that change only as a whole, with what identifies their content. */
  readonly sources: Digests
  /** Training examples: name and digest of the content. */
  readonly train: Digests
  /** Test examples, in the same way; none of them is ever trained on. */
  readonly test: Digests
}

/** An example as a record knows it. */
export interface NamedExample {
  /** A path in the folder, or the content's digest. Examples of one name are on one side, and are told apart by a number. */
  readonly name: string
  readonly digest: string
}

export interface DivideOptions {
  readonly unit: string
  readonly sources?: Readonly<Record<string, string>>
  /** Share of the examples held out, where there is no test set of its own. */
  readonly share: number
  readonly seed: number
  /** For a run that was started earlier: its examples keep their sides, and new ones are left out. */
  readonly known?: DataRecord | undefined
  /** Replaces the division by name. */
  readonly split?: (names: readonly string[]) => Sides
}

/** Examples on two sides. */
export interface Divided {
  /** Numbers of the training examples, and of the test examples (in `test` where that was given). */
  readonly sides: Sides
  readonly record: DataRecord
  /** Names of the test examples with the same content as one that is, or was, trained on. */
  readonly shared: readonly string[]
  /** How the data differ from the known ones, in one line; undefined if they do not. */
  readonly changes?: string
}

/** Divides examples into those to train on and those to test with; `test`: a test set of its own. */
export function divide(
  examples: readonly NamedExample[],
  test: readonly NamedExample[] | undefined,
  options: DivideOptions,
): Divided {
  const { unit, sources = {}, share, seed, known, split } = options
  const [own, ownTest] = [numbered(examples), test && numbered(test)]
  if (known) return recall(own, ownTest, known, sources)
  const all = [...examples.keys()]
  const names = examples.map(({ name }) => name)
  const sides = test ? { train: all, test: [...test.keys()] } : split ? split(names) : splitByName(names, share, seed)
  const digestsOf = (list: readonly NamedExample[], rows: readonly number[]): Record<string, string> =>
    Object.fromEntries(pick(list, rows).map(({ name, digest }) => [name, digest]))
  const record: DataRecord = {
    format: 1,
    unit,
    sources: { ...sources },
    train: digestsOf(own, sides.train),
    test: digestsOf(ownTest ?? own, sides.test),
  }
  return { sides, record, shared: sharedNames(pick(ownTest ?? own, sides.test), Object.values(record.train)) }
}

/** The record of a data set that only changes as a whole, with a test set of its own. */
export function recordWhole(unit: string, sources: Readonly<Record<string, string>>, known?: DataRecord): Divided {
  return divide([], [], { unit, sources, share: 0, seed: 0, known })
}

/** Repeated names get a number. */
function numbered(examples: readonly NamedExample[]): NamedExample[] {
  const seen = new Map<string, number>()
  return examples.map(({ name, digest }) => {
    const times = (seen.get(name) ?? 0) + 1
    seen.set(name, times)
    return { name: times > 1 ? `${name}#${times}` : name, digest }
  })
}

/** Names of the examples whose content is among what is trained on. Sources that only change as a whole have no digests. */
function sharedNames(test: readonly NamedExample[], trained: Iterable<string>): string[] {
  const contents = new Set(trained)
  return test.flatMap(({ name, digest }) => (digest !== '' && contents.has(digest) ? [name] : []))
}

/** Examples of one side found again. */
interface Found {
  readonly rows: readonly number[]
  readonly changed: readonly string[]
  readonly missing: readonly string[]
  /** Examples that now have the content of an example of the other side. */
  readonly crossed: readonly string[]
}

/** Finds the examples of a side by name. One whose file was replaced by an example of the other side would be on both: left out. */
function findSide(list: readonly NamedExample[], side: Digests, other: Digests): Found {
  const rows: number[] = []
  const found = new Set<string>()
  const [changed, crossed]: [string[], string[]] = [[], []]
  const otherContents = new Set(Object.values(other))
  for (const [row, { name, digest }] of list.entries()) {
    const recorded = Object.hasOwn(side, name) ? side[name] : undefined
    if (recorded === undefined) continue
    found.add(name)
    if (recorded !== digest) {
      const isCrossed = otherContents.has(digest)
      ;(isCrossed ? crossed : changed).push(name)
      if (isCrossed) continue
    }
    rows.push(row)
  }
  return { rows, changed, crossed, missing: Object.keys(side).filter((name) => !found.has(name)) }
}

/** Puts each known example back on its side. */
function recall(
  examples: readonly NamedExample[],
  test: readonly NamedExample[] | undefined,
  known: DataRecord,
  sources: Digests,
): Divided {
  const { unit } = known
  const tests = test ?? examples
  const forTrain = findSide(examples, known.train, known.test)
  const forTest = findSide(tests, known.test, known.train)
  const isKnown = (name: string, own: Digests): boolean =>
    Object.hasOwn(own, name) || (test === undefined && Object.hasOwn(known.test, name))
  const added = new Set<string>()
  for (const { name } of examples) if (!isKnown(name, known.train)) added.add(name)
  for (const { name } of test ?? []) if (!isKnown(name, known.test)) added.add(name)
  const otherSources = Object.entries(known.sources).flatMap(([name, digest]) =>
    sources[name] === digest ? [] : [`${name} is ${sources[name] ?? 'gone'} instead of ${digest}`],
  )
  const told = [
    ...otherSources,
    ...tell(forTest.crossed, `test ${unit}`, 'replaced by what was trained on, left out', unit),
    ...tell(forTrain.crossed, `training ${unit}`, 'replaced by what is tested with, left out', unit),
    ...tell([...forTrain.changed, ...forTest.changed], unit, 'changed', unit),
    ...tell([...forTrain.missing, ...forTest.missing], unit, 'missing', unit),
    ...tell([...added], unit, 'new, left out', unit),
  ]
  const trained = [...Object.values(known.train), ...pick(examples, forTrain.rows).map(({ digest }) => digest)]
  return {
    sides: { train: forTrain.rows, test: forTest.rows },
    record: known,
    shared: sharedNames(pick(tests, forTest.rows), trained),
    ...(told.length > 0 && { changes: told.join('; ') }),
  }
}

/** Whether examples of a unit have names that say something: those of tables and arrays are known by their content. */
export function hasNames(unit: string): boolean {
  return unit !== 'row' && unit !== 'example'
}

/** `2 pictures missing (a/1.png, b/2.png)`; examples without a name of their own are only counted. */
function tell(names: readonly string[], thing: string, what: string, unit: string): string[] {
  if (names.length === 0) return []
  const shown = hasNames(unit) ? ` (${listSome(names, 3)})` : ''
  return [`${counted(names.length, thing)} ${what}${shown}`]
}
