/** Each recipe on tiny settings: it trains, is used, and is exported. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exportOnnx } from '../../../src/compile/export.ts'
import { encodePng } from '../../../src/io/png.ts'
import type { Recipe } from '../../../src/systems/define.ts'
import { detect, images, segment } from '../../../src/systems/involution/recipes.ts'
import type { Answer, OpenedData, UseContext } from '../../../src/tasks/define.ts'
import { configFrom, parseAssignment } from '../../../src/train/settings.ts'
import { told, withFolder } from '../../data/support.ts'

async function trained(recipe: Recipe, sets: readonly string[], steps: number) {
  const config = configFrom(
    recipe.config,
    ['train.epochs=50', 'optimizer.warmup_steps=2', ...sets].map(parseAssignment),
  )
  const data = await recipe.open(config, {})
  const experiment = recipe.build(config, recipe.facts.parse(data.facts), { seed: 0, threads: 1 })
  const { task } = experiment.prepare(data)
  const losses: number[] = []
  while (losses.length < steps) {
    for await (const batch of task.loader) {
      losses.push((await task.step(batch)).loss?.item() ?? Number.NaN)
      if (losses.length >= steps) break
    }
  }
  return { experiment, data: data as OpenedData, losses }
}

async function answers(
  recipe: Recipe,
  name: string,
  experiment: unknown,
  file: string,
  folder: string,
  options: object,
) {
  const found: Answer[] = []
  const place = async (name: string): Promise<string> => join(folder, name)
  const context: Partial<UseContext> = { place, step: 1, writePage: async (page) => page }
  const use = recipe.uses?.[name]
  if (!use) throw new Error('no use')
  for await (const answer of use.run(experiment as never, [file], options as never, context as UseContext))
    found.push(answer)
  return found
}

async function withPicture(body: (file: string, folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const file = join(folder, 'scene.png')
    await writeFile(
      file,
      encodePng(
        Uint8Array.from({ length: 3 * 70 * 50 }, (_, i) => (i * 7) % 251),
        70,
        50,
        3,
      ),
    )
    await body(file, folder)
  })
}

/** Four pictures of two classes, of 16 x 16 pixels. */
async function pictureFolder(folder: string): Promise<string> {
  const { mkdir } = await import('node:fs/promises')
  for (const [k, name] of ['bright', 'dark'].entries()) {
    await mkdir(join(folder, 'pictures', name), { recursive: true })
    for (let i = 0; i < 8; i++) {
      const pixels = Uint8Array.from({ length: 3 * 256 }, (_, p) => (k === 0 ? 170 : 20) + ((p * (i + 3)) % 60))
      await writeFile(join(folder, 'pictures', name, `${i}.png`), encodePng(pixels, 16, 16, 3))
    }
  }
  return join(folder, 'pictures')
}

test.each(['rednet', 'resnet'])('images: %s learns two classes; its kernels are drawn', (network) =>
  withPicture(async (file, folder) => {
    const own = ['layers=[1,1]', 'stem_channels=16', 'kernel_size=3', `network=${network}`].map((set) => `model.${set}`)
    const sets = [...own, `data.folder=${await pictureFolder(folder)}`, 'data.image_size=16', 'train.batch_size=8']
    const { experiment, data, losses } = await trained(images, sets, 24)
    expect(losses.at(-1)).toBeLessThan(0.5 * (losses[0] ?? 0))
    const sections = await experiment.explain?.(data as never, [])
    expect(sections?.map(({ title }) => title)).toEqual(
      network === 'rednet' ? ['What it gets wrong', 'Its kernels'] : ['What it gets wrong'],
    )
    const options = { layer: '', y: 0, x: -1, groups: 4 }
    if (network === 'resnet') {
      const answer = answers(images, 'inspect', experiment, file, folder, options)
      expect(await told(() => answer)).toContain('this run has no involution to inspect')
      return
    }
    expect(await answers(images, 'inspect', experiment, file, folder, options)).toMatchObject([
      { file: 'inspect-scene.png.html' },
    ])
    const [wrong] = await answers(images, 'inspect', experiment, file, folder, { ...options, layer: 'layer9' })
    expect(wrong).toMatchObject({ error: { message: 'the model has no involution "layer9"' } })
  }),
)

