/** Arms of studies that train a method of joint embedding and ask a linear probe: `runStudy` chooses their learning rates. */
import { threadOptions } from '../../../tasks/experiment.ts'
import type { LabelledFeatures } from '../../../tasks/pictures/features.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import type { JobContext } from '../../define.ts'
import type { Arm, ArmTraining } from '../../study.ts'
import type { Encoder } from '../encoder.ts'
import type { Method } from '../method-recipe.ts'
import { type EncoderSettings, makeEncoder } from '../settings.ts'
import { diagnoser, type StudyPictures, trainEmbedding, viewFeatures } from './embedding-runs.ts'

/** What is trained, and how it differs from the others. */
export interface EmbeddingArm {
  readonly name: string
  readonly title: string
  readonly method: Method
  readonly changes?: Readonly<Record<string, unknown>>
  /** Pictures in a step, where it is not the study's: the number of pictures seen stays the same. */
  readonly batch_size?: number
  /** Shares of the probe's labels that it learns from, besides all. Default: none. */
  readonly shares?: readonly number[]
}

/**
 * What brief trainings on a few thousand pictures change of a method's published defaults, by its name: a queue that a few batches fill,
 * fewer clusters than pictures, and PIRL's rotations, for the pieces of its jigsaw have another size than an MLP reads.
 */
const briefChanges: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  moco: { K: 1024 },
  deepcluster: { nmb_prototypes: 50 },
  pirl: { pretext: 'rotation' },
}

/** A method as brief trainings have it. */
export function briefly<M extends Method>(method: M): { method: M; changes: Readonly<Record<string, unknown>> } {
  return { method, changes: briefChanges[method.name] ?? {} }
}

/** Accuracies of a probe under the names of its shares of labels: `labels_1`, of 1 % of them. */
export function shareName(share: number): string {
  return `labels_${Number((100 * share).toPrecision(3))}`
}

/** Accuracies of probes that learn from shares of the labels, at least one for each class. */
export async function fewLabels(
  shares: readonly number[],
  known: LabelledFeatures,
  asked: LabelledFeatures,
  { facts, probe }: StudyPictures,
): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const share of shares) {
    const count = Math.max(facts.labels.length, Math.round(share * known.labels.length))
    found[shareName(share)] = await probe(known, asked, count)
  }
  return found
}

/** An arm that trains the method on pictures without labels; its accuracy is that of a linear probe. */
export function embeddingArm(
  { name, title, method, changes = {}, batch_size: own, shares = [] }: EmbeddingArm,
  encoder: EncoderSettings,
  pictures: StudyPictures,
  context: Pick<JobContext, 'threads' | 'seed'>,
): Arm {
  const threads = threadOptions(context)
  const train = async ({ seed, triedOn, lr, weight_decay, ...training }: ArmTraining, part: string) => {
    const batch_size = own ?? training.batch_size
    const steps = Math.max(1, Math.round((training.steps * training.batch_size) / batch_size))
    manualSeed(seed)
    const { facts } = pictures
    const model = method.build(changes, {
      encoder: (): Encoder => makeEncoder(encoder, facts.in_channels, facts.image_size),
      crops: 2,
      steps,
      examples: pictures.train.length,
    })
    const started = performance.now()
    const plan = { name: part, method: model, train: pictures.train, steps, batch_size, lr, weight_decay, seed }
    const loss = await trainEmbedding({ ...plan, ...threads })
    const seconds = (performance.now() - started) / 1000
    const features = viewFeatures(model, (x) => model.features(x), threads)
    const [known, asked] = [await features(pictures.labelled), await features(pictures[triedOn])]
    const accuracy = await pictures.probe(known, asked)
    const parameters = model.encoder.parameters().reduce((sum, { size }) => sum + size, 0)
    const result = {
      accuracy,
      loss,
      trainAccuracy: await pictures.probe(known, known),
      parameters,
      steps,
      seconds,
    }
    if (triedOn === 'validation') return result
    const few = await fewLabels(shares, known, asked, pictures)
    const test = { ...pictures.test, length: Math.min(400, pictures.test.length) }
    const { spread, rank, std } = await diagnoser(model, test, threads)(steps)
    return { ...result, more: { ...few, spread, rank, std } }
  }
  return {
    name,
    title,
    settings: { method: method.name, changes, own, shares, encoder, data: pictures.identity },
    train,
  }
}
