/** Official checkpoints as the start of a training: which network they are of, their sizes, their weights under our names. */
import { readTensorFile } from '../../../io/tensor-file.ts'
import { describeLeftOut, type TensorFile } from '../../../io/tensor-format.ts'
import { init } from '../../../nn/index.ts'
import type { PictureFacts } from '../../../tasks/pictures/facts.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { formatShape, sameShape } from '../../../tensor/shape.ts'
import type { Settings } from '../../../train/settings.ts'
import { FormatError, ShapeError, UsageError } from '../../../util/errors.ts'
import { pathArgument } from '../../../util/shell.ts'
import type { FittedWeights, Start } from '../../define.ts'
import { fromHaiku, toHaikuName } from '../official.ts'
import { OfficialClassifier, type OfficialSettings } from './network.ts'

/** Whose names a file has, and a tensor that every one of its networks has. */
const codes = [
  { code: 'transformers', first: 'encoder.cross_attention.attention.self.layernorm2.weight' },
  { code: 'deepmind', first: 'perceiver_encoder/~/cross_attention/layer_norm_1/scale' },
  { code: 'lucid', first: 'layers.0.0.norm_context.weight' },
] as const

type Code = (typeof codes)[number]['code']

interface Found {
  readonly path: string
  readonly file: TensorFile
  readonly code: Code
  readonly state: ReadonlyMap<string, NDArray>
}

const parts = /^(embeddings|encoder|decoder|input_preprocessor)\./
const lucidParts = /^(latents$|layers\.|to_logits\.)/

/** The tensors of a network among those of a file: all names may have a prefix (`perceiver.`, `model.`, `params/`). */
function findNetwork(path: string, file: TensorFile): Found {
  for (const { code, first } of codes) {
    const [found] = [...file.tensors.keys()]
      .filter((name) => name === first || name.endsWith(`.${first}`) || name.endsWith(`/${first}`))
      .sort((a, b) => a.length - b.length)
    if (found === undefined) continue
    const prefix = found.slice(0, -first.length)
    const own = (name: string): boolean =>
      code === 'deepmind' ? !/^(opt|optimizer)/.test(name) : (code === 'lucid' ? lucidParts : parts).test(name)
    // Haiku keeps parameters and running means beside each other.
    const begins = [prefix, ...(prefix.endsWith('params/') ? [`${prefix.slice(0, -'params/'.length)}state/`] : [])]
    const state = [...file.tensors].flatMap(([name, array]) => {
      const begin = begins.find((text) => name.startsWith(text))
      const rest = begin === undefined ? undefined : name.slice(begin.length)
      return rest !== undefined && own(rest) ? [[rest, array] as const] : []
    })
    return { path, file, code, state: new Map(state) }
  }
  throw new FormatError(`${path}: must be a checkpoint of a Perceiver, found a ${file.format} file of other tensors`, {
    hint: `names like ${codes.map(({ first }) => `"${first}"`).join(', ')}; tenfold info ${pathArgument(path)} lists what it holds`,
  })
}

/** Reads shapes under our names, whatever the file calls them. */
function shapesOf({ path, state, code, file }: Found) {
  const find = (name: string): NDArray | undefined =>
    state.get(code === 'deepmind' ? (toHaikuName(name) ?? name) : name)
  return {
    has: (name: string): boolean => find(name) !== undefined,
    /** How many numbers a tensor has; 0 where there is none. */
    length: (name: string): number => find(name)?.data.length ?? 0,
    /** The sizes of a tensor of so many axes. */
    sizes: (name: string, rank: number): readonly number[] => {
      const shape = find(name)?.shape
      if (shape?.length === rank) return shape
      const leftOut = describeLeftOut(file)
      throw new FormatError(
        `${path}: is not a complete checkpoint of a Perceiver: ${shape ? `"${name}" must have ${rank} axes, found shape ${formatShape(shape)}` : `"${name}" is missing`}`,
        leftOut === undefined ? {} : { hint: `not read of the file: ${leftOut}` },
      )
    },
  }
}

/** How many modules are numbered from 0 on. */
function counted(has: (index: number) => boolean): number {
  let count = 0
  while (has(count)) count++
  return count
}

/** K of rows with so many channels of data and 2 (2 K + 1) of their places. */
function bandsOf(path: string, channels: number, data: number): number {
  const bands = (channels - data - 2) / 4
  if (Number.isInteger(bands) && bands > 0) return bands
  throw new UsageError(
    `${path}: its rows have ${channels} channels, which are not ${data} of data and Fourier features of two axes`,
    { hint: 'it is for pictures in colour, or in grey: the other ones' },
  )
}

type Sizes = Partial<OfficialSettings>

