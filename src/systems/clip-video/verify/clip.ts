/** Reference cases of CLIP's networks. */
import type { NDArray } from '../../../tensor/dtype.ts'
import { inputNamed, runModelCase } from '../../../verify/model-case.ts'
import {
  type CaseTargetRule,
  numberSetting,
  numbersSetting,
  optionalNumber,
  type ReferenceCase,
  type Settings,
  tensorsBelow,
} from '../../../verify/target.ts'
import { ModifiedResNet } from '../clip/modified-resnet.ts'
import { VisionTransformer, type VisionTransformerConfig } from '../clip/vision-transformer.ts'
import type { CLIPConfig } from '../config.ts'
import { CLIP, contrastiveLoss } from '../model.ts'
import { loadCLIPState } from '../official.ts'

type Found = Promise<Map<string, NDArray>>

function clipConfig(settings: Settings): CLIPConfig {
  return {
    embed_dim: numberSetting(settings, 'embed_dim'),
    image_resolution: numberSetting(settings, 'image_resolution'),
    vision_layers: Array.isArray(settings.vision_layers)
      ? numbersSetting(settings, 'vision_layers')
      : numberSetting(settings, 'vision_layers'),
    vision_width: numberSetting(settings, 'vision_width'),
    vision_patch_size: optionalNumber(settings, 'vision_patch_size') ?? null,
    context_length: numberSetting(settings, 'context_length'),
    vocab_size: numberSetting(settings, 'vocab_size'),
    transformer_width: numberSetting(settings, 'transformer_width'),
    transformer_heads: numberSetting(settings, 'transformer_heads'),
    transformer_layers: numberSetting(settings, 'transformer_layers'),
  }
}

/** The sizes of CLIP's ViT, as cases give them. */
export function visionTransformerConfig(settings: Settings): VisionTransformerConfig {
  return {
    input_resolution: numberSetting(settings, 'input_resolution'),
    patch_size: numberSetting(settings, 'patch_size'),
    width: numberSetting(settings, 'width'),
    layers: numberSetting(settings, 'layers'),
    heads: numberSetting(settings, 'heads'),
    output_dim: numberSetting(settings, 'output_dim'),
  }
}

async function runCLIP(reference: ReferenceCase): Found {
  const model = new CLIP(clipConfig(reference.config))
  loadCLIPState(model, tensorsBelow(reference, 'param/'))
  return withStatistics(
    model,
    await runModelCase(reference, model, (inputs) => {
      const image_features = model.encodeImage(inputNamed(inputs, 'image'))
      const text_features = model.encodeText(inputNamed(inputs, 'text'))
      const logits = model.logits(image_features, text_features)
      const loss = contrastiveLoss(logits)
      return { outputs: { image_features, text_features, ...logits, loss }, loss }
    }),
  )
}

async function runTower(reference: ReferenceCase, model: VisionTransformer | ModifiedResNet): Found {
  model.loadStateDict(tensorsBelow(reference, 'param/'))
  return withStatistics(
    model,
    await runModelCase(reference, model, (inputs) => {
      const features = model.forward(inputNamed(inputs, 'image'))
      return { outputs: { features }, weighted: [[features, inputs.cotangent]] }
    }),
  )
}

/** The running statistics as they are afterwards. */
function withStatistics(model: CLIP | VisionTransformer | ModifiedResNet, found: Map<string, NDArray>) {
  const after = [...model.namedBuffers()].map(([name, { array }]) => [`output/after/${name}`, array] as const)
  return new Map([...found, ...after])
}

export const clipTargets: readonly CaseTargetRule[] = [
  { target: 'CLIP', run: runCLIP },
  {
    target: 'VisionTransformer',
    run: (reference) => runTower(reference, new VisionTransformer(visionTransformerConfig(reference.config))),
  },
  {
    target: 'ModifiedResNet',
    run: ({ config, ...reference }) => {
      const model = new ModifiedResNet({
        layers: numbersSetting(config, 'layers'),
        output_dim: numberSetting(config, 'output_dim'),
        heads: numberSetting(config, 'heads'),
        input_resolution: numberSetting(config, 'input_resolution', 224),
        width: numberSetting(config, 'width', 64),
      })
      return runTower({ config, ...reference }, model)
    },
  },
]
