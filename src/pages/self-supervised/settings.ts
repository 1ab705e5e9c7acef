/** Sizes of the page's two trainings, and what can be switched. */

/** Sizes of the joint embedding of digits. It is two numbers wide: what is plotted is all of it. */
export const embedding = { hidden: 128, batch: 128, steps: 900, lr: 0.002, shown: 300 } as const
/** Sizes of the energy of the plane. */
export const landscape = { batch: 128, steps: 1000, lr: 0.003, side: 40, size: 200, points: 2000, drawn: 300 } as const

/** Terms of the loss, by what they do; `weight`: when it is on. */
export const terms = [
  { name: 'invariance', label: 'invariance: two views, one place', weight: 25 },
  { name: 'variance', label: 'variance: keep apart', weight: 25 },
  { name: 'covariance', label: 'covariance: use both directions', weight: 10 },
] as const

export type Term = (typeof terms)[number]['name']
export type Terms = Readonly<Record<Term, boolean>>

/** Weights of the terms that are on, in their order. */
export function weightsOf(on: Terms): number[] {
  return terms.map(({ name, weight }) => (on[name] ? weight : 0))
}

/** What is on, in words. */
export function nameOf(on: Terms): string {
  return (
    terms
      .filter(({ name }) => on[name])
      .map(({ name }) => name)
      .join(', ') || 'nothing'
  )
}

/** Losses of the study of landscapes that the page has, by their names there. */
export const losses = [
  { value: 'energy', label: 'push data down' },
  { value: 'perceptron', label: 'perceptron' },
  { value: 'hinge', label: 'hinge' },
  { value: 'square_square', label: 'square-square' },
  { value: 'nll', label: 'likelihood' },
  { value: 'cd', label: 'contrastive divergence' },
  { value: 'denoising', label: 'denoising' },
] as const

export type LossName = (typeof losses)[number]['value']
