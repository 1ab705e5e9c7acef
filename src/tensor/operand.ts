/** The error for a value that is not a tensor. */
import { shown } from '../util/check.ts'
import { ShapeError } from '../util/errors.ts'
import { currentTrace } from './trace.ts'

/** Functions whose operands may be class indices. */
const takesLabels = new Set(['crossEntropy', 'nllLoss', 'embedding', 'oneHot', 'gather', 'indexSelect', 'bincount'])

function valuesHint(op: string): string {
  return takesLabels.has(op)
    ? "tensor(values) makes one, and tensor(labels, 'int32') one of class indices"
    : 'tensor(values) makes one'
}

/** The error for values that plain JavaScript, or a batch without a field, passes to an op or a layer instead of a tensor. */
export function noTensor(owner: string, value: unknown): ShapeError {
  const isText = typeof value === 'string' || typeof value === 'bigint' || typeof value === 'symbol'
  const found = Array.isArray(value) ? 'an array' : isText ? typeof value : shown(value)
  const missing = value === undefined ? currentTrace()?.missing.at(-1) : undefined
  const hint = Array.isArray(value) || ArrayBuffer.isView(value) ? { hint: valuesHint(owner) } : {}
  return new ShapeError(`${owner}: a tensor is needed, found ${found}${missing ? `: ${missing}` : ''}`, hint)
}
