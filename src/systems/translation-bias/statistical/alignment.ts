/** fast_align (Dyer, Chahuneau and Smith 2013): IBM Model 2 whose positions prefer the diagonal, digit by digit as the tool computes it. */
import { requireCount } from '../../../util/check.ts'
import { FormatError } from '../../../util/errors.ts'
import { tensionGradient } from './diagonal.ts'

/** The tool's flags; each comment names the letter. */
export interface FastAlignOptions {
  /** -d: positions near the diagonal are more probable. Default true. */
  readonly favorDiagonal?: boolean
  /** -o: how strongly is learnt, from the second iteration on. Default true. */
  readonly optimizeTension?: boolean
  /** -v: variational Bayes with a Dirichlet prior `alpha` on the translations. Default true. */
  readonly variationalBayes?: boolean
  /** -r: source and target change places; the links are printed in the given order all the same. Default false. */
  readonly reverse?: boolean
  /** -N switches it off: words may come from nothing. Default true. */
  readonly useNull?: boolean
  /** -I. Default 5. */
  readonly iterations?: number
  /** -T: the tension at the start. Default 4. */
  readonly tension?: number
  /** -p: the probability of NULL. Default 0.08. */
  readonly nullProbability?: number
  /** -a. Default 0.01. */
  readonly alpha?: number
}

/** Source token and target token, from 0. */
export type Link = readonly [source: number, target: number]

/** What the tool prints. */
export interface Alignments {
  /** Of each pair, in the order of the target's tokens (of the source's with `reverse`). */
  readonly links: readonly (readonly Link[])[]
  /** By iteration: log likelihood (base e). */
  readonly logLikelihood: readonly number[]
  /** By iteration: bits per target token. */
  readonly crossEntropy: readonly number[]
  /** By iteration: the share of target tokens that come from nothing; 0 in the last, which counts nothing. */
  readonly nullShare: readonly number[]
  /** After each update. */
  readonly tensions: readonly number[]
}

/** Tokens are what spaces and tabs separate. Throws a FormatError for a line that is not `source ||| target` with words on both sides. */
export function parsePair(line: string, number = 1): readonly [source: readonly string[], target: readonly string[]] {
  const words = line.split(/[ \t]+/).filter(Boolean)
  const divider = words.indexOf('|||')
  if (divider < 1 || divider === words.length - 1)
    throw new FormatError(`line ${number} must be "source ||| target" with words on both sides, found "${line}"`)
  return [words.slice(0, divider), words.slice(divider + 1)]
}

/** The first table: not normalised, so that the first iteration sees the positions only. */
const startProbability = 1e-9

/** The translation table of all word pairs that meet in a sentence, and for each cell of each sentence its place there. */
class Cells {
  readonly sources: number[] = []
  readonly #ids = new Map<string, number>()
  readonly #entries = new Map<number, number>()

