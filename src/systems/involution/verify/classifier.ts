/** Reference cases of the whole classifier, whose weights follow from a formula. */
import { gradient } from '../../../autodiff/gradient.ts'
import { compile } from '../../../compile/compile.ts'
import { init } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Variable } from '../../../tensor/variable.ts'
import { FormatError } from '../../../util/errors.ts'
import {
  type CaseTargetRule,
  fixedSetting,
  numberSetting,
  numbersSetting,
  type ReferenceCase,
  requiredTensor,
  type Settings,
  stringSetting,
  tensorsBelow,
  withoutEffect,
} from '../../../verify/target.ts'
import { ImageClassifier, labelSmoothLoss, RedNet } from '../model.ts'
import { redNetConfig } from './backbone.ts'
import { formulaInput, formulaState } from './formula.ts'
import { withStates } from './running.ts'

/** The case has the first numbers of some tensors, so that a wrong formula is not taken for a wrong network. */
function checkFormula(reference: ReferenceCase, made: ReadonlyMap<string, NDArray>): void {
  for (const [name, expected] of tensorsBelow(reference, 'input/formula_check/')) {
    const found = toNumbers(made.get(name)?.data ?? new Float32Array())
    const wrong = toNumbers(expected.data).findIndex((value, i) => value !== found[i])
    if (wrong >= 0) throw new FormatError(`the formula gives ${found[wrong]} for ${name}[${wrong}], the case another`)
  }
}

/** Mean and mean square of each channel over batch and space. */
function moments(name: string, map: Tensor): [string, Tensor][] {
  return [
    [`output/mean_${name}`, ops.mean(map, [0, 2, 3])],
    [`output/meansq_${name}`, ops.mean(ops.mul(map, map), [0, 2, 3])],
  ]
}

function normOf(x: Tensor): Tensor {
  return ops.sqrt(ops.sum(ops.mul(x, x)))
}

async function runClassifier(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const { config, mode, tensors, rounding } = reference
  const backbone = init.skipInit(() => new RedNet(redNetConfig(reference)))
  fixedSetting(config, 'head_in_channels', backbone.numFeatures)
  const model = init.skipInit(() => new ImageClassifier(backbone, numberSetting(config, 'num_classes')))
  const formula = config.parameter_formula as Settings
  withoutEffect(formula, 'description') // the hash in words
  const shapes = new Map([...model.variables()].map(([name, { shape }]) => [name, shape] as const))
  const state = formulaState(shapes, formula.rules_first_match_wins as readonly (readonly unknown[])[])
  const size = [
    numberSetting(config, 'batch'),
    numberSetting(config, 'in_channels', 3),
    ...numbersSetting(config, 'image_size'),
  ]
  const image = formulaInput(stringSetting(formula, 'image'), size)
  checkFormula(reference, new Map([...state, ['input/image', image]]))
  model.loadStateDict(new Map([...state].map(([name, array]) => [name, rounding(array, `param/${name}`)] as const)))
  model.train(mode === 'train')
  const parameters = model.namedParameters()
  fixedSetting(
    config,
    'num_params',
    [...parameters.values()].reduce((sum, { size }) => sum + size, 0),
  )
  const listed = config.grad_norm_keys as readonly string[]
  const unknown = listed.find((name) => !parameters.has(name))
  if (unknown !== undefined) throw new FormatError(`setting "grad_norm_keys" has an unknown parameter, "${unknown}"`)
  const smoothing = numberSetting(config, 'label_smooth_val', 0.1)
  const run = compile((images: Tensor, labels: Tensor) => {
    const maxpool = backbone.pooled(images)
    const maps = backbone.stages(maxpool)
    const pooled = model.neck.forward(maps.at(-1) ?? maxpool)
    const logits = model.head.forward(pooled)
    const loss = labelSmoothLoss(logits, labels, smoothing)
    const gradients = gradient(loss, [...parameters.values()] as Variable[])
    const byName = new Map([...parameters.keys()].map((name, i) => [name, gradients[i] as Tensor] as const))
    return Object.fromEntries([
      ['output/pooled', pooled],
      ['output/logits', logits],
      ['output/probs', ops.softmax(logits)],
      ['output/loss', ops.reshape(loss, [1])],
      ...moments('maxpool', maxpool),
      ...maps.flatMap((map, i) => moments(`layer${i + 1}`, map)),
      ['output/grad_norms', ops.stack(listed.map((name) => normOf(byName.get(name) as Tensor)))],
      ...[...byName].filter(([name]) => tensors.has(`grad/${name}`)).map(([name, g]) => [`grad/${name}`, g] as const),
    ] as [string, Tensor][])
  })
  try {
    const found = await run(rounding(image, 'input/image'), requiredTensor(tensors, 'input/labels'))
    const arrays = Object.entries(found).map(([name, { array }]) => [name, array] as const)
    return withStates(reference, model, new Map(arrays))
  } finally {
    await run.release()
  }
}

export const classifierTargets: readonly CaseTargetRule[] = [{ target: /^ImageClassifier\(RedNet/, run: runClassifier }]
