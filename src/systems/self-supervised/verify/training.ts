/** Reference cases of training: schedules, and LARS in its two forms. */
import { compile } from '../../../compile/compile.ts'
import { LARS, type LARSSettings, type ParameterGroup } from '../../../optim/index.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { Variable } from '../../../tensor/variable.ts'
import { FormatError } from '../../../util/errors.ts'
import {
  booleanSetting,
  type CaseTargetRule,
  nestedSettings,
  numberSetting,
  numbersSetting,
  type ReferenceCase,
  type Settings,
  tensorsBelow,
} from '../../../verify/target.ts'
import {
  byolLearningRate,
  cosineMomentum,
  epochCosine,
  epochSteps,
  redundancyLearningRate,
  scaledByBatch,
  targetEma,
  warmedCosine,
} from '../schedules.ts'
import { type Found, inputArray, numbersOf, stored } from './support.ts'

async function runBarlowSchedule(reference: ReferenceCase): Found {
  const { config } = reference
  const steps = toNumbers(inputArray(reference, 'step').data)
  const options = {
    batch_size: numberSetting(config, 'batch_size'),
    epochs: numberSetting(config, 'epochs'),
    steps_per_epoch: numberSetting(config, 'steps_per_epoch'),
  }
  const rates = (name: string): NDArray =>
    numbersOf(steps.map(redundancyLearningRate({ lr: numberSetting(config, name), ...options })))
  return new Map([
    ['output/lr_weights', rates('learning_rate_weights')],
    ['output/lr_biases', rates('learning_rate_biases')],
  ])
}

async function runBYOLSchedules(reference: ReferenceCase): Found {
  const { config } = reference
  const steps = toNumbers(inputArray(reference, 'global_step').data)
  const total_steps = numberSetting(config, 'total_steps')
  const rate = byolLearningRate({
    batch_size: numberSetting(config, 'batch_size'),
    base_learning_rate: numberSetting(config, 'base_learning_rate'),
    total_steps,
    warmup_steps: numberSetting(config, 'warmup_steps'),
  })
  return new Map([
    ['output/learning_rate', numbersOf(steps.map(rate))],
    ['output/target_ema', numbersOf(steps.map(targetEma(numberSetting(config, 'base_ema'), total_steps)))],
  ])
}

/** DINO's momentum in its repository: from 0.996 to 1. */
const dinoMomentum = 0.996

async function runSchedules(reference: ReferenceCase): Found {
  const { config } = reference
  const [epochs, lr, batch] = [
    numberSetting(config, 'epochs'),
    numberSetting(config, 'lr'),
    numberSetting(config, 'batch_size'),
  ]
  const niter_per_ep = numberSetting(config, 'iters_per_epoch')
  const total = epochs * niter_per_ep
  const steps = Array.from({ length: total }, (_, i) => i)
  const given = toNumbers(inputArray(reference, 'epoch').data)
  const [ofDino, ofSwav] = [nestedSettings(config, 'dino'), nestedSettings(config, 'swav')]
  const simsiam = scaledByBatch(lr, batch)
  const vicreg = redundancyLearningRate({
    lr: numberSetting(config, 'vicreg_base_lr'),
    batch_size: batch,
    epochs,
    steps_per_epoch: niter_per_ep,
  })
  const dino = warmedCosine({
    base_value: numberSetting(ofDino, 'base_value'),
    final_value: numberSetting(ofDino, 'final_value'),
    warmup_epochs: numberSetting(ofDino, 'warmup_epochs', 0),
    start_warmup_value: numberSetting(ofDino, 'start_warmup_value', 0),
    epochs,
    niter_per_ep,
  })
  const swav = warmedCosine({
    base_value: numberSetting(ofSwav, 'base_lr'),
    final_value: numberSetting(ofSwav, 'final_lr'),
    warmup_epochs: numberSetting(ofSwav, 'warmup_epochs'),
    start_warmup_value: numberSetting(ofSwav, 'start_warmup'),
    epochs,
    niter_per_ep,
  })
  const pairs = given.map(epochCosine(simsiam, epochs)).flatMap((rate) => [rate, simsiam])
  return new Map([
    ['output/moco_cos', numbersOf(given.map(epochCosine(lr, epochs)))],
    ['output/moco_step', numbersOf(given.map(epochSteps(lr, numbersSetting(config, 'moco_schedule'))))],
    ['output/simsiam_encoder_predictor', numbersOf(pairs, [given.length, 2])],
    ['output/dino_cosine_scheduler', numbersOf(dino)],
    ['output/dino_momentum', numbersOf(steps.map(cosineMomentum(dinoMomentum, total)))],
    ['output/vicreg', numbersOf(steps.map(vicreg))],
    ['output/swav', numbersOf(swav)],
  ])
}

