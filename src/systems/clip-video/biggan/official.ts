/** The released BigGANs: their files have our names, but not all that a configuration says. */
import { skipInit } from '../../../nn/init.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { FormatError } from '../../../util/errors.ts'
import { type BigGANConfig, bigganVariants } from '../config.ts'
import { BigGAN } from './generator.ts'

type State = ReadonlyMap<string, NDArray>

/** The released configuration with as many layers as a state dict has. (Which blocks double the resolution is not in the weights.) */
export function releasedConfig(state: State): BigGANConfig {
  const layers = new Set([...state.keys()].flatMap((name) => /^generator\.layers\.(\d+)\./.exec(name)?.[1] ?? []))
  const found = Object.values(bigganVariants).find((config) => config.layers.length + 1 === layers.size)
  if (found) return found
  throw new FormatError(`BigGAN checkpoint: no released model has ${layers.size} layers`, {
    hint: `known are ${Object.keys(bigganVariants).join(', ')}; give the configuration of any other`,
  })
}

/** The generator of a state dict, with its weights. Throws a ShapeError that names what does not fit. */
export function bigganFromState(state: State, config: BigGANConfig = releasedConfig(state)): BigGAN {
  const model = skipInit(() => new BigGAN(config))
  model.loadStateDict(state)
  return model.eval()
}
