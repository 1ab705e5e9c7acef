/** Official checkpoints, as their codes write them: a training starts from them, with their head or a new one. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import { writeNpz } from '../../../src/io/npz.ts'
import { writeSafetensors } from '../../../src/io/safetensors.ts'
import { OfficialClassifier, officialSettings } from '../../../src/systems/perceiver/official/network.ts'
import { official } from '../../../src/systems/perceiver/official/recipe.ts'
import { toHaiku } from '../../../src/systems/perceiver/official.ts'
import type { PictureExperiment } from '../../../src/tasks/pictures/experiment.ts'
import type { NDArray } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { constant, type Tensor } from '../../../src/tensor/tensor.ts'
import { configFrom, parseAssignment } from '../../../src/train/settings.ts'
import { told, withFolder } from '../../data/support.ts'

const facts = { labels: ['a', 'b', 'c'], image_size: [8, 8] as [number, number], in_channels: 3 as const }
const heads = ['model.num_self_attend_heads=2', 'model.num_blocks=2']

function network(settings: object): OfficialClassifier {
  manualSeed(3)
  const sizes = { num_latents: 4, num_latent_channels: 16, num_self_attend_heads: 2, num_bands: 3, channels: 8 }
  return new OfficialClassifier(officialSettings().parse({ ...sizes, ...settings }), facts)
}

type State = Map<string, NDArray>
const renamed = (state: State, name: (name: string) => string): State =>
  new Map([...state].map(([own, array]) => [name(own), array]))

/** Logits of one picture. */
async function logitsOf(model: OfficialClassifier): Promise<number[]> {
  model.eval()
  const run = compile((images: Tensor) => model.forward(images), { threads: 1 })
  const data = Float32Array.from({ length: 3 * 64 }, (_, i) => Math.sin(i))
  const logits = await (await run(constant(data, [1, 3, 8, 8], 'float32'))).numbers()
  await run.release()
  return logits
}

/** What the recipe makes of a file. */
async function started(path: string, labels: readonly string[] = facts.labels) {
  const config = configFrom(official.config, [`model.checkpoint=${path}`, ...heads].map(parseAssignment))
  const parsed = official.config.parse(config)
  const start = await official.start?.(parsed)
  if (!start) throw new Error('nothing to start from')
  const own = { ...facts, labels: [...labels] }
  const fitted = start.fit(parsed, own)
  const { model } = official.build(fitted.config, own, { seed: 0 }) as PictureExperiment<OfficialClassifier>
  model.loadStateDict(fitted.weights, { strict: false })
  return { ...fitted, model }
}

test.each([
  ['transformers, Fourier', { code: 'transformers' }, 'perceiver.safetensors'],
  ['transformers, learned', { code: 'transformers', network: 'learned' }, 'perceiver.safetensors'],
  ['DeepMind, behind a convolution', { network: 'conv', code: 'deepmind' }, 'haiku.npz'],
  ['perceiver-pytorch, tied', { network: 'lucid', num_blocks: 3, weight_tie_layers: true }, 'lucid.safetensors'],
])('%s: the same network, or one with a new head', (_, settings, name) =>
  withFolder(async (folder) => {
    const model = network({ attention_channels: 'kv', ...settings })
    const state = model.net.stateDict()
    const path = join(folder, name)
    const saved = name.startsWith('haiku')
      ? renamed(toHaiku(model.net, state), (own) => `${own.includes('_ema/') ? 'state' : 'params'}/${own}`)
      : renamed(state, (own) => (name.startsWith('perceiver') ? `perceiver.${own}` : own))
    await writeFile(path, name.endsWith('.npz') ? writeNpz(saved) : writeSafetensors(saved))
    const same = await started(path)
    expect(same.config.model).toMatchObject({ network: 'fourier', ...settings, num_latents: 4 })
    expect(same.summary).toContain('with its head')
    expect(await logitsOf(same.model)).toEqual(await logitsOf(model))
    const other = await started(path, ['a', 'b'])
    expect(other.summary).toContain('new head')
    expect(state.size - other.weights.size).toBe(2)
  }),
)

test('what is no such checkpoint, or for other pictures, is refused', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'a.safetensors')
    const one: NDArray = { dtype: 'float32', shape: [1], data: new Float32Array(1) }
    await writeFile(path, writeSafetensors(new Map([['stem.weight', one]])))
    expect(await told(() => started(path))).toBe(
      `FormatError: ${path}: must be a checkpoint of a Perceiver, found a safetensors file of other tensors | names like "encoder.cross_attention.attention.self.layernorm2.weight", "perceiver_encoder/~/cross_attention/layer_norm_1/scale", "layers.0.0.norm_context.weight"; tenfold info ${path} lists what it holds`,
    )
    const model = network({ network: 'learned' })
    const cut = [...model.net.stateDict()].filter(([name]) => name !== 'decoder.decoder.final_layer.bias')
    await writeFile(path, writeSafetensors(new Map(cut)))
    expect(await told(() => started(path))).toContain(`${path}: does not fit its network: `)
    facts.image_size = [4, 4]
    const message = await told(() => started(path))
    facts.image_size = [8, 8]
    expect(message).toBe(
      `UsageError: ${path}: has learned positions for 64 pixels, these pictures have 4x4 | --set data.image_size=8`,
    )
  }))
