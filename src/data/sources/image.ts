import { stat } from 'node:fs/promises'
import type { NDArray } from '../../tensor/dtype.ts'
import { optionsOf, requireFields } from '../../util/check.ts'
import { FormatError, TenfoldError, UsageError } from '../../util/errors.ts'
import { roundHalfEven } from '../../util/rounding.ts'
import type { Box } from '../augment/crop.ts'
import { type Layout, pictureShape } from '../layout.ts'
import { importPackage } from '../packages.ts'

export interface ImageOptions {
  /** Of the result: one number for a square, or [height, width]. */
  readonly size: number | readonly [height: number, width: number]
  /**
   * What the picture's shorter side becomes before `size` is cut from the centre, as 256 for 224 in most ImageNet evaluations (where `size`
   * is not square: of a box of its shape that the picture must cover). Default: `size`, so that only the aspect ratio cuts anything off.
   */
  readonly resize?: number
  /** 3: red, green, blue; 1: luma (299 red + 587 green + 114 blue) / 1000, as Pillow's mode L. Default 3. Transparency is dropped. */
  readonly channels?: 1 | 3
  /** Default NCHW. */
  readonly layout?: Layout
  /** Interpolation, with antialiasing when it shrinks; default linear (torchvision's default; CLIP takes cubic). */
  readonly kernel?: 'nearest' | 'linear' | 'cubic' | 'lanczos3'
  /** Rotates photos as their EXIF data say; default true. torchvision does not. */
  readonly orient?: boolean
  /** Larger pictures are refused before they are decoded; default 2^27 pixels. */
  readonly maxPixels?: number
  /** What shows through transparent pixels, as a CSS colour. Default: transparency is dropped, the colours below it show. */
  readonly background?: string
}

interface Size {
  readonly height: number
  readonly width: number
}

/** What is done to every picture: `ImageOptions` checked and completed. */
export interface ImageTransform extends Size {
  /** What the resized picture just covers; height x width is cut from its centre. */
  readonly box: Size
  readonly channels: 1 | 3
  readonly layout: Layout
  readonly kernel: 'nearest' | 'linear' | 'cubic' | 'lanczos3'
  readonly orient: boolean
  readonly maxPixels: number
  readonly background: string | undefined
}

const imageOptionNames = {
  size: true,
  resize: true,
  channels: true,
  layout: true,
  kernel: true,
  orient: true,
  maxPixels: true,
  background: true,
} as const

/** Checks the options and fills in defaults. */
export function imageTransform(given: ImageOptions): ImageTransform {
  const options: Partial<ImageOptions> = given ?? {}
  requireFields('pictures', 'options', options, UsageError)
  const {
    size,
    channels = 3,
    layout = 'NCHW',
    kernel = 'linear',
    orient = true,
    maxPixels = 2 ** 27,
    background,
  } = options
  if (size === undefined)
    throw new UsageError('pictures: size must be a number for a square, or [height, width], found undefined')
  const [height, width] = typeof size === 'number' ? [size, size] : size
  const shorter = Math.min(height, width)
  const resize = options.resize ?? shorter
  for (const [name, value] of Object.entries({ size: height, width, resize })) {
    if (!Number.isInteger(value) || value < 1 || value > 2 ** 14) {
      throw new UsageError(`pictures: ${name} must be a whole number from 1 to 16384, found ${value}`)
    }
  }
  if (resize < shorter) throw new UsageError(`pictures: resize must be at least the size ${shorter}, found ${resize}`)
  const box = { height: Math.round((height * resize) / shorter), width: Math.round((width * resize) / shorter) }
  return { height, width, box, channels, layout, kernel, orient, maxPixels, background }
}

/** sharp, loaded at first use. Throws a MissingPackageError if it is not installed or can't run here. */
async function loadSharp() {
  const { default: sharp } = await importPackage('sharp', 'reading pictures', () => import('sharp'))
  sharp.cache(false) // it caches by path, and would return the old picture of a file that was rewritten
  return sharp
}

/** Throws a MissingPackageError if pictures cannot be read here: before work begins, not in the middle of it. */
export async function requireImageReader(): Promise<void> {
  await loadSharp()
}

/**
 * Decodes one picture into `out` from `offset` on: orientation, resize, centre cut, colours. Sizes, offsets and filters are those of
 * torchvision's Resize and CenterCrop on Pillow pictures (mean difference 0.2 of 255). With `crop` it is that box of the upright
 * picture, resized to height x width, instead. Throws a UsageError if the file is not there,
 * a FormatError (naming `name`) if it is not a picture, too large or damaged.
 */
