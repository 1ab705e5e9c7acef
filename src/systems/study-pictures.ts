/** What the studies on pictures share: their part of MNIST, and an arm that trains a classifier on it. */
import { z } from 'zod'
import type { Dataset, PictureFields } from '../data/index.ts'
import { randomPart, trainBriefly } from '../tasks/brief-training.ts'
import { type ClassifierModel, classifierEvaluator, classifierScalars } from '../tasks/pictures/classifier.ts'
import type { PictureFacts } from '../tasks/pictures/facts.ts'
import { openPictureSet } from '../tasks/pictures/open.ts'
import { manualSeed } from '../tensor/random-state.ts'
import { whole } from '../train/settings.ts'
import type { JobContext } from './define.ts'
import type { Arm, ArmTraining } from './study.ts'

/** The pictures that a study uses. */
export const pictureSettings = z.strictObject({
  examples: whole.max(50_000).default(6000).describe('training pictures of MNIST'),
  validation: whole.max(10_000).default(1000).describe('other training pictures, on which learning rates are chosen'),
  test: whole.max(10_000).default(2000).describe('test pictures'),
})
export type PictureSettings = z.infer<typeof pictureSettings>

export interface StudyPictures {
  readonly train: Dataset<PictureFields>
  readonly validation: Dataset<PictureFields>
  readonly test: Dataset<PictureFields>
  readonly facts: PictureFacts
  /** Names the parts, for what depends on them. */
  readonly identity: unknown
}

/** Random parts of MNIST that follow from the seed of the job: the same for all arms and seeds. */
export async function openStudyPictures(settings: PictureSettings, seed: number): Promise<StudyPictures> {
  const { train, test, facts } = await openPictureSet('mnist')
  const { examples, validation } = settings
  return {
    train: randomPart(train, examples, seed),
    validation: randomPart(train, validation, seed, examples),
    test: randomPart(test, settings.test, seed),
    facts,
    identity: { ...settings, seed },
  }
}

/** A model to be trained. */
export interface PictureArm<Model extends ClassifierModel> {
  readonly name: string
  readonly title: string
  /** What the model is built from. */
  readonly settings: unknown
  readonly make: () => Model
  /** Measured of the trained model, besides the accuracies on its data. */
  readonly more?: (model: Model, test: Dataset<PictureFields>) => Promise<Readonly<Record<string, number>>>
}

/** The arm that trains it on the pictures. */
export function pictureArm<Model extends ClassifierModel>(
  { name, title, settings, make, more }: PictureArm<Model>,
  pictures: StudyPictures,
  { threads }: Pick<JobContext, 'threads'>,
): Arm {
  const train = async ({ seed, triedOn, ...training }: ArmTraining, part: string) => {
    manualSeed(seed)
    const model = make()
    const result = await trainBriefly({
      name: part,
      model,
      train: pictures.train,
      test: pictures[triedOn],
      training,
      seed,
      scalars: (model, batch) => classifierScalars(model, batch, { label_smoothing: 0, mixup: 0 }),
      evaluator: classifierEvaluator,
      ...(threads !== undefined && { threads }),
    })
    return { ...result, ...(more && triedOn === 'test' && { more: await more(model, pictures.test) }) }
  }
  return { name, title, settings: { model: settings, data: pictures.identity }, check: () => void make(), train }
}

/** `6000 training pictures of MNIST, ...`, for the page. */
export function describePictures({ examples, validation, test }: PictureSettings): string {
  return `${examples} training, ${validation} validation and ${test} test pictures of MNIST`
}
