import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { checkedSize, decodeImage, readPixels } from '../../../src/data/sources/image.ts'
import { told, withFolder } from '../support.ts'

/** A picture encoder for `pixels` [height][width] of [red, green, blue]. */
function picture(pixels: readonly (readonly (readonly number[])[])[]) {
  const [height, width] = [pixels.length, pixels[0]?.length ?? 0]
  return sharp(Uint8Array.from(pixels.flat(2)), { raw: { width, height, channels: 3 } })
}

/** height x width of one colour. */
function plain(height: number, width: number, colour: readonly number[]) {
  return picture(Array.from({ length: height }, () => Array.from({ length: width }, () => colour)))
}

const red = [255, 0, 0]
const green = [0, 255, 0]
const blue = [0, 0, 255]
const white = [255, 255, 255]

describe('decodeImage', () => {
  test('pixels in both layouts, from bytes and from a file', async () => {
    const png = await picture([
      [red, green],
      [blue, white],
    ])
      .png()
      .toBuffer()
    const planes = [255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255]
    expect(await decodeImage(png, { size: 2 })).toEqual({
      dtype: 'uint8',
      shape: [3, 2, 2],
      data: Uint8Array.from(planes),
    })
    expect(await decodeImage(png, { size: 2, layout: 'NHWC' })).toEqual({
      dtype: 'uint8',
      shape: [2, 2, 3],
      data: Uint8Array.from([red, green, blue, white].flat()),
    })
    await withFolder(async (folder) => {
      await writeFile(join(folder, 'x.png'), png)
      expect((await decodeImage(join(folder, 'x.png'), { size: 2 })).data).toEqual(Uint8Array.from(planes))
      await writeFile(join(folder, 'x.png'), await plain(2, 2, white).png().toBuffer()) // rewritten: no stale copy
      expect((await decodeImage(join(folder, 'x.png'), { size: 2 })).data).toEqual(new Uint8Array(12).fill(255))
    })
  })

  test('one channel is the luma of Pillow', async () => {
    const png = await picture([[red, green, blue, [10, 200, 30]]])
      .png()
      .toBuffer()
    const grey = await decodeImage(png, { size: [1, 4], channels: 1 })
    // Image.new('RGB', (1, 1), colour).convert('L')
    expect(grey).toEqual({ dtype: 'uint8', shape: [1, 1, 4], data: Uint8Array.from([76, 150, 29, 124]) })
    expect((await decodeImage(png, { size: [1, 4], channels: 1, layout: 'NHWC' })).shape).toEqual([1, 4, 1])
  })

  test('grey, palette, transparent and 16-bit pictures become red, green, blue', async () => {
    const sources = [
      await plain(3, 3, [90, 90, 90]).toColourspace('b-w').png().toBuffer(),
      await plain(3, 3, [90, 90, 90]).png({ palette: true }).toBuffer(),
      await plain(3, 3, [90, 90, 90]).ensureAlpha(0.2).png().toBuffer(),
      await plain(3, 3, [90, 90, 90]).toColourspace('rgb16').png().toBuffer(),
    ]
    for (const source of sources)
      expect((await decodeImage(source, { size: 3 })).data).toEqual(new Uint8Array(27).fill(90))
  })

  test('JPEG, WebP, AVIF and GIF', async () => {
    const image = plain(16, 16, [200, 100, 50])
    const encoded = [
      await image.clone().jpeg({ quality: 100 }).toBuffer(),
      await image.clone().webp({ lossless: true }).toBuffer(),
      await image.clone().avif({ quality: 90 }).toBuffer(),
      await image.clone().gif().toBuffer(),
    ]
    for (const bytes of encoded) {
      const { data } = await decodeImage(bytes, { size: 8, layout: 'NHWC' })
      for (const [i, wanted] of [200, 100, 50].entries()) expect(Math.abs(Number(data[i]) - wanted)).toBeLessThan(4)
    }
  })

  test('cuts the centre after the resize', async () => {
    // 2 x 4: red, green, green, blue columns; the centre square is green
    const wide = await picture(Array.from({ length: 2 }, () => [red, green, green, blue]))
      .png()
      .toBuffer()
    const { data } = await decodeImage(wide, { size: 2, layout: 'NHWC' })
    expect(data).toEqual(Uint8Array.from([green, green, green, green].flat()))
    // resize 8, size 4: twice the picture of 4 x 4, its middle quarter being the inner 2 x 2
    const framed = Array.from({ length: 4 }, (_, y) =>
      Array.from({ length: 4 }, (_, x) => (x % 3 !== 0 && y % 3 !== 0 ? white : red)),
    )
    const png = await picture(framed).png().toBuffer()
    const centre = await decodeImage(png, { size: 4, resize: 8, kernel: 'nearest' })
    expect(centre.data).toEqual(new Uint8Array(48).fill(255))
  })

  test("sizes and offsets are torchvision's", async () => {
    // Pillow resizes 40 x 64 to 16 x int(16 * 64 / 40) = 16 x 25; CenterCrop starts at round((25 - 16) / 2) = round(4.5) = 4
    const columns = Array.from({ length: 64 }, (_, x) => [4 * x, 4 * x, 4 * x])
    const ramp = await picture(Array.from({ length: 40 }, () => columns))
      .png()
      .toBuffer()
    const { data } = await decodeImage(ramp, { size: 16, channels: 1 })
    // Image.fromarray(ramp).resize((25, 16), BILINEAR)[0, 4:20]
    const row = [44, 54, 65, 75, 85, 95, 105, 116, 126, 136, 147, 157, 167, 177, 187, 198]
    expect(data.length).toBe(256)
    for (const [i, grey] of data.entries()) expect(Math.abs(Number(grey) - (row[i % 16] ?? 0))).toBeLessThan(2)
    // a box that is not square is covered: 2 x 6 from 40 x 64 needs a width of 6, a height of int(6 * 40 / 64) = 3
    expect((await decodeImage(ramp, { size: [2, 6] })).shape).toEqual([3, 2, 6])
  })

  test('shrinking averages: no aliasing', async () => {
    const stripes = await picture(
      Array.from({ length: 64 }, () => Array.from({ length: 64 }, (_, x) => (x % 2 ? white : [0, 0, 0]))),
    )
      .png()
      .toBuffer()
    const { data } = await decodeImage(stripes, { size: 8, channels: 1 })
    for (const value of data) expect(Math.abs(Number(value) - 127.5)).toBeLessThan(8)
  })

  test('turns photos upright unless told not to', async () => {
    // EXIF orientation 6: shown after a turn by 90 degrees clockwise
    const photo = await picture([[red, blue]])
      .png()
      .withMetadata({ orientation: 6 })
      .toBuffer()
    expect((await decodeImage(photo, { size: [2, 1], layout: 'NHWC' })).data).toEqual(
      Uint8Array.from([red, blue].flat()),
    )
    const lying = await decodeImage(photo, { size: [1, 2], layout: 'NHWC', orient: false })
    expect(lying.data).toEqual(Uint8Array.from([red, blue].flat()))
    expect(await checkedSize(photo, 'photo')).toEqual({ width: 1, height: 2 })
    await withFolder(async (folder) => {
      const path = join(folder, 'photo.png')
      await writeFile(path, photo)
      const { width, height, data } = await readPixels(path)
      expect([width, height, ...data]).toEqual([1, 2, ...red, ...blue])
    })
  })

  test('an empty name and a folder are no pictures', async () => {
    await withFolder(async (folder) => {
      expect(await told(() => decodeImage('', { size: 2 }))).toBe(
        'UsageError: a picture must have a file name, found ""',
      )
      expect(await told(() => decodeImage(folder, { size: 2 }))).toBe(
        `UsageError: ${folder}: is a folder, not a picture`,
      )
    })
  })

  test('says what is wrong with a file or an option', async () => {
    const strip = await plain(1, 10_000, red).png().toBuffer()
    const jpeg = await plain(64, 64, red).jpeg().toBuffer()
    const noise = await sharp({
      create: {
        width: 64,
        height: 64,
        channels: 3,
        background: 'red',
        noise: { type: 'gaussian', mean: 99, sigma: 50 },
      },
    })
      .png()
      .toBuffer()
    const avif = await plain(40, 40, red).avif().toBuffer()
    const untyped = <T>(value: unknown): T => value as T
    const actions = [
      () => decodeImage('/absent/x.png', { size: 2 }),
      () => decodeImage(Buffer.from('no picture'), { size: 2 }),
      () => decodeImage(new Uint8Array(0), { size: 2 }),
      () => decodeImage(jpeg.subarray(0, -4), { size: 2 }),
      () => decodeImage(noise.subarray(0, noise.length / 2), { size: 2 }),
      () => decodeImage(jpeg, { size: 2, maxPixels: 1000 }),
      () => decodeImage(strip, { size: 10 }),
      () => decodeImage(jpeg, { size: 0 }),
      () => decodeImage(jpeg, { size: [3, 1e9] }),
      () => decodeImage(jpeg, { size: 224, resize: 200 }),
      () => decodeImage(jpeg, untyped(undefined)),
      () => decodeImage(jpeg, untyped({ size: 8, sise: 9 })),
      () => decodeImage(avif.subarray(0, -20), { size: 2 }),
    ]
    const messages: string[] = []
    for (const action of actions) messages.push(await told(action)) // one by one: see the comment on sharp's errors in image.ts
    await withFolder(async (folder) => {
      const empty = join(folder, 'x.png')
      await writeFile(empty, '')
      const found = `FormatError: ${empty}: must be a readable picture, found: an empty file`
      expect(await told(() => decodeImage(empty, { size: 2 }))).toBe(found)
    })
    expect(messages).toMatchInlineSnapshot(`
      [
        "UsageError: /absent/x.png: no such file or folder",
        "FormatError: picture: must be a readable picture, found: no picture, or one of a format that is not read",
        "FormatError: picture: must be a readable picture, found: an empty file",
        "FormatError: picture: must be a readable picture, found: a file that ends early",
        "FormatError: picture: must be a readable picture, found: damaged data",
        "FormatError: picture: must be a readable picture, found: too many pixels | make it smaller",
        "FormatError: picture: must have at most 65536 pixels a side when resized, found 10 x 100000 from 1 x 10000",
        "UsageError: pictures: size must be a whole number from 1 to 16384, found 0",
        "UsageError: pictures: width must be a whole number from 1 to 16384, found 1000000000",
        "UsageError: pictures: resize must be at least the size 224, found 200",
        "UsageError: pictures: size must be a number for a square, or [height, width], found undefined",
        "UsageError: decodeImage: there is no option "sise" | did you mean "size"?",
        "FormatError: picture: must be a readable picture, found: a file that ends early",
      ]
    `)
  })
})
