/** All operators that are read, by ONNX's name. */
import { elementwise } from './elementwise.ts'
import { indexing } from './indexing.ts'
import { movement } from './movement.ts'
import { products } from './products.ts'
import { reductions } from './reductions.ts'
import { resizing } from './resize.ts'
import type { Operators } from './types.ts'
import { windows } from './windows.ts'

export const operators: Operators = {
  ...elementwise,
  ...reductions,
  ...movement,
  ...indexing,
  ...products,
  ...windows,
  ...resizing,
}
