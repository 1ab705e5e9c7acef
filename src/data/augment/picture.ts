/** One picture, as the random changes of training pictures see it. */

/** 8-bit pixels, `[channels, height, width]` row-major. */
export interface Picture {
  readonly pixels: Uint8Array
  readonly channels: number
  readonly height: number
  readonly width: number
}

/** What is left of a real number in a byte: 0 below, 255 above, the fraction cut off (as TensorFlow casts). */
export function toByte(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value)
}

/** The picture with every byte of every channel looked up in a table of 256. */
export function lookUp(picture: Picture, table: Uint8Array): Picture {
  return { ...picture, pixels: picture.pixels.map((value) => table[value] ?? 0) }
}

/** Each channel looked up in a table of its own. */
export function lookUpEach(picture: Picture, tableOf: (channel: Uint8Array) => Uint8Array | undefined): Picture {
  const area = picture.height * picture.width
  const pixels = picture.pixels.slice()
  for (let c = 0; c < picture.channels; c++) {
    const channel = pixels.subarray(c * area, (c + 1) * area)
    const table = tableOf(channel)
    if (table) for (let i = 0; i < area; i++) channel[i] = table[channel[i] ?? 0] ?? 0
  }
  return { ...picture, pixels }
}
