/** Sizes of the page's mini CLIP, its generator, and the search for a line's latents. */
export const sizes = {
  /** Height and width of a drawing, in pixels. */
  side: 24,
  batch: 64,
  /** Pictures in each batch that no text may find. */
  wrong: 32,
  steps: 450,
  lr: 0.002,
  /** Of the loss of drawings, beside the contrastive one. */
  drawingWeight: 5,
  /** Drawings of combinations that are never trained on: tested, and shown. */
  tested: 64,
  shown: 8,
  /** Of the mini CLIP. */
  patch: 12,
  visionWidth: 64,
  visionLayers: 2,
  textWidth: 64,
  textLayers: 1,
  embed: 32,
  /** Of the generator. */
  noise: 16,
  hidden: 256,
  encoder: 128,
  /** Cutouts in each step of a line (published: 128), and steps of a line (published: 100 to 400). */
  cutouts: 16,
  shownCutouts: 6,
  lineSteps: 60,
  lineLr: 0.1,
} as const

/** How large the parts are that CLIP sees of a picture that is steered. */
export const partSizes = [
  { value: 'large', label: '75 to 100 %', options: { mean: 0.88, std: 0.2, least: 0.75, greatest: 1 } },
  { value: 'published', label: 'as published: 36 to 71 %', options: {} },
] as const
export type PartSize = (typeof partSizes)[number]['value']
