/** Arms of studies that train a method of joint embedding and ask a linear probe: `runStudy` chooses their learning rates. */
import { threadOptions } from '../../../tasks/experiment.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import type { JobContext } from '../../define.ts'
import type { Arm, ArmTraining } from '../../study.ts'
import type { Encoder } from '../encoder.ts'
import type { Method } from '../method-recipe.ts'
import { type EncoderSettings, makeEncoder } from '../settings.ts'
import { diagnoser, probeAccuracy, type StudyPictures, trainEmbedding, viewFeatures } from './embedding-runs.ts'

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

/** Accuracies of a probe under the names of its shares of labels: `labels_1`, of 1 % of them. */
export function shareName(share: number): string {
  return `labels_${Number((100 * share).toPrecision(3))}`
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
    const classes = facts.labels.length
    const accuracy = await probeAccuracy(known, asked, classes)
    const parameters = model.encoder.parameters().reduce((sum, { size }) => sum + size, 0)
    const result = {
      accuracy,
      loss,
      trainAccuracy: await probeAccuracy(known, known, classes),
      parameters,
      steps,
      seconds,
    }
    if (triedOn === 'validation') return result
    const few = await Promise.all(
      shares.map(async (share) => {
        const count = Math.max(classes, Math.round(share * known.labels.length))
        return [shareName(share), await probeAccuracy(known, asked, classes, count)] as const
      }),
    )
    const test = { ...pictures.test, length: Math.min(400, pictures.test.length) }
    const { spread, rank, std } = await diagnoser(model, test, threads)(steps)
    return { ...result, more: { ...Object.fromEntries(few), spread, rank, std } }
  }
  return {
    name,
    title,
    settings: { method: method.name, changes, own, shares, encoder, data: pictures.identity },
    train,
  }
}