export async function decodeInto(
  source: string | Uint8Array,
  transform: ImageTransform,
  out: Uint8Array,
  offset: number,
  name: string,
  crop?: (size: Size) => Box,
): Promise<void> {
  const sharp = await loadSharp()
  // 'error' as Pillow: a truncated file is refused, a stray byte that the decoder can skip is not (ImageNet has such files)
  const open = () => sharp(source, { failOn: 'error', limitInputPixels: transform.maxPixels })
  const { height, width, kernel, orient, background } = transform
  try {
    const header = await open().metadata()
    const size = orient ? header.autoOrient : header
    const picture = orient ? open().autoOrient() : open()
    const scaling = { fit: 'fill', kernel, fastShrinkOnLoad: false } as const
    const resized = crop ? transform : coveringSize(size, transform.box, name)
    const cut = crop
      ? picture.extract(crop(size)).resize(width, height, scaling)
      : picture.resize(resized.width, resized.height, scaling).extract({
          top: roundHalfEven((resized.height - height) / 2),
          left: roundHalfEven((resized.width - width) / 2),
          height,
          width,
        })
    const opaque = background === undefined ? cut.removeAlpha() : cut.flatten({ background })
    const pixels = await opaque.toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer()
    writePixels(pixels, transform, out, offset)
  } catch (error) {
    throw error instanceof TenfoldError ? error : await notAFile(source, name, error)
  }
}

/** Why there is no picture at a path, where sharp's own message does not say. */
async function notAFile(source: string | Uint8Array, name: string, error: unknown): Promise<TenfoldError> {
  if (source === '') return new UsageError('a picture must have a file name, found ""', { cause: error })
  const file = typeof source === 'string' ? await stat(source).catch(() => undefined) : undefined
  if (file?.isDirectory()) return new UsageError(`${name}: is a folder, not a picture`, { cause: error })
  return file?.size === 0 ? unreadable(name, emptyFile, error) : retell(error, name)
}

/**
 * Throws what `decodeInto` would, without the pixels: the whole picture is decoded, as small as its format allows, which for a JPEG is
 * several times faster.
 */
export async function checkImage(source: Uint8Array, transform: ImageTransform, name: string): Promise<void> {
  const { orient, maxPixels, box } = transform
  coveringSize(await checkedSize(source, name, { orient, maxPixels }), box, name)
}

/** The least size in the picture's proportions that covers the box; the longer side is cut to a whole number. */
function coveringSize(picture: Size, box: Size, name: string): Size {
  const isWide = picture.width * box.height > box.width * picture.height
  const size = isWide
    ? { height: box.height, width: Math.floor((box.height * picture.width) / picture.height) }
    : { height: Math.floor((box.width * picture.height) / picture.width), width: box.width }
  if (Math.max(size.height, size.width) > 2 ** 16) {
    const found = `${size.height} x ${size.width} from ${picture.height} x ${picture.width}`
    throw new FormatError(`${name}: must have at most 65536 pixels a side when resized, found ${found}`)
  }
  return size
}

/** The size of a picture, upright unless `orient` is false, all of which can be decoded. Throws a FormatError (naming `name`) if it cannot. */
export async function checkedSize(
  source: Uint8Array,
  name: string,
  { orient = true, maxPixels = 2 ** 27 }: Pick<ImageOptions, 'orient' | 'maxPixels'> = {},
): Promise<Size> {
  const sharp = await loadSharp()
  const open = () => sharp(source, { failOn: 'error', limitInputPixels: maxPixels })
  try {
    const header = await open().metadata()
    await open().resize(8, 8, { fit: 'fill', kernel: 'nearest' }).raw().toBuffer()
    const { width, height } = orient ? header.autoOrient : header
    return { width, height }
  } catch (error) {
    throw retell(error, name)
  }
}

/** All pixels of a picture file, upright as its EXIF data say: red, green, blue, row by row. Throws as `decodeInto`. */
export async function readPixels(path: string): Promise<Size & { readonly data: Uint8Array }> {
  const sharp = await loadSharp()
  try {
    const picture = sharp(path, { failOn: 'error', limitInputPixels: 2 ** 27 })
      .autoOrient()
      .removeAlpha()
      .toColourspace('srgb')
    const { data, info } = await picture.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    return { width: info.width, height: info.height, data }
  } catch (error) {
    throw await notAFile(path, path, error)
  }
}

