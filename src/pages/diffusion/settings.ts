/** Sizes of the page's diffusion, and what it is asked for. */
export const sizes = {
  width: 96,
  time: 32,
  times: 100,
  batch: 256,
  steps: 1000,
  lr: 0.003,
  samples: 300,
  data: 1500,
} as const

export const classes = ['left', 'right', 'top'] as const

export const schedules = [
  { value: 'cosine', label: 'cosine' },
  { value: 'linear', label: 'linear' },
] as const
export type Schedule = (typeof schedules)[number]['value']

export const samplers = [
  { value: 'ancestral', label: 'ancestral: draw at each step' },
  { value: 'ddim', label: 'DDIM: draw only the start' },
] as const
export type SamplerName = (typeof samplers)[number]['value']

/** What is drawn. */
export interface Order {
  /** The class, or -1 for any. */
  readonly label: number
  /** The scale of guidance. */
  readonly scale: number
  readonly sampler: SamplerName
  readonly seed: number
}
