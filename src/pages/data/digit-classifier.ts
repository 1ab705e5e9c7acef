/** Classifiers of digits in a page: what they learn from, their steps, and how many unseen digits they name right. */
import { compile } from '../../compile/compile.ts'
import { DataLoader } from '../../data/loader.ts'
import { AdamW, cosineScheduleWithWarmup } from '../../optim/index.ts'
import { type ClassifierModel, classifierEvaluator, classifierScalars } from '../../tasks/pictures/classifier.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Host } from '../../web/serve.ts'
import { endlessBatches } from './batches.ts'
import { fetchFile } from './fetch-file.ts'
import { type Digits, digitDataset, digitsFile, unpackDigits } from './read-digits.ts'

/** Fetches the digits of the site, and says so. */
export async function readDigits({
  progress,
}: Pick<Host, 'progress'>): Promise<Readonly<Record<'train' | 'test', Digits>>> {
  progress({ what: 'reading the digits' })
  return unpackDigits(await fetchFile(digitsFile))
}

/** How a classifier learns: AdamW, whose rate rises over the first `numWarmupSteps` and falls along half a cosine. */
export interface DigitTraining {
  readonly seed: number
  readonly steps: number
  readonly batch: number
  readonly lr: number
  readonly numWarmupSteps: number
}

/** Trains a classifier of digits step by step. */
export function digitClassifier(
  model: ClassifierModel,
  { train, test }: Readonly<Record<'train' | 'test', Digits>>,
  { seed, steps, batch: batchSize, lr: rate, numWarmupSteps }: DigitTraining,
) {
  const lr = cosineScheduleWithWarmup(rate, { numWarmupSteps, numTrainingSteps: steps })
  const optimizer = new AdamW(model.parameters(), { lr })
  const batches = endlessBatches(
    new DataLoader(digitDataset(train), { batchSize, shuffle: true, seed, dropLast: true }),
  )
  const testData = digitDataset(test)
  const evaluate = classifierEvaluator(model)
  const learn = compile((batch: { readonly image: Tensor; readonly label: Tensor }) => {
    const scalars = classifierScalars(model, batch, { label_smoothing: 0, mixup: 0 })
    optimizer.minimize(scalars.loss, { clipNorm: 1 })
    return { ...scalars }
  })
  let done = 0
  return {
    /** One step; undefined after the last one. */
    step: async () => {
      if (done === steps) return undefined
      const { value } = await batches.next()
      const { loss, accuracy } = await learn(value)
      done++
      return { loss: loss.item(), accuracy: accuracy?.item() ?? 0 }
    },
    /** The share of the test digits that is named right. */
    test: async (): Promise<number> => (await evaluate(testData)).metrics.accuracy,
    release: () => learn.release(),
  }
}