/** Pixels [channels, height, width] brought to another size, as `decodeInto` scales: linear, with antialiasing when it shrinks. */
export async function resizePixels(
  planes: Uint8Array,
  channels: 1 | 3,
  from: Size,
  to: Size,
  out: Uint8Array,
): Promise<void> {
  const sharp = await loadSharp()
  const [source, target] = [from.height * from.width, to.height * to.width]
  // Plane by plane: each is a grey picture.
  for (let channel = 0; channel < channels; channel++) {
    const plane = planes.slice(channel * source, (channel + 1) * source)
    const pixels = await sharp(plane, { raw: { width: from.width, height: from.height, channels: 1 } })
      .resize(to.width, to.height, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false })
      .toColourspace('b-w')
      .raw({ depth: 'uchar' })
      .toBuffer()
    out.set(pixels, channel * target)
  }
}

/**
 * Every `step`-th frame of an animated picture (WebP, GIF) on white, uint8 [frames, height, width, 3]. Throws a FormatError (naming `name`) if it is
 * damaged.
 */
export async function readFrames(source: Uint8Array, name: string, step: number): Promise<NDArray> {
  const sharp = await loadSharp()
  try {
    const open = () => sharp(source, { animated: true, failOn: 'error', limitInputPixels: 2 ** 28 })
    const { pages = 1 } = await open().metadata()
    // Pages come as one picture, one below the other; resized as one, each would have a little of its neighbours.
    const { data, info } = await open()
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    const height = info.height / pages
    const size = 3 * height * info.width
    const count = Math.ceil(pages / step)
    const frames = new Uint8Array(count * size)
    for (let i = 0; i < count; i++) frames.set(data.subarray(i * step * size, (i * step + 1) * size), i * size)
    return { dtype: 'uint8', shape: [count, height, info.width, 3], data: frames }
  } catch (error) {
    throw error instanceof TenfoldError ? error : retell(error, name)
  }
}

const emptyFile = 'an empty file'

/** What the decoders' errors mean; the first that fits. */
const reasons: readonly (readonly [error: RegExp, reason: string])[] = [
  [/pixel limit/, 'too many pixels'],
  [/^Input Bit Array is empty/, emptyFile],
  [/unsupported image format/, 'no picture, or one of a format that is not read'],
  [/premature end|unexpected end|bad seek|insufficient input/i, 'a file that ends early'],
  // libvips keeps one error text for all threads: where several fail at once, the reason of one may be lost.
  [/corrupt|libpng|unable to parse|^Unknown error/i, 'damaged data'],
]

/** sharp's error in one line with the picture's name; its own words are the cause. */
function retell(error: unknown, name: string): TenfoldError {
  const message = error instanceof Error ? error.message : String(error)
  if (message.startsWith('Input file is missing'))
    return new UsageError(`${name}: no such file or folder`, { cause: error })
  const [first = ''] = message.split('\n', 1)
  const reason = reasons.find(([pattern]) => pattern.test(message))?.[1] ?? first.replace(/[\s:]+$/, '')
  return unreadable(name, reason, error)
}

function unreadable(name: string, reason: string, cause: unknown): FormatError {
  return new FormatError(`${name}: must be a readable picture, found: ${reason}`, {
    cause,
    ...(reason === 'too many pixels' && { hint: 'make it smaller' }),
  })
}

/** Writes red, green, blue pixels in the wanted layout and colours. */
function writePixels(pixels: Uint8Array, transform: ImageTransform, out: Uint8Array, offset: number): void {
  const { height, width, channels, layout } = transform
  const count = height * width
  const [pixelStep, channelStep] = layout === 'NCHW' ? [1, count] : [channels, 1]
  for (let i = 0; i < count; i++) {
    const to = offset + i * pixelStep
    const [red, green, blue] = [pixels[3 * i] ?? 0, pixels[3 * i + 1] ?? 0, pixels[3 * i + 2] ?? 0]
    if (channels === 3) {
      out[to] = red
      out[to + channelStep] = green
      out[to + 2 * channelStep] = blue
    } else {
      out[to] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16 // Pillow's integers
    }
  }
}

/**
 * One picture (PNG, JPEG, WebP, AVIF, GIF) from a file or its bytes, as uint8 [channels, height, width] (or [height, width, channels]),
 * 0 to 255. Throws as `decodeInto`; a MissingPackageError without the package sharp.
 */
export async function decodeImage(source: string | Uint8Array, options: ImageOptions): Promise<NDArray> {
  const transform = imageTransform(options)
  optionsOf('decodeImage', options, imageOptionNames, UsageError)
  const { layout, channels, height, width } = transform
  const shape = pictureShape(layout, channels, height, width)
  const data = new Uint8Array(channels * height * width)
  await decodeInto(source, transform, data, 0, typeof source === 'string' ? source : 'picture')
  return { dtype: 'uint8', shape, data }
}
