/**
 * Where both towers begin: so that pictures and texts of some pairs agree as well as a linear map of what untrained towers say allows
 * (canonical correlations, Hotelling 1936). Untrained towers say nearly the same of all pictures and of all texts, and hundreds of steps would
 * pass until they differ.
 */
import { eigh, type Matrices, pinv, svd } from '../../../linalg/index.ts'
import { sizes } from '../../../tensor/shape.ts'
import type { Variable } from '../../../tensor/variable.ts'
import type { CLIP } from '../model.ts'
import { VisionTransformer } from './vision-transformer.ts'

/** Added to the variances, as a share of their mean: with few pairs small variances are chance. */
const ridge = 0.1

/** a b of matrices [n, m] and [m, k]. */
function times(a: Matrices, b: Matrices): Matrices {
  const [[n, m], [, k]] = [sizes(a.shape, 2), sizes(b.shape, 2)]
  const data = new Float64Array(n * k)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      const value = a.data[i * m + j] ?? 0
      for (let c = 0; c < k; c++) data[i * k + c] = (data[i * k + c] ?? 0) + value * (b.data[j * k + c] ?? 0)
    }
  }
  return { shape: [n, k], data }
}

function transposed({ shape, data }: Matrices): Matrices {
  const [n, m] = sizes(shape, 2)
  return {
    shape: [m, n],
    data: Float64Array.from({ length: n * m }, (_, i) => data[(i % n) * m + Math.floor(i / n)] ?? 0),
  }
}

/** Columns times factors. */
function scaled({ shape, data }: Matrices, factors: ArrayLike<number>): Matrices {
  return { shape, data: data.map((value, i) => value * (factors[i % factors.length] ?? 0)) }
}

interface Centered {
  readonly mean: Matrices
  readonly rows: Matrices
}

function centered(rows: Matrices): Centered {
  const [n, width] = sizes(rows.shape, 2)
  const mean = new Float64Array(width)
  for (const [i, value] of rows.data.entries()) mean[i % width] = (mean[i % width] ?? 0) + value / n
  return {
    mean: { shape: [1, width], data: mean },
    rows: { shape: rows.shape, data: rows.data.map((value, i) => value - (mean[i % width] ?? 0)) },
  }
}

/** (X^T X / N + ridge)^(-1/2) */
function whitening({ rows }: Centered): Matrices {
  const [n, width] = sizes(rows.shape, 2)
  const products = times(transposed(rows), rows).data.map((value) => value / n)
  const trace = Array.from({ length: width }, (_, i) => products[i * width + i] ?? 0).reduce(
    (sum, value) => sum + value,
    0,
  )
  for (let i = 0; i < width; i++) products[i * width + i] = (products[i * width + i] ?? 0) + (ridge * trace) / width
  const { values, vectors } = eigh({ shape: [width, width], data: products })
  return times(
    scaled(
      vectors,
      values.data.map((value) => 1 / Math.sqrt(value)),
    ),
    transposed(vectors),
  )
}

/** A linear map of features: (x - mean) map. */
export interface FeatureMap {
  readonly mean: Matrices
  readonly map: Matrices
}

/** The maps of features of pairs [N, E] in which they agree most; directions count as much as they agree. */
export function alignment(
  pictures: Matrices,
  texts: Matrices,
): { readonly pictures: FeatureMap; readonly texts: FeatureMap } {
  const [a, b] = [centered(pictures), centered(texts)]
  const [n] = sizes(pictures.shape, 2)
  const [whiteA, whiteB] = [whitening(a), whitening(b)]
  const cross = scaled(times(times(transposed(times(a.rows, whiteA)), b.rows), whiteB), [1 / n])
  const { u, s, vh } = svd(cross)
  const weights = s.data.map((value) => Math.sqrt(value))
  return {
    pictures: { mean: a.mean, map: times(whiteA, scaled(u, weights)) },
    texts: { mean: b.mean, map: times(whiteB, scaled(transposed(vh), weights)) },
  }
}

const matrixOf = ({ shape, data }: Variable): Matrices => ({ shape: [...shape], data: Float64Array.from(data, Number) })

/** projection [W, E] and bias [W] before it become those of the mapped features. */
function mapProjection(projection: Variable, bias: Variable, { mean, map }: FeatureMap): void {
  const old = matrixOf(projection)
  // The bias that the old projection turns into minus the mean.
  const back = times(mean, pinv(old))
  bias.set(Array.from(back.data, (value, i) => Number(bias.data[i]) - value))
  projection.set(Float32Array.from(times(old, map).data))
}

/** Makes the maps part of the model. */
export function align(model: CLIP, maps: ReturnType<typeof alignment>): void {
  mapProjection(model.text_projection, required(model.ln_final.bias), maps.texts)
  const { visual } = model
  if (visual instanceof VisionTransformer) {
    mapProjection(visual.proj, required(visual.ln_post.bias), maps.pictures)
    return
  }
  const { weight, bias } = visual.attnpool.c_proj
  const { mean, map } = maps.pictures
  const own = required(bias)
  const moved = { shape: mean.shape, data: mean.data.map((value, i) => Number(own.data[i]) - value) }
  own.set(Float32Array.from(times(moved, map).data))
  weight.set(Float32Array.from(transposed(times(transposed(matrixOf(weight)), map)).data))
}

function required(variable: Variable | undefined): Variable {
  if (!variable) throw new TypeError('CLIP: its norms have a bias')
  return variable
}