function lucidSizes(found: Found, { in_channels }: PictureFacts): Sizes {
  const { path, state } = found
  const { sizes, has } = shapesOf(found)
  const [num_latents = 0, num_latent_channels = 0] = sizes('latents', 2)
  const [channels = 0] = sizes('layers.0.0.norm_context.weight', 1)
  const depth = counted((i) => has(`layers.${i}.0.norm.weight`))
  const [second, third] = [1, 2].map((i) => state.get(`layers.${i}.0.fn.to_q.weight`))
  return {
    network: 'lucid',
    num_latents,
    num_latent_channels,
    num_blocks: depth,
    num_self_attends_per_block: counted((j) => has(`layers.0.2.${j}.0.norm.weight`)),
    num_bands: bandsOf(path, channels, in_channels),
    // Shared weights stand in the file under each layer.
    weight_tie_layers: third?.data.every((value, i) => value === second?.data[i]) ?? false,
  }
}

function ioSizes(found: Found, { in_channels, image_size }: PictureFacts): Sizes {
  const { path, code } = found
  const { sizes, has, length } = shapesOf(found)
  const [num_latents = 0, num_latent_channels = 0] = sizes('embeddings.latents', 2)
  const [channels = 0] = sizes('encoder.cross_attention.attention.self.layernorm2.weight', 1)
  const [keys] = sizes('encoder.cross_attention.attention.self.query.bias', 1)
  const common: Sizes = {
    code: code === 'transformers' ? code : 'deepmind',
    num_latents,
    num_latent_channels,
    num_self_attends_per_block: counted((j) => has(`encoder.self_attends.${j}.layernorm.weight`)),
    decoder: has('decoder.classifier.bias') ? 'mean' : 'query',
    attention_channels: keys === channels ? 'kv' : 'q',
  }
  const positions = 'input_preprocessor.position_embeddings.position_embeddings'
  if (has(positions)) {
    const [places = 0, width = 0] = sizes(positions, 2)
    if (places !== image_size[0] * image_size[1]) {
      const side = Math.sqrt(places)
      throw new UsageError(
        `${path}: has learned positions for ${places.toLocaleString('en')} pixels, these pictures have ${image_size.join('x')}`,
        Number.isInteger(side) ? { hint: `--set data.image_size=${side}` } : {},
      )
    }
    return { ...common, network: 'learned', channels: width }
  }
  // [C], in Haiku [1, 1, 1, C].
  const width = length('input_preprocessor.convnet.batchnorm.weight')
  if (width === 0) return { ...common, network: 'fourier', num_bands: bandsOf(path, channels, in_channels) }
  return { ...common, network: 'conv', channels: width, num_bands: bandsOf(path, channels, width) }
}

const headNames = new Set(
  ['decoder.decoder.final_layer', 'decoder.classifier', 'to_logits.2'].flatMap((name) => [
    `${name}.weight`,
    `${name}.bias`,
  ]),
)

function fitWeights<Config extends OfficialRecipe>(
  found: Found,
  config: Config,
  facts: PictureFacts,
): FittedWeights<Config> {
  const { path, code, file } = found
  const sizes = code === 'lucid' ? lucidSizes(found, facts) : ioSizes(found, facts)
  const { code: given, num_blocks, num_self_attend_heads } = config.model
  const model = {
    ...config.model,
    // What no tensor says: as published.
    num_blocks: num_blocks || 8,
    num_self_attend_heads: num_self_attend_heads || 8,
    ...sizes,
    ...(given !== 'auto' && { code: given }),
  }
  const { net } = init.skipInit(() => new OfficialClassifier(model, facts))
  const own = net.stateDict()
  try {
    const state = code === 'deepmind' ? fromHaiku(net, found.state) : found.state
    const isNew = [...headNames].some((name) => {
      const [wanted, there] = [own.get(name), state.get(name)]
      return wanted !== undefined && there !== undefined && !sameShape(wanted.shape, there.shape)
    })
    const body = [...state].filter(([name]) => !(isNew && headNames.has(name)))
    const head = [...own].filter(([name]) => isNew && headNames.has(name))
    net.loadStateDict(new Map([...head, ...body]))
    const of = { deepmind: "DeepMind's code", transformers: 'transformers', lucid: 'perceiver-pytorch' }[code]
    return {
      config: { ...config, model },
      weights: new Map(body.map(([name, array]) => [`net.${name}`, array])),
      summary: `weights of ${path} (${of}, ${model.network}): ${model.num_latents} latents of ${model.num_latent_channels} channels; ${isNew ? 'new head' : 'with its head'}`,
    }
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    const leftOut = describeLeftOut(file)
    throw new FormatError(`${path}: does not fit its network: ${error.message}`, {
      cause: error,
      ...(leftOut !== undefined && { hint: `not read of the file: ${leftOut}` }),
    })
  }
}

/** A configuration with such a network in it. */
export type OfficialRecipe = Settings & { readonly model: OfficialSettings }

/** Reads `model.checkpoint`; undefined if none is named. A head for as many classes is kept, another one begins anew. */
export async function readStart<Config extends OfficialRecipe>(
  config: Config,
): Promise<Start<Config, PictureFacts> | undefined> {
  const { checkpoint: path } = config.model
  if (path === '') return undefined
  const found = findNetwork(path, await readTensorFile(path))
  return { fit: (chosen, facts) => fitWeights(found, chosen, facts) }
}
