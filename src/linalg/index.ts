/**
 * Linear algebra of numbers, outside of the graph and in float64: what statistics, metrics and initial values need. No gradient flows through
 * it; `ops` has solve, inverse, cholesky, slogdet and others for the graph (docs/decisions/050-linear-algebra.md).
 */
export { cholesky, eigh, eigvalsh, matrixSqrth, type QrOptions, qr, svd } from './decompositions.ts'
export {
  det,
  inv,
  lstsq,
  matrixRank,
  pinv,
  type RankOptions,
  type SolveTriangularOptions,
  slogdet,
  solve,
  solveTriangular,
} from './equations.ts'
export { type Matrices, type MatrixInput, toTensor } from './matrices.ts'
export { cond, matrixNorm, type NormOptions, trace } from './norms.ts'
