/** Reference cases of methods without negatives: SimSiam, BYOL, Barlow Twins, VICReg. */
import { compile } from '../../../compile/compile.ts'
import { Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { LARS, moveToward } from '../../../optim/index.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { inputNamed, runModelCase } from '../../../verify/model-case.ts'
import {
  type CaseTargetRule,
  choiceSetting,
  fixedSetting,
  nestedSettings,
  numberSetting,
  optionalNumber,
  type ReferenceCase,
  type Settings,
  stringSetting,
  tensorsBelow,
  withoutEffect,
} from '../../../verify/target.ts'
import { MLPEncoder } from '../encoder.ts'
import { parseWidths } from '../heads.ts'
import { BarlowTwins } from '../methods/barlow-twins.ts'
import { BYOLHeads, type BYOLSizes, byolLoss } from '../methods/byol.ts'
import { SimSiam } from '../methods/simsiam.ts'
import { VICReg } from '../methods/vicreg.ts'
import { weightsOf } from '../model.ts'
import { fromHaiku, loadOfficial, toHaiku } from '../official.ts'
import { targetEma } from '../schedules.ts'
import { baseEncoder } from './contrastive.ts'
import { allStored, entriesOf, type Found, inputArray, namedGradients, numbersOf, statesOf, stored } from './support.ts'

async function runSimSiam(reference: ReferenceCase): Found {
  const { config } = reference
  const model = new SimSiam(baseEncoder(nestedSettings(config, 'base_encoder')), {
    dim: numberSetting(config, 'dim', 2048),
    pred_dim: numberSetting(config, 'pred_dim', 512),
  })
  fixedSetting(config, 'batch', sizeOf(inputArray(reference, 'x1').shape, 0))
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  const found = await runModelCase(reference, model, (inputs) => {
    const { loss, p, z } = model.forward([inputNamed(inputs, 'x1'), inputNamed(inputs, 'x2')])
    return { outputs: { loss, p1: p[0], p2: p[1], z1: z[0], z2: z[1] }, loss }
  })
  return new Map([...allStored(found), ...statesOf(model)])
}

/** The cases' backbone: l1 and ReLU. */
function backboneOf(settings: Settings): MLPEncoder {
  withoutEffect(settings, 'type')
  return new MLPEncoder(numberSetting(settings, 'in_dim'), [numberSetting(settings, 'feat_dim')])
}

async function runBarlowTwins(reference: ReferenceCase): Found {
  const { config } = reference
  const scale = optionalNumber(config, 'scale_loss')
  const model = new BarlowTwins(backboneOf(nestedSettings(config, 'backbone')), {
    projector: parseWidths(stringSetting(config, 'projector')),
    lambd: numberSetting(config, 'lambd', 0.0051),
    total_batch_size: numberSetting(config, 'batch_size'),
    ...(scale !== undefined && { scale_loss: scale }),
  })
  fixedSetting(config, 'actual_batch', sizeOf(inputArray(reference, 'y1').shape, 0))
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  const found = await runModelCase(reference, model, (inputs) => {
    const { loss, c, embeddings } = model.forward([inputNamed(inputs, 'y1'), inputNamed(inputs, 'y2')])
    return { outputs: { loss, c, z1: embeddings[0], z2: embeddings[1] }, loss }
  })
  return new Map([...allStored(found), ...statesOf(model)])
}

async function runVICReg(reference: ReferenceCase): Found {
  const { config } = reference
  const model = new VICReg(backboneOf(nestedSettings(config, 'backbone')), {
    mlp: parseWidths(stringSetting(config, 'mlp')),
    sim_coeff: numberSetting(config, 'sim_coeff', 25),
    std_coeff: numberSetting(config, 'std_coeff', 25),
    cov_coeff: numberSetting(config, 'cov_coeff', 1),
    total_batch_size: numberSetting(config, 'batch_size'),
  })
  fixedSetting(config, 'actual_batch', sizeOf(inputArray(reference, 'x').shape, 0))
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  const found = await runModelCase(reference, model, (inputs) => {
    const { loss, repr_loss, std_loss, cov_loss, embeddings } = model.forward([
      inputNamed(inputs, 'x'),
      inputNamed(inputs, 'y'),
    ])
    return { outputs: { loss, repr_loss, std_loss, cov_loss, x: embeddings[0], y: embeddings[1] }, loss }
  })
  return new Map([...allStored(found), ...statesOf(model)])
}

/** BYOL's two networks behind given representations. */
class HeadPair extends Module {
  readonly online: BYOLHeads
  readonly target: BYOLHeads

  constructor(inFeatures: number, config: BYOLSizes) {
    super()
    this.online = new BYOLHeads(inFeatures, config)
    this.target = new BYOLHeads(inFeatures, config)
  }

  forward(views: readonly [Tensor, Tensor]) {
    const { projector, predictor } = this.online
    const z = views.map((view) => projector.forward(view)) as [Tensor, Tensor]
    const p = z.map((each) => predictor.forward(each)) as [Tensor, Tensor]
    const t = views.map((view) => this.target.projector.forward(view)) as [Tensor, Tensor]
    return { z, p, t, loss: byolLoss(p, t) }
  }
}

/** Mean and biased variance over the batch before the norm of a head. */
function moments(head: BYOLHeads['projector'], x: Tensor): readonly [mean: Tensor, variance: Tensor] {
  const [variance, mean] = ops.varMean(head[0]?.forward(x) ?? x, 0, { correction: 0 })
  return [mean, variance]
}

/** hk.ExponentialMovingAverage after some values, from 0: what it holds, and that corrected for its start. */
function haikuAverage(values: readonly NDArray[], decay: number): Record<'hidden' | 'average', NDArray> {
  const width = values[0]?.data.length ?? 0
  const hidden = new Array<number>(width).fill(0)
  for (const { data } of values)
    for (const [i, value] of toNumbers(data).entries()) hidden[i] = decay * (hidden[i] ?? 0) + (1 - decay) * value
  const correction = 1 - decay ** values.length
  return {
    hidden: numbersOf(hidden, [1, width]),
    average: numbersOf(
      hidden.map((value) => value / correction),
      [1, width],
    ),
  }
}

async function runBYOL(reference: ReferenceCase): Found {
  const { config } = reference
  const bn = nestedSettings(config, 'bn_config')
  fixedSetting(bn, 'create_scale', true)
  fixedSetting(bn, 'create_offset', true)
  const [decay, eps] = [numberSetting(bn, 'decay_rate'), numberSetting(bn, 'eps', 1e-5)]
  const model = new HeadPair(numberSetting(config, 'representation_dim'), {
    projector_hidden_size: numberSetting(config, 'projector_hidden_size'),
    projector_output_size: numberSetting(config, 'projector_output_size'),
    predictor_hidden_size: numberSetting(config, 'predictor_hidden_size'),
    eps,
  })
  model.loadStateDict(fromHaiku(model, tensorsBelow(reference, 'param/')), { strict: false })
  for (const variable of model.target.parameters()) variable.frozen = true
  const settings = nestedSettings(config, 'optimizer')
  choiceSetting(settings, 'type', ['lars'])
  const parameters = [...model.online.namedParameters().values()]
  const matrices = parameters.filter(({ shape }) => shape.length > 1)
  const others = parameters.filter(({ shape }) => shape.length <= 1)
  // Biases and parameters of norms are neither decayed nor scaled.
  const optimizer = new LARS([...matrices, ...others], {
    lr: numberSetting(settings, 'learning_rate'),
    weightDecay: numberSetting(settings, 'weight_decay', 0),
    trustCoefficient: numberSetting(settings, 'eta', 0.001),
    momentum: numberSetting(settings, 'momentum', 0.9),
  })
  const schedule = targetEma(numberSetting(config, 'base_target_ema'), numberSetting(config, 'max_steps'))
  const tau = schedule(numberSetting(config, 'global_step'))
  const [view1, view2] = [inputArray(reference, 'view1'), inputArray(reference, 'view2')]
  fixedSetting(config, 'batch', sizeOf(view1.shape, 0))
  const step = compile((first: Tensor, second: Tensor) => {
    const { z, p, t, loss } = model.forward([first, second])
    const norms = {
      projector: [first, second].map((view) => moments(model.online.projector, view)),
      predictor: z.map((each) => moments(model.online.predictor, each)),
    }
    const gradients = namedGradients(loss, model)
    optimizer.minimize(loss)
    moveToward(weightsOf(model.target), weightsOf(model.online), tau)
    const outputs = {
      loss,
      online_prediction_view1: p[0],
      online_prediction_view2: p[1],
      online_projection_view1: z[0],
      online_projection_view2: z[1],
      target_projection_view1: t[0],
      target_projection_view2: t[1],
    }
    return { outputs, gradients, norms }
  })
  const { outputs, gradients, norms } = await step(view1, view2)
  await step.release()
  const averages = Object.entries(norms).flatMap(([head, views]) =>
    ['mean_ema', 'var_ema'].flatMap((name, k) => {
      const values = (views as readonly (readonly Tensor[])[]).flatMap((view) => view[k]?.array ?? [])
      return Object.entries(haikuAverage(values, decay)).map(
        ([kind, array]) => [`state_out/online_bn.${head}/batch_norm/~/${name}/${kind}`, array] as const,
      )
    }),
  )
  const arrays = new Map(Object.entries(gradients).map(([name, { array }]) => [name, stored(array)]))
  return new Map([
    ...entriesOf('output/', outputs),
    ['output/tau', numbersOf([tau])],
    ...[...toHaiku(arrays)].map(([name, array]) => [`grad/${name}`, array] as const),
    ...[...toHaiku(model.stateDict())].map(([name, array]) => [`state_out/${name}`, array] as const),
    ...averages,
  ])
}

export const jointEmbeddingTargets: readonly CaseTargetRule[] = [
  { target: /^SimSiam\.forward/, run: runSimSiam },
  { target: /^BYOL update/, run: runBYOL },
  { target: 'BarlowTwins.forward', run: runBarlowTwins },
  { target: 'VICReg.forward', run: runVICReg },
]
