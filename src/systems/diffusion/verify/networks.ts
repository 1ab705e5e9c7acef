/** Reference cases of the networks: the U-Net, the super-resolution model, the classifier of noisy pictures. */
import { gradient } from '../../../autodiff/gradient.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { inputNamed, runModelCase } from '../../../verify/model-case.ts'
import { type CaseTargetRule, type ReferenceCase, tensorsBelow } from '../../../verify/target.ts'
import { EncoderUNetModel } from '../encoder.ts'
import { SuperResModel, UNetModel } from '../model.ts'
import { diffusionOf, encoderConfig, evaluated, type Found, groupsOf, unetConfig } from './case.ts'

async function runUNet(reference: ReferenceCase): Found {
  const { config, mode } = reference
  const model = new UNetModel(unetConfig(config, mode, groupsOf(config)))
  model.loadStateDict(tensorsBelow(reference, 'param/'))
  return runModelCase(reference, model, (inputs) => {
    const output = model.forward(inputNamed(inputs, 'x'), inputNamed(inputs, 'timesteps'), inputs.y)
    return { outputs: { output }, weighted: [[output, inputs.cotangent]] }
  })
}

async function runSuperRes(reference: ReferenceCase): Found {
  const { config, mode } = reference
  const model = new SuperResModel(unetConfig(config, mode, groupsOf(config)))
  model.loadStateDict(tensorsBelow(reference, 'param/'))
  return runModelCase(reference, model, (inputs) => {
    const [x, timesteps, lowRes] = ['x', 'timesteps', 'low_res'].map((name) => inputNamed(inputs, name)) as [
      Tensor,
      Tensor,
      Tensor,
    ]
    const output = model.upsample(x, timesteps, lowRes, inputs.y)
    return { outputs: { output }, weighted: [[output, inputs.cotangent]] }
  })
}

/** 1 where the label is among the k classes of the largest logits, [B]. */
function isAmongTop(logits: Tensor, labels: Tensor, k: number): Tensor {
  const [, indices] = ops.topk(logits, k, 1)
  return ops.cast(ops.any(ops.equal(indices, ops.reshape(labels, [-1, 1])), 1), 'float32')
}

/** The classifier alone; or, where the case has a process, its training loss on noisy pictures. */
async function runEncoder(reference: ReferenceCase): Found {
  const { config, mode, tensors } = reference
  const model = new EncoderUNetModel(encoderConfig(config, mode, groupsOf(config)))
  model.loadStateDict(tensorsBelow(reference, 'param/'))
  if (config.diffusion === undefined) {
    return runModelCase(reference, model, (inputs) => {
      const logits = model.forward(inputNamed(inputs, 'x'), inputNamed(inputs, 'timesteps'))
      return { outputs: { logits }, weighted: [[logits, inputs.cotangent]] }
    })
  }
  const diffusion = diffusionOf(reference, {})
  const ranks = [...tensors.keys()].flatMap((name) => /^output\/acc@(\d+)$/.exec(name)?.[1] ?? [])
  model.train(mode === 'train')
  const parameters = [...model.namedParameters()]
  return evaluated(reference, (inputs) => {
    const [labels, timesteps] = [inputNamed(inputs, 'labels'), inputNamed(inputs, 'timesteps')]
    const x = diffusion.qSample(inputNamed(inputs, 'x_start'), timesteps, inputNamed(inputs, 'noise'))
    const logits = model.forward(x, timesteps) // unscaled, whatever the process: as the official training has it
    const loss = ops.crossEntropy(logits, labels, { reduction: 'none' })
    const [ofX, ...gradients] = gradient(ops.mean(loss), [x, ...parameters.map(([, variable]) => variable)])
    return {
      'output/logits': logits,
      'output/x_t': x,
      'output/loss': loss,
      ...Object.fromEntries(ranks.map((k) => [`output/acc@${k}`, isAmongTop(logits, labels, Number(k))])),
      ...(ofX && { 'grad_input/x_t': ofX }),
      ...Object.fromEntries(
        parameters.flatMap(([name], i) => {
          const found = gradients[i]
          return found ? [[`grad/${name}`, found] as const] : []
        }),
      ),
    }
  })
}

export const networkTargets: readonly CaseTargetRule[] = [
  { target: 'UNetModel', run: runUNet },
  { target: 'SuperResModel', run: runSuperRes },
  { target: 'EncoderUNetModel', run: runEncoder },
]
