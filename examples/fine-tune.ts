/**
 * Fine-tunes a ResNet-18 or -34 that PyTorch saved (torchvision's names) on a folder of pictures: the first stages frozen, the last one and
 * the new head at learning rates of their own. Then writes ONNX, and compares what ONNX Runtime makes of the file.
 *
 *   python3 -c "import torch, torchvision as t; torch.save(t.models.resnet18(weights='DEFAULT').state_dict(), 'resnet18.pth')"
 *   npm run example -- fine-tune --checkpoint resnet18.pth --data FOLDER [--out RUN] [--size PIXELS] [--steps N]
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { compile, exportOnnx, manualSeed, nn, ops, optim, type Tensor, tensor } from 'tenfold'
import {
  type BatchTensors,
  cacheDataset,
  DataLoader,
  imageFolder,
  labelsOf,
  readTensorFile,
  splitDataset,
} from 'tenfold/data'
import { ResNet } from 'tenfold/models'
import { OnnxModel } from 'tenfold/runtime'
import { predictAll, topKAccuracy, trainModel } from 'tenfold/train'

const { values: given } = parseArgs({
  options: {
    checkpoint: { type: 'string', default: 'resnet18.pth' },
    data: { type: 'string', default: 'runs/digits' },
    out: { type: 'string', default: 'runs/fine-tune' },
    size: { type: 'string', default: '64' },
    steps: { type: 'string', default: '60' },
  },
})
const [size, steps] = [Number(given.size), Number(given.steps)]
type Fields = 'image' | 'label'

const pictures = await imageFolder(given.data, { size })
const [test, train] = splitDataset(cacheDataset(pictures), 0.2, 1)

// The sizes follow from the file: blocks in each stage, channels of the first convolution.
const { tensors } = await readTensorFile(given.checkpoint)
const layers = [1, 2, 3, 4].map(
  (stage) =>
    [...tensors.keys()].filter((name) => name.startsWith(`layer${stage}.`) && name.endsWith('.conv1.weight')).length,
)
manualSeed(1)
const model = new ResNet({
  block: 'basic',
  layers,
  width: tensors.get('conv1.weight')?.shape[0] ?? 64,
  numClasses: pictures.classes.length,
})
const body = new Map([...tensors].filter(([name]) => !name.startsWith('fc.')))
const { missing } = model.loadStateDict(body, { strict: false })
console.log(`${body.size} tensors from ${given.checkpoint}; new: ${missing.join(', ')}`)

nn.freeze(model, (name) => !/^(layer4|fc)\./.test(name))
for (const [name, module] of model.namedModules()) if (/^(bn1|layer[123])(\.|$)/.test(name)) module.holdEval()
const [head, last] = [true, false].map((isHead) =>
  [...model.namedParameters()].flatMap(([name, parameter]) => (name.startsWith('fc.') === isHead ? [parameter] : [])),
)
const optimizer = new optim.AdamW([{ parameters: head ?? [], lr: 3e-3 }, { parameters: last ?? [] }], { lr: 3e-4 })

/** The preprocessing that the weights expect: [N, 3, H, W] of 0 to 255. */
function normalized(image: Tensor): Tensor {
  const perChannel = (values: readonly number[]) => tensor(values.map((value) => [[value]]))
  const share = ops.div(ops.cast(image, 'float32'), 255)
  return ops.div(ops.sub(share, perChannel([0.485, 0.456, 0.406])), perChannel([0.229, 0.224, 0.225]))
}

const predict = compile(({ image }: BatchTensors<Fields>) => ({
  probability: ops.softmax(model.forward(normalized(image)), -1),
}))
const labels = await labelsOf(test)
const result = await trainModel<Fields>({
  folder: given.out,
  state: { model, optimizer },
  loader: new DataLoader(train, { batchSize: Math.min(16, train.length), shuffle: true, seed: 1, dropLast: true }),
  step: ({ image, label }) => {
    const loss = ops.crossEntropy(model.forward(normalized(image)), label)
    optimizer.minimize(loss)
    return { loss }
  },
  evaluate: async () => {
    const { probability } = await predictAll(predict, test, { model })
    return { accuracy: topKAccuracy(probability, labels, 1), top2: topKAccuracy(probability, labels, 2) }
  },
  steps,
  monitor: { metric: 'accuracy', goal: 'max' },
  settings: { ...given },
})
console.log(`${result.reason} after ${result.step} steps, best accuracy ${result.best}`)

model.eval()
const bytes = await exportOnnx({
  inputs: { image: { dtype: 'uint8', shape: [1, 3, size, size] } },
  forward: ({ image }) => ({ probability: ops.softmax(model.forward(normalized(image)), -1) }),
  metadata: { labels: JSON.stringify(pictures.classes) },
})
writeFileSync(`${given.out}/model.onnx`, bytes)
const exported = await OnnxModel.load(bytes, 'model.onnx')
const some = await test.batch([0, 1, 2], { epoch: 0, seed: 0 })
const own = (await predict(some)).probability.array.data
const other = exported.run({ image: some.image }).probability?.data ?? []
const difference = Array.from(own, Number).reduce(
  (most, value, i) => Math.max(most, Math.abs(value - Number(other[i]))),
  0,
)
exported.release()
console.log(
  `${given.out}/model.onnx: ${bytes.length} bytes, differs from the model by ${difference.toExponential(1)} at most`,
)
if (!(difference < 1e-5)) throw new Error('the exported model computes something else')
