/** SentencePiece's BPE: of all neighbours that together are a piece those with the highest score become one, again and again. */
import { Heap } from '../heap.ts'

/** What merging goes by. */
export interface MergedPieces {
  /** The scores of all pieces of more than one character that neighbours may become. */
  readonly scores: ReadonlyMap<string, number>
  /** Whether a piece is left as it is; others, which SentencePiece calls unused, are taken apart when all is merged. */
  isKept(piece: string): boolean
}

/** Neighbours that together are a piece; stale once one of them is part of another one. */
interface Candidate {
  readonly left: number
  readonly right: number
  readonly piece: string
  readonly score: number
}

/** The highest score first, the leftmost of equal ones. */
const comesFirst = (a: Candidate, b: Candidate): boolean => (a.score === b.score ? a.left < b.left : a.score > b.score)

/** The pieces of a text, and the characters that became part of none. */
export function mergePieces(text: string, { scores, isKept }: MergedPieces): string[] {
  const symbols = [...text] // '' where one has become part of its left neighbour
  const end = symbols.length
  const [before, after] = [symbols.map((_, i) => i - 1), symbols.map((_, i) => i + 1)]
  const halves = new Map<string, readonly [string, string]>()
  const queue = new Heap(comesFirst)
  const meet = (left: number, right: number): void => {
    const [first, second] = [symbols[left], symbols[right]]
    if (first === undefined || second === undefined) return
    const piece = first + second
    const score = scores.get(piece)
    if (score === undefined) return
    queue.push({ left, right, piece, score })
    if (!isKept(piece)) halves.set(piece, [first, second])
  }
  for (let i = 1; i < end; i++) meet(i - 1, i)
  for (let best = queue.pop(); best; best = queue.pop()) {
    const { left, right, piece } = best
    const [first, second] = [symbols[left], symbols[right]]
    if (!first || !second || first.length + second.length !== piece.length) continue
    const next = after[right] ?? end
    symbols[left] = piece
    symbols[right] = ''
    after[left] = next
    if (next < end) before[next] = left
    meet(before[left] ?? -1, left)
    meet(left, next)
  }
  const apart = (symbol: string): readonly string[] => halves.get(symbol)?.flatMap(apart) ?? [symbol]
  return symbols.filter((symbol) => symbol !== '').flatMap(apart)
}

/** Cuts texts between characters that no piece has next to each other, so that their parts can be merged one by one. */
export function partsToMerge(pieces: Iterable<string>): (text: string) => string[] {
  const neighbours = new Set<string>()
  for (const piece of pieces) eachPair(piece, (pair) => void neighbours.add(pair))
  return (text) => {
    const parts: string[] = []
    let start = 0
    eachPair(text, (pair, middle) => {
      if (neighbours.has(pair)) return
      parts.push(text.slice(start, middle))
      start = middle
    })
    if (start < text.length) parts.push(text.slice(start))
    return parts
  }
}

/** Calls `visit` with all two neighbouring characters, and the index between them. */
function eachPair(text: string, visit: (pair: string, middle: number) => void): void {
  let [left, middle] = ['', 0]
  for (const right of text) {
    if (left) visit(left + right, middle)
    left = right
    middle += right.length
  }
}
