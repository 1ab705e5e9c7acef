/** The released files of CLIP (TorchScript archives with some weights of 16 bits): their names are ours, their sizes say which model they are. */
import { skipInit } from '../../nn/init.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { FormatError } from '../../util/errors.ts'
import type { CLIPConfig } from './config.ts'
import { CLIP } from './model.ts'

type State = ReadonlyMap<string, NDArray>

/** Numbers that the released files hold beside the weights. */
const scalars: ReadonlySet<string> = new Set(['input_resolution', 'context_length', 'vocab_size'])

/** Loads a state dict of openai/CLIP: what only states a size is left out. */
export function loadCLIPState(model: CLIP, state: State): void {
  model.loadStateDict(new Map([...state].filter(([name]) => !scalars.has(name))))
}

/** The configuration of a state dict: which tower it has and how large all is, by the shapes of its tensors. */
export function clipConfigOf(state: State): CLIPConfig {
  const shape = (name: string): readonly number[] => {
    const array = state.get(name)
    if (array) return array.shape
    throw new FormatError(`CLIP checkpoint: there is no tensor "${name}"`, {
      hint: 'it must be a state dict, or an archive, of openai/CLIP',
    })
  }
  const size = (name: string, axis: number): number => shape(name)[axis] ?? 0
  const width = size('ln_final.weight', 0)
  return {
    embed_dim: size('text_projection', 1),
    ...(state.has('visual.proj') ? vitConfig(state, size) : resnetConfig(state, size)),
    context_length: size('positional_embedding', 0),
    vocab_size: size('token_embedding.weight', 0),
    transformer_width: width,
    transformer_heads: Math.floor(width / 64),
    transformer_layers: countOf(state, /^transformer\.resblocks\.(\d+)\./),
  }
}

type VisionConfig = Pick<CLIPConfig, 'image_resolution' | 'vision_layers' | 'vision_width' | 'vision_patch_size'>
type SizeOf = (name: string, axis: number) => number

function vitConfig(state: State, size: SizeOf): VisionConfig {
  const patch = size('visual.conv1.weight', 3)
  return {
    image_resolution: patch * Math.round(Math.sqrt(size('visual.positional_embedding', 0) - 1)),
    vision_layers: countOf(state, /^visual\.transformer\.resblocks\.(\d+)\./),
    vision_width: size('visual.conv1.weight', 0),
    vision_patch_size: patch,
  }
}

function resnetConfig(state: State, size: SizeOf): VisionConfig {
  return {
    image_resolution: 32 * Math.round(Math.sqrt(size('visual.attnpool.positional_embedding', 0) - 1)),
    vision_layers: [1, 2, 3, 4].map((stage) => countOf(state, new RegExp(`^visual\\.layer${stage}\\.(\\d+)\\.`))),
    vision_width: size('visual.layer1.0.conv1.weight', 0),
    vision_patch_size: null,
  }
}

/** How many different numbers stand at a place of the names. */
function countOf(state: State, pattern: RegExp): number {
  return new Set([...state.keys()].flatMap((name) => pattern.exec(name)?.[1] ?? [])).size
}

/** The model of a state dict of openai/CLIP, with its weights. Throws a FormatError or a ShapeError that names what does not fit. */
export function clipFromState(state: State): CLIP {
  const config = clipConfigOf(state)
  const model = skipInit(() => new CLIP(config))
  loadCLIPState(model, state)
  return model.eval()
}
