/** Sums of products over labelled axes. */

import { elementCount } from '../../tensor/dtype.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { shown } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { checked, inputAt, type Operand, toTensorList } from '../define.ts'
import { mul } from '../elementwise/binary.ts'
import { diagonal } from '../movement/diagonal.ts'
import { permute, reshape } from '../movement/movement.ts'
import { sum } from '../reduction/reduce.ts'
import { matmulWith } from './matmul.ts'

/** A tensor whose axes have names. No name occurs twice. */
interface Labelled {
  readonly tensor: Tensor
  readonly labels: readonly string[]
}

interface Equation {
  readonly operands: readonly (readonly string[])[]
  readonly output: readonly string[]
}

const ellipsis = '...'

/** Axes of an ellipsis are counted from its end, because they align there: `...1`, `...0`. */
function ellipsisLabels(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${ellipsis}${count - 1 - i}`)
}

function parseTerm(equation: string, term: string): string[] {
  const labels = term.match(/\.\.\.|[A-Za-z]/g) ?? []
  if (labels.join('') !== term || labels.filter((label) => label === ellipsis).length > 1) {
    throw new ShapeError(`einsum: "${term}" must be letters with at most one ellipsis, in "${equation}"`, {
      hint: "an equation looks like 'bij,bjk->bik'",
    })
  }
  return labels
}

/** Letters that occur once, in alphabetical order (capitals first), after the axes of the ellipsis. */
function implicitOutput(operands: readonly (readonly string[])[]): string[] {
  const all = operands.flat()
  const letters = [...new Set(all)].filter((label) => label.length === 1)
  return [ellipsis, ...letters.filter((letter) => all.indexOf(letter) === all.lastIndexOf(letter)).sort()]
}

/** The equation with every ellipsis replaced by labels for its axes. */
function parseEquation(equation: string, tensors: readonly Tensor[]): Equation {
  const [left = '', right, ...rest] = equation.replaceAll(/\s/g, '').split('->')
  const terms = left.split(',')
  if (rest.length > 0 || terms.length !== tensors.length) {
    throw new ShapeError(
      `einsum: "${equation}" has ${terms.length} terms and ${rest.length + (right === undefined ? 0 : 1)} arrows, found ${tensors.length} tensors`,
      { hint: 'one term for each tensor, separated by commas, then at most one arrow' },
    )
  }
  const parsed = terms.map((term) => parseTerm(equation, term))
  let widest = 0
  const operands = parsed.map((labels, i) => {
    const { rank, shape } = inputAt('einsum', tensors, i)
    const named = labels.filter((label) => label !== ellipsis).length
    const hidden = rank - named
    if (hidden < 0 || (hidden > 0 && named === labels.length)) {
      throw new ShapeError(`einsum: "${terms[i]}" does not name the axes of operand ${i} ${formatShape(shape)}`, {
        hint: 'one letter for each axis; ... stands for any number of axes',
      })
    }
    widest = Math.max(widest, hidden)
    return labels.flatMap((label) => (label === ellipsis ? ellipsisLabels(hidden) : [label]))
  })
  const output = (right === undefined ? implicitOutput(parsed) : parseTerm(equation, right)).flatMap((label) =>
    label === ellipsis ? ellipsisLabels(widest) : [label],
  )
  const unknown = output.find((label, i) => output.indexOf(label) !== i || !operands.flat().includes(label))
  if (unknown !== undefined) {
    throw new ShapeError(
      `einsum: each axis of the output must be named once and occur in an operand, found "${unknown}" in "${equation}"`,
    )
  }
  return { operands, output }
}

/** Takes diagonals until no label occurs twice. */
function withoutRepeats(tensor: Tensor, labels: readonly string[]): Labelled {
  const second = labels.findIndex((label, i) => labels.indexOf(label) < i)
  const label = labels[second]
  if (label === undefined) return { tensor, labels }
  const first = labels.indexOf(label)
  const others = labels.filter((_, i) => i !== first && i !== second)
  if (tensor.shape[first] !== tensor.shape[second]) {
    throw new ShapeError(`einsum: axes named "${label}" must have equal sizes, found ${formatShape(tensor.shape)}`)
  }
  return withoutRepeats(diagonal(tensor, { axis1: first, axis2: second }), [...others, label])
}

/** The size of each label; an axis of size 1 fits any size. */
function labelSizes(operands: readonly Labelled[]): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  for (const { tensor, labels } of operands) {
    for (const [axis, label] of labels.entries()) {
      const [known, size] = [sizes.get(label) ?? 1, sizeOf(tensor.shape, axis)]
      if (known !== size && known !== 1 && size !== 1) {
        throw new ShapeError(`einsum: axes named "${label}" must have equal sizes, found ${known} and ${size}`)
      }
      sizes.set(label, known === 1 ? size : known)
    }
  }
  return sizes
}

/** Drops axes of size 1 whose label is longer elsewhere: broadcasting needs no axis. */
function withoutBroadcast({ tensor, labels }: Labelled, sizes: ReadonlyMap<string, number>): Labelled {
  const kept = labels.filter((label, axis) => sizes.get(label) === tensor.shape[axis])
  return {
    tensor: reshape(
      tensor,
      kept.map((label) => sizes.get(label) ?? 1),
    ),
    labels: kept,
  }
}

function sumOver({ tensor, labels }: Labelled, gone: (label: string) => boolean): Labelled {
  const axes = labels.flatMap((label, axis) => (gone(label) ? [axis] : []))
  if (axes.length === 0) return { tensor, labels }
  return { tensor: sum(tensor, axes), labels: labels.filter((label) => !gone(label)) }
}

function sizesOf({ tensor, labels }: Labelled, wanted: readonly string[]): number[] {
  return wanted.map((label) => sizeOf(tensor.shape, labels.indexOf(label)))
}

/** The tensor with its axes in the order of `labels`; those it lacks have size 1. */
function aligned(x: Labelled, labels: readonly string[]): Tensor {
  const present = labels.filter((label) => x.labels.includes(label))
  const ordered = permute(
    x.tensor,
    present.map((label) => x.labels.indexOf(label)),
  )
  return reshape(
    ordered,
    labels.map((label) => (x.labels.includes(label) ? sizeOf(x.tensor.shape, x.labels.indexOf(label)) : 1)),
  )
}

/** [batch, rows, columns] of a tensor, and whether rows and columns are swapped because they lie so in memory. */
function asMatrices(
  x: Labelled,
  batch: readonly string[],
  rows: readonly string[],
  columns: readonly string[],
): { readonly matrices: Tensor; readonly swapped: boolean } {
  const swapped = [...batch, ...columns, ...rows].every((label, i) => label === x.labels[i])
  const order = swapped ? [...batch, ...columns, ...rows] : [...batch, ...rows, ...columns]
  const count = (labels: readonly string[]): number => elementCount(sizesOf(x, labels))
  const shape = [batch, ...(swapped ? [columns, rows] : [rows, columns])].map(count)
  return { matrices: reshape(aligned(x, order), shape), swapped }
}

/** The product of two tensors, summed over the labels that nothing else needs. */
function contract(a: Labelled, b: Labelled, needed: ReadonlySet<string>): Labelled {
  const shared = a.labels.filter((label) => b.labels.includes(label))
  const batch = shared.filter((label) => needed.has(label))
  const inner = shared.filter((label) => !needed.has(label))
  const rows = a.labels.filter((label) => !b.labels.includes(label))
  const columns = b.labels.filter((label) => !a.labels.includes(label))
  const labels = [...batch, ...rows, ...columns]
  if (inner.length === 0) return { tensor: mul(aligned(a, labels), aligned(b, labels)), labels }
  if (rows.length === 0 && columns.length === 0 && batch.length > 0) {
    // Many products of single rows and columns: one pass over the elements beats as many calls of the kernel.
    const order = [...batch, ...inner]
    return sumOver({ tensor: mul(aligned(a, order), aligned(b, order)), labels: order }, (label) =>
      inner.includes(label),
    )
  }
  const left = asMatrices(a, batch, rows, inner)
  const right = asMatrices(b, batch, inner, columns)
  const product = matmulWith(left.matrices, right.matrices, { transposeA: left.swapped, transposeB: right.swapped })
  return { tensor: reshape(product, [...sizesOf(a, [...batch, ...rows]), ...sizesOf(b, columns)]), labels }
}

/** The two tensors whose product is smallest, contracted; the others follow. */
function contractCheapest(operands: readonly Labelled[], output: readonly string[]): Labelled[] {
  let best: { readonly size: number; readonly remaining: Labelled[] } | undefined
  for (const [i, a] of operands.entries()) {
    for (const b of operands.slice(i + 1)) {
      const others = operands.filter((operand) => operand !== a && operand !== b)
      const needed = new Set([...output, ...others.flatMap((operand) => operand.labels)])
      const product = contract(a, b, needed)
      if (!best || product.tensor.size < best.size)
        best = { size: product.tensor.size, remaining: [product, ...others] }
    }
  }
  return best?.remaining ?? [...operands]
}

/**
 * Sums of products in Einstein's notation: `einsum('bhid,bhjd->bhij', q, k)`. One letter names an axis; a letter
 * missing in the output is summed over; one that occurs twice in a term takes the diagonal; `...` stands for any axes,
 * which broadcast. Without an arrow the output is `...`, then the letters that occur once, in alphabetical order.
 * More than two tensors are multiplied pair by pair, the smallest product first.
 */
export function einsum(equation: string, ...operands: readonly Operand[]): Tensor {
  const tensors = toTensorList('einsum', 'operands', operands)
  return checked(() => {
    if (typeof equation !== 'string')
      throw new ShapeError(`einsum: the equation must be a text, found ${shown(equation)}`)
    const { operands: terms, output } = parseEquation(equation, tensors)
    const distinct = tensors.map((tensor, i) => withoutRepeats(tensor, inputAt('einsum', terms, i)))
    const sizes = labelSizes(distinct)
    const factors = distinct.map((operand) => withoutBroadcast(operand, sizes))
    let remaining = factors.map((factor) => {
      const elsewhere = new Set([
        ...output,
        ...factors.filter((other) => other !== factor).flatMap(({ labels }) => labels),
      ])
      return sumOver(factor, (label) => !elsewhere.has(label))
    })
    while (remaining.length > 1) remaining = contractCheapest(remaining, output)
    const result = inputAt('einsum', remaining, 0)
    return aligned(
      sumOver(result, (label) => !output.includes(label)),
      output,
    )
  })
}
