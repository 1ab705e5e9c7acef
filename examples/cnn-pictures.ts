/**
 * A CNN on a folder of pictures, one sub-folder per class: augmentation, a schedule, early stop, exact resume, a report.
 *
 *   npm run example -- cnn-pictures [--data FOLDER] [--out RUN] [--size PIXELS] [--epochs N]
 *
 * Without a folder it makes one of MNIST's digits. Stop it with Ctrl-C, or kill it; the same command goes on where it was.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compile, manualSeed, nn, ops, optim, type Tensor } from 'tenfold'
import * as data from 'tenfold/data'
import { accuracy, confusionCounts, predictAll, trainModel } from 'tenfold/train'

const { values: given } = parseArgs({
  options: {
    data: { type: 'string', default: 'runs/digits' },
    out: { type: 'string', default: 'runs/cnn' },
    size: { type: 'string', default: '32' },
    epochs: { type: 'string', default: '20' },
  },
})
const [size, epochs] = [Number(given.size), Number(given.epochs)]
if (!existsSync(given.data)) await writeDigits(given.data, 2000)

type Fields = 'image' | 'label'

class Cnn extends nn.Module {
  readonly layers: nn.Sequential

  constructor(classes: number, width = 16) {
    super()
    const block = (from: number, to: number) => [
      new nn.Conv2d(from, to, 3, { padding: 1, bias: false }),
      new nn.BatchNorm2d(to),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
    ]
    const convolutions = [...block(3, width), ...block(width, 2 * width), ...block(2 * width, 4 * width)]
    const head = [new nn.AdaptiveAvgPool2d(1), new nn.Flatten(), new nn.Dropout(0.2), new nn.Linear(4 * width, classes)]
    this.layers = new nn.Sequential(...convolutions, ...head)
  }

  forward(image: Tensor): Tensor {
    const pixels = ops.sub(ops.div(ops.cast(image, 'float32'), 127.5), 1) // [N, 3, H, W], from -1 to 1
    return this.layers.forward(pixels) // [N, classes]
  }
}

manualSeed(1)
const pictures = await data.imageFolder(given.data, { size })
const [held, rest] = data.splitDataset(pictures, 0.2, 1)
const test = data.cacheDataset(held) // decoded once
// Digits are not mirrored; most other things are: flip: true.
const train = data.augmentPictures(data.cacheDataset(rest), { cropArea: 0.6, flip: false, layers: 1, magnitude: 5 })
const loader = new data.DataLoader(train, {
  batchSize: Math.min(32, train.length),
  shuffle: true,
  seed: 1,
  dropLast: true,
})

const model = new Cnn(pictures.classes.length)
const planned = epochs * loader.stepsPerEpoch
const lr = optim.cosineScheduleWithWarmup(3e-3, { numWarmupSteps: planned / 10, numTrainingSteps: planned })
const optimizer = new optim.AdamW(model.parameters(), { lr, weightDecay: 0.05 })

const predict = compile(({ image, label }: data.BatchTensors<Fields>) => {
  const logits = model.forward(image)
  return { predicted: ops.argmax(logits, -1), losses: ops.crossEntropy(logits, label, { reduction: 'none' }) }
})

async function evaluate() {
  const [labels, found] = [await data.labelsOf(test), await predictAll(predict, test, { model })]
  const predicted = Array.from(found.predicted.data, Number)
  const loss = Array.from(found.losses.data, Number).reduce((sum, value) => sum + value / test.length, 0)
  return { labels, predicted, metrics: { accuracy: accuracy(predicted, labels), loss } }
}

const stop = new AbortController()
process.once('SIGINT', () => stop.abort()) // a second Ctrl-C ends at once
const result = await trainModel<Fields>({
  folder: given.out,
  state: { model, optimizer },
  loader,
  step: ({ image, label }) => {
    const loss = ops.crossEntropy(model.forward(image), label, { labelSmoothing: 0.1 })
    optimizer.minimize(loss, { clipNorm: 1 })
    return { loss }
  },
  evaluate: async () => (await evaluate()).metrics,
  epochs,
  monitor: { metric: 'accuracy', goal: 'max' },
  patience: 5,
  metrics: { accuracy: { goal: 'max', unit: 'percent' } },
  settings: { data: given.data, size },
  tensorboard: true,
  report: async () => {
    const [classes, counts] = [pictures.classes, confusionCounts(await evaluate(), pictures.classes.length)]
    const matrix = { kind: 'confusion', title: 'What was said of them', classes, counts } as const
    return { sections: [{ title: 'Test pictures', figures: [matrix] }] }
  },
  signal: stop.signal,
})
if (result.reason === 'interrupted') process.exit(130)
const [best, { metrics }] = [await result.restore('best'), await evaluate()]
console.log(
  `${result.reason} after ${result.step} steps; step ${best}: accuracy ${metrics.accuracy}, loss ${metrics.loss}`,
)

/** Digits of MNIST as PNG files in folders named after them. */
async function writeDigits(folder: string, count: number) {
  const digits = await data.loadMnist('test')
  const { image, label } = await digits.batch([...Array(count).keys()], { epoch: 0, seed: 0 })
  for (const [i, digit] of Array.from(label.data, Number).entries()) {
    mkdirSync(join(folder, `${digit}`), { recursive: true })
    const pixels = Uint8Array.from(image.data.subarray(i * 784, (i + 1) * 784), Number)
    writeFileSync(join(folder, `${digit}`, `${i}.png`), data.encodePng(pixels, 28, 28, 1))
  }
}
