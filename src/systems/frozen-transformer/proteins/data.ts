/** Proteins with their families, some organisms of which are held out. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { dataFolder } from '../../../data/catalog/cache.ts'
import { digestOf } from '../../../data/files.ts'
import { type LabelledText, openLabelledTexts } from '../../../data/sources/labelled-texts.ts'
import { nameHashes } from '../../../data/split.ts'
import type { KnownData, OpenedData } from '../../../tasks/define.ts'
import { majorityAccuracy } from '../../../tasks/sequences/classifier.ts'
import { labelledDataset, type SequenceFields } from '../../../tasks/sequences/dataset.ts'
import { count, pathSetting, share, whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { Generator } from '../../../util/random.ts'
import { counted } from '../../../util/words.ts'
import { encodeProtein, evolveFamilies, headerField, type Protein, proteinIds, readFasta } from './fasta.ts'

/** Where proteins come from. */
export const proteinDataSettings = z.strictObject({
  fasta: pathSetting(
    'proteins: 20,500 of UniProt (npx tenfold data proteins); generated: families by a model of evolution; or your own FASTA file, gzipped or not',
    ['proteins', 'generated'],
    'proteins',
  ),
  label_field: z.string().default('GN').describe('the family in a header, as FIELD=value; GN: the gene, of UniProt'),
  group_field: z
    .string()
    .default('OS')
    .describe('what is held out together, as FIELD=value; OS: the organism, of UniProt; empty: single proteins'),
  min_members: whole.default(20).describe('families with fewer proteins are left out'),
  max_seq_length: z.number().int().min(16).default(256).describe('tokens of a protein, at most (official 1024)'),
  too_long: z.enum(['cut', 'skip']).default('cut').describe('longer proteins: cut, or left out as officially'),
  test_share: z.number().gt(0).lt(1).default(0.2).describe('share of the organisms held out'),
  split_seed: count.default(0).describe('seed of the hold-out'),
  families: whole.default(20).describe('generated: families'),
  members: whole.default(60).describe('generated: proteins of each'),
  length: whole.default(100).describe('generated: amino acids of an ancestor'),
  substitution: share.default(0.6).describe('generated: share of the places with another amino acid than the ancestor'),
  indel: share.default(0.02).describe('generated: places where a gap or an insertion begins'),
})

export type ProteinDataSettings = z.infer<typeof proteinDataSettings>

/** What the model is built from. */
export const proteinFacts = z.object({
  labels: z.array(z.string()).min(2),
  vocab_size: whole,
  max_seq_length: whole,
  /** Accuracy of always saying the most frequent family. */
  majority: z.number(),
})

export type ProteinFacts = z.infer<typeof proteinFacts>
export type OpenedProteins = OpenedData<ProteinFacts, SequenceFields>

const folder = 'usr/share/doc/mmseqs2/example-data'

/** All proteins of the settings. */
async function readProteins(data: ProteinDataSettings): Promise<Protein[]> {
  if (data.fasta === 'generated') return evolveFamilies(data, new Generator(data.split_seed))
  if (data.fasta !== 'proteins') return readFasta(data.fasta)
  const names = ['DB', 'QUERY'].map((name) => join(dataFolder('proteins'), folder, `${name}.fasta.gz`))
  return (await Promise.all(names.filter(existsSync).map(readFasta))).flat()
}

interface Family extends LabelledText {
  /** What is held out as one: the species. */
  readonly group: string
}

/** The proteins that are used, and a line about those that are not. */
function labelled(
  proteins: readonly Protein[],
  { label_field, group_field, min_members, max_seq_length, too_long }: ProteinDataSettings,
) {
  const room = max_seq_length - 2
  const all = proteins.flatMap(({ header, sequence }): Family[] => {
    const label = headerField(header, label_field)?.toLowerCase()
    if (label === undefined || sequence === '' || (too_long === 'skip' && sequence.length > room)) return []
    // Strains of a species are nearly the same: the first two words.
    const group = group_field && headerField(header, group_field)?.split(/\s+/).slice(0, 2).join(' ')
    const text = sequence.slice(0, room)
    return [
      { text, label, name: digestOf(text), digest: digestOf(`${label}\0${text}`), group: group || digestOf(text) },
    ]
  })
  // Equal sequences in several organisms would be on both sides.
  const named = [...new Map(all.map((protein) => [protein.name, protein])).values()]
  const members = new Map<string, number>()
  for (const { label } of named) members.set(label, (members.get(label) ?? 0) + 1)
  const rows = named.filter(({ label }) => (members.get(label) ?? 0) >= min_members)
  const left = proteins.length - rows.length
  const reason = `${counted(left, 'protein')} left out: equal to another, or without a family of ${min_members}`
  return { rows, leftOut: left > 0 ? [reason] : [] }
}

/** Opens proteins; those of an organism are on one side, so that a family is recognised in organisms that were never seen. */
export async function openProteins(
  data: ProteinDataSettings,
  known: KnownData<ProteinFacts> | undefined,
): Promise<OpenedProteins> {
  const { rows, leftOut } = labelled(await readProteins(data), data)
  if (new Set(rows.map(({ label }) => label)).size < 2)
    throw new UsageError(`${data.fasta}: at least two families of ${data.min_members} proteins are needed`, {
      hint: `a header names its family as ${data.label_field}=value; --set data.label_field=NAME, or a smaller data.min_members`,
    })
  const hashes = nameHashes(
    rows.map(({ group }) => group),
    data.split_seed,
  )
  const isHeld = (_: unknown, i: number): boolean => (hashes[i] ?? 1) < data.test_share
  const all = [...rows.keys()]
  const { labels, train, test, opening } = openLabelledTexts({ rows, leftOut }, undefined, {
    source: data.fasta,
    share: data.test_share,
    seed: data.split_seed,
    known: known && { labels: known.facts.labels, record: known.record },
    split: () => ({ train: all.filter((i) => !isHeld(undefined, i)), test: all.filter((i) => isHeld(undefined, i)) }),
  })
  const sequences = (texts: typeof train) =>
    labelledDataset(
      texts.map(({ text, label }) => ({ ids: encodeProtein(text), label })),
      data.max_seq_length,
      proteinIds,
    )
  const labelsOf = (texts: typeof train): number[] => texts.map(({ label }) => label)
  return {
    train: sequences(train),
    test: sequences(test),
    facts: known?.facts ?? {
      labels: [...labels],
      vocab_size: proteinIds.size,
      max_seq_length: data.max_seq_length,
      majority: majorityAccuracy(labelsOf(train), labelsOf(test)),
    },
    opening,
  }
}
