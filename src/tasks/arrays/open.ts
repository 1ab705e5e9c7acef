/** Which labelled examples a recipe is trained on: generated ones, a set of the catalogue, or a folder of one's own. */
import { existsSync } from 'node:fs'
import { z } from 'zod'
import { type Cut, type Examples, exampleDataset, remembered } from '../../data/examples.ts'
import { describeSides, openingOf } from '../../data/opening.ts'
import { recordWhole } from '../../data/record.ts'
import {
  type DecodedKind,
  type MemberSet,
  type OpenedExamples,
  openExampleFolder,
  openMemberSet,
} from '../../data/sources/example-files.ts'
import { onErrorSetting } from '../../train/data-settings.ts'
import { count, pathSetting } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { suggestion } from '../../util/words.ts'
import type { KnownData } from '../define.ts'
import type { OpenedArrays } from './experiment.ts'
import type { ArrayFacts } from './facts.ts'

/** Settings that choose examples; `names`: sets that are known by name, the first one where none is named. */
export function exampleDataSettings(names: readonly string[], unit: string) {
  return {
    folder: pathSetting(
      `a set by name (${names.join(', ')}), or a folder with one sub-folder of ${unit}s per class, or with train/ and test/ folders`,
      names,
      names[0] ?? '',
    ),
    test: pathSetting(
      `of a folder: another one of test ${unit}s with the same sub-folders; empty: a share is held out`,
    ),
    test_share: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.2)
      .describe(`of a folder or a set of the catalogue: share of the ${unit}s held out for testing`),
    split_seed: count.default(0).describe('decides which ones'),
    on_error: onErrorSetting,
  }
}

/** What `exampleDataSettings` gives. */
export interface ExampleData {
  readonly folder: string
  readonly test: string
  readonly test_share: number
  readonly split_seed: number
  readonly on_error: 'stop' | 'skip'
}

/** Examples that follow from numbers. */
export interface GeneratedExamples<Whole> {
  readonly title: string
  readonly labels: readonly string[]
  readonly train: Examples<Whole>
  readonly test: Examples<Whole>
  /** What they are made from, by name: packages, the version of the rules. */
  readonly sources: Readonly<Record<string, string>>
}

/** A kind of examples, and where they may come from. */
export interface ExampleKind<Whole> extends DecodedKind<Whole> {
  /** Memory that a decoded example takes. */
  readonly bytesOf: (whole: Whole) => number
  readonly generated: Readonly<Record<string, () => GeneratedExamples<Whole> | Promise<GeneratedExamples<Whole>>>>
  /** Sets of the catalogue; throw a MissingDataError with the command that fetches them. */
  readonly sets: Readonly<Record<string, () => Promise<MemberSet>>>
}

/** Opens the examples that the settings name. */
export async function openExamples<Whole>(
  data: ExampleData,
  kind: ExampleKind<Whole>,
  known?: KnownData<Pick<ArrayFacts, 'labels'>>,
): Promise<OpenedExamples<Whole>> {
  const { folder, test, test_share: testShare, split_seed: seed, on_error: onError } = data
  const names = [...Object.keys(kind.generated), ...Object.keys(kind.sets)]
  if (folder === '')
    throw new UsageError('data.folder must name examples, found ""', {
      hint: `one of ${names.join(', ')}, or a folder`,
    })
  if (names.includes(folder) && test !== '') {
    throw new UsageError(`data.test is for ${kind.unit}s of your own, not for ${folder}`)
  }
  const generate = kind.generated[folder]
  if (generate) {
    const { title, labels, train, test: held, sources } = await generate()
    const summary = `${title}: ${describeSides(kind.unit, train.length, held.length)}`
    const opening = openingOf([summary], [], recordWhole(kind.unit, sources, known?.record))
    return { labels, train, test: held, opening }
  }
  const set = kind.sets[folder]
  if (set) return openMemberSet(await set(), kind, { testShare, seed, known: known?.record })
  if (!/[\\/]/.test(folder) && !existsSync(folder)) {
    throw new UsageError(`data.folder: there is no folder "${folder}", and no set of ${kind.unit}s of that name`, {
      hint: suggestion(folder, names),
    })
  }
  const earlier = known && { classes: known.facts.labels, record: known.record }
  return openExampleFolder(folder, kind, { test, testShare, seed, onError, known: earlier })
}

/** The examples cut into arrays: for training at random, for testing in windows. */
export function openedArrays<Whole, Name extends string, Facts extends ArrayFacts>(
  { train, test, opening }: OpenedExamples<Whole>,
  bytesOf: (whole: Whole) => number,
  cut: Cut<Whole, Name>,
  facts: Facts,
): OpenedArrays<Facts> {
  const [kept, held] = [remembered(train, bytesOf), remembered(test, bytesOf)]
  return {
    train: exampleDataset(kept, cut, { random: true }),
    plain: exampleDataset(kept, cut),
    test: exampleDataset(held, cut, { windows: facts.windows }),
    facts,
    testExamples: held.length,
    opening,
  }
}
