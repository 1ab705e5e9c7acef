/** Every op. The registry is this module: tests, docs and gradients read it. */

export * from './arithmetic.ts'
export * from './binary.ts'
export * from './choice.ts'
export * from './composite.ts'
export * from './define.ts'
export * from './matmul.ts'
export * from './movement.ts'
export * from './reduce.ts'
export * from './rounding.ts'
export * from './special.ts'
export * from './unary.ts'
