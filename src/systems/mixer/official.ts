/** Names and layouts of the official checkpoints (flax .npz: vit_jax, big_vision), against ours, which are timm's. */
import { type NameRule, NameTable } from '../../io/name-table.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { permuteArray } from '../../tensor/permute.ts'

/** `*` stands for the block. */
interface Rule extends NameRule {
  /** Axes of the official tensor in our order; absent: the same layout. */
  readonly axes?: readonly number[]
}

/** Dense kernels are [in, out] in flax and [out, in] here; the stem's kernel is [ph, pw, in, C] and [C, in, ph, pw]. */
const transposed = [1, 0] as const
const rules: readonly Rule[] = [
  { official: 'stem/kernel', ours: 'stem.proj.weight', axes: [3, 2, 0, 1] },
  { official: 'stem/bias', ours: 'stem.proj.bias' },
  ...(['LayerNorm_0:norm1', 'LayerNorm_1:norm2'] as const).flatMap((pair) => {
    const [official = '', ours = ''] = pair.split(':')
    return [
      { official: `MixerBlock_*/${official}/scale`, ours: `blocks.*.${ours}.weight` },
      { official: `MixerBlock_*/${official}/bias`, ours: `blocks.*.${ours}.bias` },
    ]
  }),
  ...(['token_mixing:mlp_tokens', 'channel_mixing:mlp_channels'] as const).flatMap((pair) => {
    const [official = '', ours = ''] = pair.split(':')
    return [0, 1].flatMap((i) => [
      {
        official: `MixerBlock_*/${official}/Dense_${i}/kernel`,
        ours: `blocks.*.${ours}.fc${i + 1}.weight`,
        axes: transposed,
      },
      { official: `MixerBlock_*/${official}/Dense_${i}/bias`, ours: `blocks.*.${ours}.fc${i + 1}.bias` },
    ])
  }),
  { official: 'pre_head_layer_norm/scale', ours: 'norm.weight' },
  { official: 'pre_head_layer_norm/bias', ours: 'norm.bias' },
  { official: 'head/kernel', ours: 'head.weight', axes: transposed },
  { official: 'head/bias', ours: 'head.bias' },
]

/** Names of big_vision's older checkpoints and of whole training states, rewritten to those of the parameters alone. */
function modernName(name: string): string {
  return name
    .replace(/^(params|opt\/target)\//, '')
    .replace(/^embedding\//, 'stem/')
    .replace(/^Mixer\/encoder_norm\//, 'pre_head_layer_norm/')
    .replace(/^Mixer\/encoderblock_(\d+)\//, 'MixerBlock_$1/')
    .replace(
      /(token|channel)_mixing_phase_0\/(kernel|bias)([12])$/,
      (_, kind, part, i) => `${kind}_mixing/Dense_${Number(i) - 1}/${part}`,
    )
}

const table = new NameTable('Mixer', rules)

/** Axes of size 1 in the older format's dense kernels are dropped. */
function squeezed(array: NDArray, rank: number): NDArray {
  if (array.shape.length <= rank) return array
  return { ...array, shape: array.shape.filter((size) => size !== 1) }
}

/** Whether a name is one of the official checkpoints', old or new. */
export function isOfficialName(name: string): boolean {
  return table.hasOfficial(modernName(name))
}

/** An official checkpoint under our names, in our layout. Throws a FormatError for a name it does not know. */
export function fromOfficial(tensors: ReadonlyMap<string, NDArray>): Map<string, NDArray> {
  const result = new Map<string, NDArray>()
  for (const [name, array] of tensors) {
    const { name: ours, rule } = table.toOurs(modernName(name))
    const plain = rule.axes ? squeezed(array, rule.axes.length) : array
    result.set(ours, rule.axes ? permuteArray(plain, rule.axes) : plain)
  }
  return result
}

/** Tensors under our names (parameters or their gradients) under the official names, in the official layout. */
export function toOfficial(tensors: Iterable<readonly [string, NDArray]>): Map<string, NDArray> {
  const result = new Map<string, NDArray>()
  for (const [name, array] of tensors) {
    const { name: official, rule } = table.toOfficial(name)
    const inverse = rule.axes?.map((_, i) => rule.axes?.indexOf(i) ?? i)
    result.set(official, inverse ? permuteArray(array, inverse) : array)
  }
  return result
}
