/** Sizes that every comparison model has. */
export interface BaselineConfig {
  /** Height and width of the pictures, in pixels. */
  readonly image_size: readonly [number, number]
  readonly in_channels: number
  readonly num_classes: number
  /** Side of a patch, in pixels; convolutional nets do not look at it. */
  readonly patch_size: number
  readonly width: number
  /** Blocks, or layers of the plain convolutional net. */
  readonly depth: number
}
