/** ListOps of the Long Range Arena (lra_benchmarks/data/listops.py): nested lists of digits under operators, ten classes. */

/** Operators, in the order they are drawn from; MED is the median truncated to a whole number, SM the sum modulo 10. */
export const listOpsOperators = ['[MIN', '[MAX', '[MED', '[SM'] as const

/** Tokens with id 1, 2, ...; 0 is padding. `]` is written X, as the official loader has it. */
export const listOpsVocabulary = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ...listOpsOperators, 'X'] as const

/** An operator applied to arguments, or a digit. */
export type ListOpsTree = number | { readonly operator: string; readonly values: readonly ListOpsTree[] }

export interface ListOpsOptions {
  /** A node at this depth (the root is at 1) is always a digit. Official: 10. */
  readonly maxDepth: number
  /** Arguments of an operator, at most; at least 2. Official: 10. */
  readonly maxArgs: number
  /** A node is an operator with this probability. Official: 0.25. */
  readonly nodeShare: number
}

/** The random choices, one call each. */
export interface ListOpsDraws {
  /** Uniform in [0, 1). */
  readonly kind: () => number
  /** 0 to 9. */
  readonly digit: () => number
  /** 2 to `most`. */
  readonly argumentCount: (most: number) => number
  /** One of the operators. */
  readonly operator: () => string
}

/** A random tree. The operator is drawn after its arguments. */
export function generateListOps(options: ListOpsOptions, draws: ListOpsDraws, depth = 1): ListOpsTree {
  const isLeaf = depth >= options.maxDepth || draws.kind() > options.nodeShare
  if (isLeaf) return draws.digit()
  const count = draws.argumentCount(options.maxArgs)
  const values = Array.from({ length: count }, () => generateListOps(options, draws, depth + 1))
  return { operator: draws.operator(), values }
}

/** Tokens of a tree: 1 for a digit, 2 more than its arguments' for an operator. */
export function listOpsLength(tree: ListOpsTree): number {
  return typeof tree === 'number' ? 1 : tree.values.reduce<number>((sum, value) => sum + listOpsLength(value), 2)
}

/** The digit that a tree stands for. */
export function listOpsValue(tree: ListOpsTree): number {
  if (typeof tree === 'number') return tree
  const values = tree.values.map(listOpsValue).sort((a, b) => a - b)
  const at = (index: number): number => values[index] ?? 0
  switch (tree.operator) {
    case '[MIN':
      return at(0)
    case '[MAX':
      return at(values.length - 1)
    case '[MED':
      return Math.trunc((at((values.length - 1) >> 1) + at(values.length >> 1)) / 2)
    default:
      return values.reduce((sum, value) => sum + value, 0) % 10
  }
}

/** The words of a tree without parentheses: `[MAX 2 9 X`. */
export function listOpsTokens(tree: ListOpsTree): string[] {
  return typeof tree === 'number' ? [String(tree)] : [tree.operator, ...tree.values.flatMap(listOpsTokens), 'X']
}

/** The official text: every application in parentheses, `( ( ( [MAX 2 ) 9 ) ] )`. */
export function listOpsText(tree: ListOpsTree): string {
  if (typeof tree === 'number') return String(tree)
  const [first, ...rest] = tree.values.map(listOpsText)
  const applied = rest.reduce((text, value) => `( ${text} ${value} )`, `( ${tree.operator} ${first} )`)
  return `( ${applied} ] )`
}

/** Why the tokens are no expression; undefined if they are one. */
export function listOpsFault(tokens: readonly string[]): string | undefined {
  // Values of each list that is open; below them the whole, which has one.
  const open = [0]
  for (const token of tokens) {
    if (open.length === 1 && open[0] === 1) return 'something follows the end of the expression'
    if (token === 'X') {
      if (open.length === 1) return 'a list ends that has not begun'
      if (open.pop() === 0) return 'a list has no values'
    }
    const isOperator = token !== 'X' && Number.isNaN(Number(token))
    if (isOperator) open.push(0)
    else open[open.length - 1] = (open.at(-1) ?? 0) + 1
  }
  if (open.length > 1) return `${open.length - 1} ${open.length === 2 ? 'list does' : 'lists do'} not end`
  return open[0] === 0 ? 'there is nothing in it' : undefined
}

const numbers = new Map<string, number>(listOpsVocabulary.map((token, i) => [token, i + 1]))

/** Token ids, 1 and more. */
export function listOpsIds(tree: ListOpsTree): number[] {
  return listOpsTokens(tree).map((token) => numbers.get(token) ?? 0)
}