  #id(word: string): number {
    const id = this.#ids.get(word) ?? this.#ids.size
    this.#ids.set(word, id)
    return id
  }

  /** Entries of a sentence, [target][NULL, sources...]. */
  of(source: readonly string[], target: readonly string[]): Int32Array {
    const nothing = this.#id('\u0000')
    const sourceIds = [nothing, ...source.map((word) => this.#id(word))]
    const cells = new Int32Array(target.length * sourceIds.length)
    let place = 0
    for (const word of target) {
      const id = this.#id(word)
      for (const sourceId of sourceIds) {
        const key = sourceId * 2 ** 26 + id
        const entry = this.#entries.get(key) ?? this.#entries.size
        if (entry === this.#entries.size) {
          this.#entries.set(key, entry)
          this.sources.push(sourceId)
        }
        cells[place++] = entry
      }
    }
    return cells
  }

  get words(): number {
    return this.#ids.size
  }
}

/** Digamma as the tool has it. */
function digamma(value: number): number {
  let [x, result] = [value, 0]
  for (; x < 7; x++) result -= 1 / x
  x -= 0.5
  const y = 1 / (x * x)
  return result + Math.log(x) + y / 24 - (7 * y ** 2) / 960 + (31 * y ** 3) / 8064 - (127 * y ** 4) / 30720
}

function maximize(counts: Float64Array, cells: Cells, prior: number | undefined): Float64Array {
  const totals = new Float64Array(cells.words)
  for (const [entry, count] of counts.entries()) {
    const source = cells.sources[entry] ?? 0
    totals[source] = (totals[source] ?? 0) + count + (prior ?? 0)
  }
  const shares = prior === undefined ? totals : totals.map(digamma)
  return counts.map((count, entry) => {
    const total = shares[cells.sources[entry] ?? 0] ?? 0
    return prior === undefined ? count / (total || 1) : Math.exp(digamma(count + prior) - total)
  })
}

/** Aligns the words of all sentence pairs by expectation maximisation over them. */
export function fastAlign(
  pairs: readonly (readonly [source: readonly string[], target: readonly string[]])[],
  options: FastAlignOptions = {},
): Alignments {
  const { favorDiagonal = true, optimizeTension = true, variationalBayes = true, reverse = false } = options
  const { useNull = true, iterations = 5, nullProbability = 0.08, alpha = 0.01 } = options
  requireCount('fastAlign', 'iterations', iterations, 1)
  let tension = options.tension ?? 4
  const cells = new Cells()
  const sentences = pairs.map(([first, second]) => {
    const [source, target] = reverse ? [second, first] : [first, second]
    return { n: source.length, m: target.length, entries: cells.of(source, target) }
  })
  const tokens = sentences.reduce((sum, { m }) => sum + m, 0)
  let table: Float64Array = new Float64Array(cells.sources.length).fill(startProbability)
  const [logLikelihood, crossEntropy, nullShare, tensions]: [number[], number[], number[], number[]] = [[], [], [], []]
  const links: Link[][] = []
  for (let iteration = 0; iteration < iterations; iteration++) {
    const isLast = iteration === iterations - 1
    const counts = new Float64Array(table.length)
    let [likelihood, nothing, feature] = [0, 0, 0]
    for (const { n, m, entries } of sentences) {
      const found: Link[] = []
      const weights = new Float64Array(n + 1)
      for (let j = 1; j <= m; j++) {
        const start = (j - 1) * (n + 1)
        let z = 0
        if (favorDiagonal) for (let i = 1; i <= n; i++) z += Math.exp(-tension * Math.abs(i / n - j / m))
        let sum = 0
        for (let i = useNull ? 0 : 1; i <= n; i++) {
          let position = 1 / (n + Number(useNull))
          if (favorDiagonal && i === 0) position = nullProbability
          // Even without NULL its part is left out, as in the tool.
          else if (favorDiagonal) position = (Math.exp(-tension * Math.abs(i / n - j / m)) / z) * (1 - nullProbability)
          const weight = (table[entries[start + i] ?? 0] ?? 0) * position
          weights[i] = weight
          sum += weight
        }
        likelihood += Math.log(sum)
        if (isLast) {
          let [best, most] = useNull ? [0, weights[0] ?? 0] : [-1, -1]
          for (let i = 1; i <= n; i++) {
            const weight = weights[i] ?? 0
            if (weight > most) [best, most] = [i, weight]
          }
          if (best > 0) found.push(reverse ? [j - 1, best - 1] : [best - 1, j - 1])
          continue
        }
        for (let i = useNull ? 0 : 1; i <= n; i++) {
          const entry = entries[start + i] ?? 0
          const posterior = (weights[i] ?? 0) / sum
          counts[entry] = (counts[entry] ?? 0) + posterior
          if (i === 0) nothing += posterior
          // The tool counts the target's positions from 0 here, and from 1 everywhere else.
          else feature -= Math.abs(i / n - (j - 1) / m) * posterior
        }
      }
      if (isLast) links.push(found)
    }
    logLikelihood.push(likelihood)
    crossEntropy.push(-likelihood / Math.LN2 / tokens)
    nullShare.push(nothing / tokens)
    if (isLast) break
    if (favorDiagonal && optimizeTension && iteration > 0) {
      tension = optimized(tension, feature / tokens, sentences, tokens)
      tensions.push(tension)
    }
    table = maximize(counts, cells, variationalBayes ? alpha : undefined)
  }
  return { links, logLikelihood, crossEntropy, nullShare, tensions }
}

const tensionSteps = 8
const tensionRate = 20

/** Gradient steps that bring the expected distance from the diagonal to the one found. */
function optimized(
  start: number,
  found: number,
  sentences: readonly { readonly n: number; readonly m: number }[],
  tokens: number,
): number {
  const bySize = new Map<string, { n: number; m: number; count: number }>()
  for (const { n, m } of sentences) {
    const size = bySize.get(`${n} ${m}`) ?? { n, m, count: 0 }
    size.count++
    bySize.set(`${n} ${m}`, size)
  }
  let tension = start
  for (let step = 0; step < tensionSteps; step++) {
    let expected = 0
    for (const { n, m, count } of bySize.values())
      for (let j = 1; j <= m; j++) expected += count * tensionGradient(j, m, n, tension)
    tension = Math.min(14, Math.max(0.1, tension + (found - expected / tokens) * tensionRate))
  }
  return tension
}
