/** Protein sequences: FASTA files, the numbers of amino acids, and families that are drawn by a stated model of evolution. */
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { readBytes } from '../../../data/files.ts'
import { FormatError } from '../../../util/errors.ts'
import type { Generator } from '../../../util/random.ts'

/** A record of a FASTA file. */
export interface Protein {
  /** The line after `>`. */
  readonly header: string
  /** Letters of amino acids, upper case. */
  readonly sequence: string
}

/** The largest file that is read, in bytes. */
const largest = 2 ** 30

/** The records of a text. Throws a FormatError that names the line where it is no FASTA. */
export function parseFasta(text: string, source: string): Protein[] {
  const found: { header: string; parts: string[] }[] = []
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith(';')) continue
    if (trimmed.startsWith('>')) {
      found.push({ header: trimmed.slice(1).trim(), parts: [] })
      continue
    }
    const last = found.at(-1)
    if (!last || !/^[A-Za-z*-]+$/.test(trimmed)) {
      throw new FormatError(
        `${source}: line ${i + 1} must be ${last ? 'letters of amino acids' : 'a header that begins with ">"'}, found ${JSON.stringify(trimmed.slice(0, 20))}`,
        { hint: 'a FASTA file has a line ">NAME ..." before each sequence' },
      )
    }
    last.parts.push(trimmed)
  }
  return found.map(({ header, parts }) => ({ header, sequence: parts.join('').replace(/[*-]/g, '').toUpperCase() }))
}

/** Reads a FASTA file, gzipped or not. */
export async function readFasta(path: string): Promise<Protein[]> {
  const bytes = await readBytes(path, largest)
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b
  const text = isPacked ? await promisify(gunzip)(bytes).catch(() => undefined) : bytes
  if (!text) throw new FormatError(`${path}: must be a whole gzip file`)
  return parseFasta(new TextDecoder().decode(text), path)
}

/** `GN=abc` in a header: what stands after the name, up to the next one; undefined where it is not there. */
export function headerField(header: string, name: string): string | undefined {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`(?:^|\\s)${escaped}=(.*?)(?=\\s+\\w+=|$)`).exec(header)?.[1]?.trim() || undefined
}

/** Amino acids in the order of their numbers, 5 and more (TAPE's IUPAC vocabulary). */
const aminoAcids = 'ABCDEFGHIKLMNOPQRSTUVWXYZ'
const firstAcid = 5

/** Numbers of tokens: padding, sequence begins, sequence ends, unknown; and how many numbers there are. */
export const proteinIds = { pad: 0, cls: 2, sep: 3, unknown: 4, size: firstAcid + aminoAcids.length } as const

/** The numbers of a sequence's amino acids. */
export function encodeProtein(sequence: string): number[] {
  return Array.from(sequence.toUpperCase(), (letter) => {
    const index = aminoAcids.indexOf(letter)
    return index < 0 ? proteinIds.unknown : firstAcid + index
  })
}

/** Sizes of generated families. */
export interface EvolutionOptions {
  readonly families: number
  /** Proteins of a family. */
  readonly members: number
  /** Amino acids of an ancestor. */
  readonly length: number
  /** Probability that a place is another amino acid than in the ancestor. */
  readonly substitution: number
  /** Probability that a place begins a gap or an insertion, of 1 to 4 amino acids. */
  readonly indel: number
}

/** The twenty amino acids of proteins. */
const standard = 'ACDEFGHIKLMNPQRSTVWY'

/**
 * Families by a model of evolution: ancestors are drawn with all amino acids equally likely; a member has, independently at each place, a
 * substitution to any other one (Jukes and Cantor's model for 20 states), and insertions and deletions. No structure, no function: nothing that
 * real proteins know beyond common descent. The header has the family as `GN=` and the member as `OS=`.
 */
export function evolveFamilies(options: EvolutionOptions, random: Generator): Protein[] {
  const { families, members, length, substitution, indel } = options
  const chance = (): number => random.uniform(1)[0] ?? 0
  const whole = (count: number): number => random.integers(0, count, 1)[0] ?? 0
  const acid = (): string => standard[whole(standard.length)] ?? 'A'
  const other = (than: string): string =>
    standard[(standard.indexOf(than) + 1 + whole(standard.length - 1)) % standard.length] ?? 'A'
  const descend = (ancestor: string): string => {
    let sequence = ''
    let skipped = 0
    for (const letter of ancestor) {
      if (skipped > 0) {
        skipped--
        continue
      }
      if (chance() < indel) {
        if (chance() < 0.5) {
          skipped = whole(4)
          continue
        }
        sequence += Array.from({ length: 1 + whole(4) }, acid).join('')
      }
      sequence += chance() < substitution ? other(letter) : letter
    }
    return sequence
  }
  return Array.from({ length: families }, (_, family) => {
    const ancestor = Array.from({ length }, acid).join('')
    return Array.from({ length: members }, (_, member) => ({
      header: `generated OS=member ${member} GN=family${family}`,
      sequence: descend(ancestor),
    }))
  }).flat()
}
