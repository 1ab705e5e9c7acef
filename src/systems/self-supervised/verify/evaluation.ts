/** Reference cases of evaluation: k-NN, linear probe, diagnostics of collapse, a short training with and without a remedy. */
import { compile } from '../../../compile/compile.ts'
import { Identity } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { SGD } from '../../../optim/index.ts'
import { fromNumbers, type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { inputNamed, runModelCase } from '../../../verify/model-case.ts'
import {
  booleanSetting,
  type CaseTargetRule,
  choiceSetting,
  fixedSetting,
  numberSetting,
  type ReferenceCase,
  tensorsBelow,
} from '../../../verify/target.ts'
import { alignment, spreadOf, uniformity } from '../collapse.ts'
import { PointNetwork } from '../energies/energy.ts'
import { LinearProbe, topAccuracies } from '../evaluation/linear-probe.ts'
import { nearestNeighbours } from '../evaluation/nearest-neighbours.ts'
import { vicregLoss } from '../methods/vicreg.ts'
import { loadOfficial } from '../official.ts'
import {
  allStored,
  entriesOf,
  type Found,
  gradientPrefix,
  inputArray,
  namedGradients,
  numbersOf,
  statesOf,
} from './support.ts'

async function runNeighbours(reference: ReferenceCase): Found {
  const { config } = reference
  const labels = (name: string): number[] => toNumbers(inputArray(reference, name).data)
  const { scores, predictions, top1, top5 } = await nearestNeighbours({
    trainFeatures: inputArray(reference, 'train_features'),
    trainLabels: labels('train_labels'),
    testFeatures: inputArray(reference, 'test_features'),
    testLabels: labels('test_labels'),
    classes: numberSetting(config, 'num_classes', 1000),
    k: numberSetting(config, 'k'),
    T: numberSetting(config, 'T', 0.07),
  })
  return new Map<string, NDArray>([
    ['output/scores', scores],
    [
      'output/predictions',
      { dtype: 'int64', shape: [predictions.length], data: fromNumbers('int64', [...predictions]) },
    ],
    ['output/top1', numbersOf([100 * top1])],
    ['output/top5', numbersOf([100 * top5])],
  ])
}

async function runProbe(reference: ReferenceCase): Found {
  const { config } = reference
  const model = new LinearProbe({
    feature_dim: numberSetting(config, 'feature_dim'),
    num_classes: numberSetting(config, 'num_classes'),
    l2_normalize: booleanSetting(config, 'l2_normalize', false),
    batchnorm_no_affine: booleanSetting(config, 'batchnorm_no_affine', false),
  })
  // A norm without weights may begin with the statistics of a new one.
  loadOfficial(model, tensorsBelow(reference, 'param/'), { strict: !model.norm })
  const optimizer = new SGD(model.parameters(), {
    lr: numberSetting(config, 'lr'),
    momentum: numberSetting(config, 'momentum', 0),
    weightDecay: numberSetting(config, 'weight_decay', 0),
    nesterov: booleanSetting(config, 'nesterov', false),
  })
  const step = compile((x: Tensor, y: Tensor) => {
    const logits = model.forward(x)
    const loss = ops.crossEntropy(logits, y)
    const gradients = namedGradients(loss, model)
    optimizer.minimize(loss)
    return { outputs: { loss, acc1_acc3: ops.mul(ops.stack(topAccuracies(logits, y, [1, 3])), 100) }, gradients }
  })
  const found: [string, NDArray][] = []
  for (let s = 0; s < numberSetting(config, 'steps'); s++) {
    const x = inputArray(reference, `x.${s}`)
    fixedSetting(config, 'batch', sizeOf(x.shape, 0))
    const { outputs, gradients } = await step(x, inputArray(reference, `y.${s}`))
    found.push(...entriesOf('output/', outputs, `.${s}`), ...entriesOf(gradientPrefix(s), gradients))
  }
  await step.release()
  const states = statesOf(model)
  // The norm's statistics may stand under the name of the layer that the official code has for it, or under none.
  const ofNorm = ['/bn.', '/'].flatMap((place) =>
    states.map(([name, array]) => [name.replace('/norm.', place), array] as const),
  )
  return new Map([...found, ...states, ...ofNorm])
}

/** The weight of uniformity in the loss that the gradients of the cases are of. */
const uniformityWeight = 0.7

async function runDiagnostics(reference: ReferenceCase): Found {
  const { config } = reference
  const [alpha, t] = [numberSetting(config, 'alpha', 2), numberSetting(config, 't', 2)]
  const found = await runModelCase(reference, new Identity(), (inputs) => {
    const [x, y] = [inputNamed(inputs, 'x'), inputNamed(inputs, 'y')].map((z) => ops.normalize(z)) as [Tensor, Tensor]
    const [align, uniform] = [alignment(x, y, alpha), uniformity(x, t)]
    return { outputs: { align, uniform }, loss: ops.add(align, ops.mul(uniform, uniformityWeight)) }
  })
  const spread = Object.entries(spreadOf(inputArray(reference, 'x'))).map(
    ([name, value]) => [`output/${name}`, numbersOf(typeof value === 'number' ? [value] : value)] as const,
  )
  return new Map([...allStored(found), ...spread])
}

/** Losses of the trajectories: without a remedy, against the other rows, with VICReg's terms. */
const trajectoryLosses = {
  mse: (a: Tensor, b: Tensor) => ops.mean(ops.sum(ops.square(ops.sub(a, b)), 1)),
  infonce: (a: Tensor, b: Tensor) => {
    const cosines = ops.matmul(ops.normalize(a), ops.transpose(ops.normalize(b)))
    return ops.crossEntropy(ops.div(cosines, 0.5), ops.arange(sizeOf(a.shape, 0)))
  },
  vicreg: (a: Tensor, b: Tensor) => vicregLoss(a, b, { sim_coeff: 25, std_coeff: 25, cov_coeff: 1 }).loss,
} as const

async function runTrajectory(reference: ReferenceCase): Found {
  const { config } = reference
  const lossOf = trajectoryLosses[choiceSetting(config, 'method', ['mse', 'infonce', 'vicreg'])]
  const sizes = ['x_dim', 'hidden', 'out_dim'].map((name) => numberSetting(config, name))
  const model = new PointNetwork(sizes, 'tanh')
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  const optimizer = new SGD(model.parameters(), { lr: numberSetting(config, 'lr') })
  const step = compile((x1: Tensor, x2: Tensor) => {
    const [a, b] = [model.forward(x1), model.forward(x2)]
    const loss = lossOf(a, b)
    optimizer.minimize(loss)
    return { loss, std: ops.mean(ops.std(a, 0)) }
  })
  const [x1, x2] = [inputArray(reference, 'x1'), inputArray(reference, 'x2')]
  fixedSetting(config, 'batch', sizeOf(x1.shape, 0))
  const [losses, deviations]: [number[], number[]] = [[], []]
  for (let s = 0; s < numberSetting(config, 'steps'); s++) {
    const { loss, std } = await step(x1, x2)
    losses.push(await loss.item())
    deviations.push(await std.item())
  }
  await step.release()
  return new Map([['output/loss', numbersOf(losses)], ['output/std', numbersOf(deviations)], ...statesOf(model)])
}

export const evaluationTargets: readonly CaseTargetRule[] = [
  { target: /^knn_classifier/, run: runNeighbours },
  { target: 'linear probe steps', run: runProbe },
  { target: /^collapse diagnostics/, run: runDiagnostics },
  { target: /^short siamese training trajectory/, run: runTrajectory },
]