test('images: a size that cannot be halved', async () => {
  const config = configFrom(images.config, ['model.layers=[1,1,1,1]'].map(parseAssignment))
  const facts = { labels: ['a', 'b'], image_size: [28, 28], in_channels: 1 }
  expect(() => images.build(config, facts, { seed: 0 })).toThrow(
    'pictures of 28x28 do not fit 4 stages with the small stem: height and width must be multiples of 8',
  )
})

test('detect: masks need objects with masks', () => {
  const config = configFrom(detect.config, [parseAssignment('model.detector=mask_rcnn')])
  const facts = { labels: ['a'], image_size: [64, 64], has_masks: false }
  expect(() => detect.build(config, facts, { seed: 0 })).toThrow(
    'model.detector=mask_rcnn needs a mask of every object, some annotations have only a box',
  )
})

const tiny = [
  'data.folder=digits',
  'data.image_size=64',
  'data.scenes=8',
  'data.test_scenes=2',
  'data.objects=2',
  'train.batch_size=4',
  'model.stem_channels=16',
  'model.kernel_size=3',
  'model.channels=16',
]

test.each(['retinanet', 'mask_rcnn'])('detect: %s', (detector) =>
  withPicture(async (file, folder) => {
    const own = [
      'fc_channels=16',
      'stacked_convs=1',
      'rpn_samples=16',
      'roi_samples=8',
      'nms_pre=20',
      'max_proposals=16',
    ]
    const sets = [...tiny, ...own.map((set) => `model.${set}`), 'model.max_per_img=5', `model.detector=${detector}`]
    const { experiment, data, losses } = await trained(detect, [...sets, 'model.score_thr=0'], 5)
    expect(losses.every(Number.isFinite)).toBe(true)
    expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0)
    const metrics = await experiment.evaluate(data as never)
    expect(Object.keys(metrics)).toEqual(
      detector === 'mask_rcnn' ? ['AP', 'AP50', 'AP75', 'mask_AP', 'mask_AP50'] : ['AP', 'AP50', 'AP75'],
    )
    if (detector === 'retinanet') return
    const found = await answers(detect, 'predict', experiment, file, folder, { score: 0 })
    expect(found.at(-1)).toMatchObject({ file: join(folder, 'scene-objects.png') })
    expect(found.length).toBeGreaterThan(1)
    const make = experiment.exports.detector
    if (!make) throw new Error('no export')
    const { symbolicBatch = true, ...exportable } = make()
    expect(Buffer.from(await exportOnnx({ ...exportable, symbolicBatch })).includes('NonMaxSuppression')).toBe(true)
  }),
)

test('segment: classes of pixels', () =>
  withPicture(async (file, folder) => {
    const { experiment, data, losses } = await trained(segment, [...tiny, 'model.decoder_channels=16'], 10)
    expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0)
    expect((await experiment.evaluate(data as never)).accuracy).toBeGreaterThan(0.3)
    expect(await answers(segment, 'predict', experiment, file, folder, {})).toMatchObject([
      { choices: expect.anything() },
      { file: join(folder, 'scene-classes.png') },
    ])
    // So narrow that no row is left at the network's size: one is kept.
    const line = join(folder, 'line.png')
    await writeFile(line, encodePng(new Uint8Array(3 * 300), 300, 1, 3))
    expect(await answers(segment, 'predict', experiment, line, folder, {})).toMatchObject([
      { choices: expect.anything() },
      { file: join(folder, 'line-classes.png') },
    ])
    const [section] = (await experiment.explain?.(data as never, [])) ?? []
    expect(section?.figures.map(({ title }) => title)).toEqual(['Test pictures', 'By class'])
  }))
