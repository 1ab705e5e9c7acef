import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { arrayDataset } from '../../../src/data/index.ts'
import type { JobContext } from '../../../src/systems/define.ts'
import { keepIn } from '../../../src/systems/jobs.ts'
import { multiplyAdds } from '../../../src/systems/mixer/config.ts'
import { type Member, runMembers } from '../../../src/systems/mixer/jobs/members.ts'
import { costOf, families, familyNames, matchingWidth } from '../../../src/systems/mixer/jobs/models.ts'
import type { FinishedScaleMember } from '../../../src/systems/mixer/jobs/scale.ts'
import { findings } from '../../../src/systems/mixer/jobs/scale-report.ts'
import { Mixer } from '../../../src/systems/mixer/model.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { Generator } from '../../../src/util/random.ts'

const sizes = { image_size: [28, 28], in_channels: 1, num_classes: 10, patch_size: 7, width: 64, depth: 4 } as const

test('all families cost what the Mixer costs', () => {
  const mixer = families.mixer.build(sizes)
  const target = costOf(mixer, sizes)
  expect(target).toBe(mixer instanceof Mixer ? multiplyAdds(mixer.config) : 0)
  for (const family of familyNames) {
    const width = matchingWidth(family, sizes, target)
    const cost = costOf(families[family].build({ ...sizes, width }).eval(), sizes)
    expect(Math.abs(cost / target - 1)).toBeLessThan(0.15)
  }
})

test('the positions of the ViT are vectors of length about 1 from the start, at every width', () => {
  for (const width of [32, 96]) {
    manualSeed(0)
    const { data, shape } = families.vit.build({ ...sizes, width }).pos_embed
    const squares = toNumbers(data).map((value) => value ** 2)
    expect(shape).toEqual([1, 16, width])
    expect(squares.reduce((sum, value) => sum + value, 0) / 16).toBeCloseTo(1, 0)
  }
})

/** Pictures of two classes: stripes across or upright, which nets with and without places can tell apart. */
function stripes(count: number) {
  const random = new Generator(count)
  const label = Int32Array.from({ length: count }, (_, i) => i % 2)
  const image = Uint8Array.from({ length: count * 64 }, (_, i) => {
    const place = label[Math.floor(i / 64)] === 1 ? i % 8 : Math.floor((i % 64) / 8)
    return place % 4 < 2 ? 200 : 40
  })
  for (const i of random.integers(0, image.length, count)) image[i] = 128
  return arrayDataset({
    image: { dtype: 'uint8', shape: [count, 1, 8, 8], data: image },
    label: { dtype: 'int32', shape: [count], data: label },
  })
}

const small = { image_size: [8, 8], in_channels: 1, num_classes: 2, patch_size: 4, width: 8, depth: 2 } as const
const training = { steps: 30, batch_size: 16, lr: 0.02, weight_decay: 0 }
const members = familyNames.map(
  (family): Member => ({ name: family, family, sizes: small, data: 'stripes', examples: 32, training }),
)

test('members learn, are kept, and are trained again when they are damaged or something else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenfold-study-'))
  const data = { train: stripes(32), test: stripes(20) }
  const opened: string[] = []
  const open = async ({ name }: Member) => {
    opened.push(name)
    return data
  }
  const context: JobContext = {
    folder,
    seed: 0,
    threads: 1,
    progress: () => {},
    keep: keepIn(folder),
    write: () => Promise.reject(new Error('members write no files')),
    openRun: () => Promise.reject(new Error('members open no runs')),
  }
  try {
    const first = await runMembers(members, open, context)
    expect(opened).toEqual([...familyNames])
    for (const { result } of first) expect(result).toMatchObject({ accuracy: 1, steps: 30 })

    opened.length = 0
    expect(await runMembers(members, open, context)).toEqual(first)
    expect(opened).toEqual([])

    const file = join(folder, 'members', 'convnet.json')
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 40))
    await runMembers(members, open, context)
    expect(opened).toEqual(['convnet'])

    opened.length = 0
    await runMembers(members.slice(0, 1), open, { ...context, seed: 1 })
    expect(opened).toEqual(['mixer'])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

function finished(family: Member['family'], examples: number, accuracy: number): FinishedScaleMember {
  const result = { accuracy, loss: 0, trainAccuracy: 1, width: 8, parameters: 1, multiplyAdds: 1, steps: 1, seconds: 1 }
  return { name: '', family, sizes: small, data: 'mnist', examples, training, result, task: 'mnist', axes: ['data'] }
}

test('the findings follow the numbers, either way', () => {
  const told = (mixer: [number, number], convnet: [number, number]): string[] =>
    findings([
      finished('mixer', 100, mixer[0]),
      finished('mixer', 1000, mixer[1]),
      finished('convnet', 100, convnet[0]),
      finished('convnet', 1000, convnet[1]),
    ])
  expect(told([0.5, 0.9], [0.7, 0.8])).toEqual([
    'From 100 to 1,000 pictures: Mixer 50.0 % to 90.0 % (+40.0 points), ConvNet 70.0 % to 80.0 % (+10.0 points).',
    'With the fewest pictures the best convolutional net (ConvNet) is ahead of Mixer: 70.0 % against 50.0 %. Mixer gains more from data than every convolutional net.',
    "The paper's point is seen here: knowing about pictures helps while data are few, and Mixer gains more as they grow.",
  ])
  expect(told([0.8, 0.85], [0.7, 0.9]).slice(1)).toEqual([
    'With the fewest pictures the best convolutional net (ConvNet) is not ahead of Mixer: 70.0 % against 80.0 %. Mixer gains no more from data than the convolutional nets.',
    "The paper's point is not seen here as a whole; these models and data are thousands of times smaller than the paper's.",
  ])
})