interface NamedParameter {
  readonly name: string
  readonly variable: Variable
}

/** Steps with given gradients; -> weights after each and the momentum at the end, whose name `momentum` makes of the parameter's. */
async function runOptimizer(
  reference: ReferenceCase,
  rates: readonly number[],
  group: (parameter: NamedParameter) => Partial<LARSSettings>,
  momentum: (name: string) => string,
): Found {
  const parameters = [...tensorsBelow(reference, 'param/')].map(
    ([name, { shape, data }]): NamedParameter => ({
      name,
      variable: new Variable(shape, { data: data.slice(), trainable: true, name }),
    }),
  )
  const groups = parameters.map(
    (parameter): ParameterGroup<LARSSettings> => ({ parameters: [parameter.variable], ...group(parameter) }),
  )
  const optimizer = new LARS(groups, { lr: (step) => rates[step] ?? 0 })
  const update = compile((gradients: Tensor[]) => void optimizer.update(gradients))
  const found: [string, NDArray][] = []
  for (const step of rates.keys()) {
    await update(parameters.map(({ name }) => inputArray(reference, `grad.${name}.${step}`)))
    for (const { name, variable } of parameters) found.push([`state_out/${name}.${step}`, stored(variable.array)])
  }
  await update.release()
  const states = optimizer.variables()
  for (const { name } of parameters) {
    const buffer = states.get(`momentum_buffer.${name}`)
    if (buffer) found.push([`state_out/${momentum(name)}`, stored(buffer.array)])
  }
  return new Map(found)
}

async function runLARS(reference: ReferenceCase): Found {
  const { config } = reference
  const settings = {
    weightDecay: numberSetting(config, 'weight_decay', 0),
    momentum: numberSetting(config, 'momentum', 0.9),
    trustCoefficient: numberSetting(config, 'eta', 0.001),
    decayVectors: !booleanSetting(config, 'weight_decay_filter', false),
    adaptVectors: !booleanSetting(config, 'lars_adaptation_filter', false),
  }
  return runOptimizer(
    reference,
    numbersSetting(config, 'lrs'),
    () => settings,
    (name) => `mu.${name}`,
  )
}

/** Regular expressions that are searched for in names; an empty list counts as none. */
function patterns(settings: Settings, name: string): RegExp[] | undefined {
  const given = settings[name]
  if (given === undefined || given === null) return undefined
  if (!Array.isArray(given) || !given.every((text) => typeof text === 'string'))
    throw new FormatError(`setting "${name}" must be a list of texts, found ${JSON.stringify(given)}`)
  return given.length === 0 ? undefined : given.map((text: string) => new RegExp(text))
}

async function runSimCLRLARS(reference: ReferenceCase): Found {
  const { config } = reference
  const notDecayed = patterns(config, 'exclude_from_weight_decay') ?? []
  const notAdapted = patterns(config, 'exclude_from_layer_adaptation') ?? notDecayed
  const [decay, isClassic] = [
    numberSetting(config, 'weight_decay', 0),
    booleanSetting(config, 'classic_momentum', true),
  ]
  const settings = {
    momentum: numberSetting(config, 'momentum', 0.9),
    trustCoefficient: numberSetting(config, 'eeta', 0.001),
    nesterov: booleanSetting(config, 'use_nesterov', false),
    decayVectors: true,
    adaptVectors: true,
    classicMomentum: isClassic,
    adaptMomentum: !isClassic,
  }
  return runOptimizer(
    reference,
    numbersSetting(config, 'learning_rates'),
    ({ name }) => ({
      ...settings,
      weightDecay: notDecayed.some((pattern) => pattern.test(name)) ? 0 : decay,
      adapt: !notAdapted.some((pattern) => pattern.test(name)),
    }),
    (name) => `${name}/Momentum`,
  )
}

export const trainingTargets: readonly CaseTargetRule[] = [
  { target: 'adjust_learning_rate (Barlow Twins)', run: runBarlowSchedule },
  { target: 'BYOL learning_schedule and target_ema', run: runBYOLSchedules },
  { target: /^learning-rate and momentum schedules of MoCo/, run: runSchedules },
  { target: /^LARS \(Barlow Twins/, run: runLARS },
  { target: 'LARSOptimizer (SimCLR)', run: runSimCLRLARS },
]
