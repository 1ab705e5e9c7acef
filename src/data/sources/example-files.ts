/** Labelled examples from files: of a folder with one sub-folder per class, or of a set that only changes as a whole. */
import { UsageError } from '../../util/errors.ts'
import { deriveSeed, Generator } from '../../util/random.ts'
import { classLabels, type Examples } from '../examples.ts'
import { readBytes } from '../files.ts'
import { describeClasses, describeSides, type Opening, openingOf } from '../opening.ts'
import { type DataRecord, divide } from '../record.ts'
import { pick, type Sides, splitRandomly } from '../split.ts'
import type { ClassFiles, FileKind } from './class-files.ts'
import { type LabelledFilesOptions, openLabelledFiles } from './labelled-files.ts'

/** A kind of files that are decoded to examples. */
export interface DecodedKind<Whole> extends FileKind {
  /** Throws a FormatError that begins with the name if the file is damaged. */
  readonly decode: (bytes: Uint8Array, name: string) => Promise<Whole>
}

/** Examples on two sides. */
export interface OpenedExamples<Whole> {
  readonly labels: readonly string[]
  readonly train: Examples<Whole>
  readonly test: Examples<Whole>
  readonly opening: Opening
}

const largestFile = 2 ** 30

/** Opens a folder of such files, as `openLabelledFiles`. */
export async function openExampleFolder<Whole>(
  folder: string,
  kind: DecodedKind<Whole>,
  options: LabelledFilesOptions,
): Promise<OpenedExamples<Whole>> {
  const check = async (bytes: Uint8Array, path: string): Promise<void> => {
    await kind.decode(bytes, path)
  }
  const { classes, train, test, opening } = await openLabelledFiles(folder, { ...kind, check }, options)
  const examples = ({ paths, labels }: ClassFiles): Examples<Whole> => ({
    length: paths.length,
    labels: classLabels(labels),
    read: async (index) => {
      const path = paths[index] ?? ''
      return kind.decode(await readBytes(path, largestFile), path)
    },
  })
  return { labels: classes, train: examples(train), test: examples(test), opening }
}

/** An example of a set. */
export interface SetMember {
  readonly name: string
  readonly label: string
  /** Members of a group are on one side: a drum kit, a speaker. */
  readonly group?: string
  readonly bytes: () => Promise<Uint8Array>
}

/** A set of files that only changes as a whole: of a package. */
export interface MemberSet {
  readonly title: string
  /** The packages, with their versions. */
  readonly sources: Readonly<Record<string, string>>
  readonly members: readonly SetMember[]
}

/** How a set is divided. */
export interface MemberSetOptions {
  readonly testShare: number
  readonly seed: number
  /** What an earlier run knows. */
  readonly known?: DataRecord | undefined
}

/** Divides a set: whole groups are held out where there are any, else a share of each class. */
export function openMemberSet<Whole>(
  { title, sources, members }: MemberSet,
  kind: DecodedKind<Whole>,
  { testShare, seed, known }: MemberSetOptions,
): OpenedExamples<Whole> {
  const labels = [...new Set(members.map(({ label }) => label))].sort()
  const { unit } = kind
  const divided = divide(
    members.map(({ name }) => ({ name, digest: '' })),
    undefined,
    { unit, sources, share: testShare, seed, known, split: () => splitMembers(members, testShare, seed) },
  )
  const examples = (rows: readonly number[]): Examples<Whole> => {
    const own = pick(members, rows)
    return {
      length: own.length,
      labels: classLabels(own.map(({ label }) => labels.indexOf(label))),
      read: async (index) => {
        const member = own[index]
        if (!member) throw new UsageError(`${title}: there is no ${unit} number ${index}`)
        return kind.decode(await member.bytes(), member.name)
      },
    }
  }
  const [train, test] = [examples(divided.sides.train), examples(divided.sides.test)]
  const numbers = ({ labels: { data } }: Examples<Whole>): number[] => Array.from(data as Int32Array)
  const summary = [
    `${title}: ${describeClasses(labels, numbers(train), numbers(test))}`,
    describeSides(unit, train.length, test.length),
  ]
  return { labels, train, test, opening: openingOf(summary, [], divided) }
}

function splitMembers(members: readonly SetMember[], share: number, seed: number): Sides {
  const groups = [...new Set(members.flatMap(({ group }) => (group === undefined ? [] : [group])))]
  const held = groups.length > 1 ? heldGroups(members, groups, share, seed) : heldOfEachClass(members, share, seed)
  const rows = [...members.keys()]
  return { train: rows.filter((row) => !held.has(row)), test: rows.filter((row) => held.has(row)) }
}

/** Groups in random order, until their members are the share; at least one. */
function heldGroups(
  members: readonly SetMember[],
  groups: readonly string[],
  share: number,
  seed: number,
): Set<number> {
  const order = new Generator(deriveSeed(seed, 'groups')).permutation(groups.length)
  const held = new Set<number>()
  for (const chosen of order.subarray(0, groups.length - 1)) {
    if (held.size > 0 && held.size >= share * members.length) break
    for (const [row, { group }] of members.entries()) if (group === groups[chosen]) held.add(row)
  }
  return held
}

/** A share of each class; of one that has more than one member at least one. */
function heldOfEachClass(members: readonly SetMember[], share: number, seed: number): Set<number> {
  const held = new Set<number>()
  for (const label of new Set(members.map((member) => member.label))) {
    const rows = [...members.keys()].filter((row) => members[row]?.label === label)
    const count = rows.length > 1 ? Math.max(1, Math.round(share * rows.length)) : 0
    for (const row of pick(rows, splitRandomly(rows.length, count, deriveSeed(seed, 'split', label)).test))
      held.add(row)
  }
  return held
}
