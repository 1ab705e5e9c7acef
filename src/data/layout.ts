/** Axis order of a batch of pictures: channels before or after the rows and columns. A single picture lacks the N. */
export type Layout = 'NCHW' | 'NHWC'

/** The fields of labelled pictures: the picture, and the number of its class. */
export type PictureFields = 'image' | 'label'

/** The shape of one picture. */
export function pictureShape(layout: Layout, channels: number, height: number, width: number): number[] {
  return layout === 'NCHW' ? [channels, height, width] : [height, width, channels]
}
