/** What the video is made with: something that sees, and something that draws; whichever models these are. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import type { Module } from '../../../nn/index.ts'
import { type ThreadOptions, threadOptions } from '../../../tasks/experiment.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { readRunHead } from '../../../train/run.ts'
import { UsageError } from '../../../util/errors.ts'
import { bytesOf } from '../../../util/vectors.ts'
import type { JobContext } from '../../define.ts'
import type { BigGANExperiment } from '../biggan/adversarial.ts'
import type { BigGAN } from '../biggan/generator.ts'
import { loadBigGAN, loadCLIP, loadCLIPVocabulary } from '../checkpoint.ts'
import type { TextReading } from '../clip/compact-vocabulary.ts'
import type { ClipExperiment } from '../clip/contrastive.ts'
import { unit } from '../model.ts'
import { unitRows } from '../pairs/retrieval.ts'
import { eigenName, openEigenGenerator } from './eigen-generator.ts'
import { openOnnxGenerator } from './onnx-generator.ts'

/** A CLIP: pictures and texts in one space. */
export interface Seer {
  readonly name: string
  /** Changes with the weights. */
  readonly identity: string
  /** Height and width of what it sees, in pixels. */
  readonly side: number
  /** Inside a traced function: normalised pictures [N, 3, side, side] -> [N, E]. */
  readonly see: (pictures: Tensor) => Tensor
  /** `vit` or `resnet`. */
  readonly tower: 'vit' | 'resnet'
  /** Features of length 1. */
  readonly readTexts: (texts: readonly string[]) => Promise<Float64Array[]>
}

/** A CLIP that says what of a text it reads. */
export interface ReadingSeer extends Seer {
  readonly reading: (text: string) => Promise<TextReading>
}

/** A generator that can be steered in BigGAN's place: latents in, a picture out. */
export interface VideoGenerator {
  readonly name: string
  /** Changes with the weights. */
  readonly identity: string
  /** Height and width of its pictures, in pixels. */
  readonly side: number
  /** Latents of one picture: rows of noise, and of class vectors (0 classes: it has none). */
  readonly rows: number
  readonly noise: number
  readonly classes: number
  /** Names of the classes, where they are known. */
  readonly labels?: readonly string[]
  /**
   * Inside a traced function: noise [rows, noise] and class vectors [rows, classes] -> a picture [1, 3, side, side], -1 to 1, with gradients.
   * Undefined: none flow, and latents are found by trying.
   */
  readonly generate?: (latents: Tensor, classes: Tensor) => Tensor
  /** The same for numbers: [3, side, side]. */
  readonly draw: (latents: Float32Array, classes: Float32Array) => Promise<Float32Array>
}

/** SHA-256 of all weights of a model. */
export function weightsDigest(model: Module): string {
  const hash = createHash('sha256')
  for (const [name, { data }] of model.variables()) {
    hash.update(name)
    hash.update(bytesOf(data))
  }
  return hash.digest('hex').slice(0, 16)
}

/** The newest run of a recipe in a folder of runs; `fits` may ask for more of its settings. */
export async function newestRun(
  recipe: string,
  folder = 'runs',
  fits: (config: unknown) => boolean = () => true,
): Promise<string | undefined> {
  const found: { path: string; time: number }[] = []
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name)
    const run = await readRunHead(path)
    const isOfRecipe = run.system === 'clip-video' && run.recipe === recipe && fits(run.config)
    if (!isOfRecipe || !existsSync(join(path, 'checkpoints'))) continue
    found.push({ path, time: (await stat(path)).mtimeMs })
  }
  return found.sort((a, b) => b.time - a.time)[0]?.path
}

/** A run by its path; empty: the newest one in `runs`. Throws a UsageError that says how to make one. */
export async function runPath(given: string, recipe: 'clip' | 'biggan'): Promise<string> {
  const path = given === '' ? await newestRun(recipe) : given
  if (path !== undefined) return path
  throw new UsageError(`there is no trained run of clip-video/${recipe} in the folder runs`, {
    hint: `train one, which takes minutes: tenfold train clip-video/${recipe}; or name it: --set ${recipe === 'clip' ? 'clip' : 'generator'}=RUN`,
  })
}

const isWeights = (path: string): boolean => /\.(pt|pth|bin|safetensors|npz)$/i.test(path)

/** The CLIP of the settings: a run, or the file of a released model. */
export async function openSeer(given: string, { openRun }: Pick<JobContext, 'openRun'>): Promise<ReadingSeer> {
  if (isWeights(given)) return releasedSeer(given)
  const path = await runPath(given, 'clip')
  const clip = await openRun<ClipExperiment>(path, 'clip')
  clip.model.eval()
  return {
    name: `mini CLIP (${clip.settings.tower}) of ${path}`,
    identity: weightsDigest(clip.model),
    side: clip.facts.size,
    see: clip.see,
    tower: clip.settings.tower,
    readTexts: clip.readTexts,
    reading: async (text) => (await clip.tokenizer()).read(text),
  }
}

/** A second CLIP that did not guide: the one of the settings, or the newest run with another kind of tower. */
export async function openJudge(
  given: string,
  guide: Seer,
  context: Pick<JobContext, 'openRun'>,
): Promise<ReadingSeer> {
  if (given !== '') return openSeer(given, context)
  const tower = guide.tower === 'vit' ? 'resnet' : 'vit'
  const model = z.object({ model: z.object({ tower: z.literal(tower) }) })
  const path = await newestRun('clip', 'runs', (config) => model.safeParse(config).success)
  if (path !== undefined) return openSeer(path, context)
  throw new UsageError(
    `a judge is needed: a CLIP with a ${tower} that did not guide; there is none in the folder runs`,
    {
      hint: `tenfold train clip-video/clip --seed 1 --set model.tower=${tower}; or name one: --set judge=RUN`,
    },
  )
}

async function releasedSeer(path: string): Promise<ReadingSeer> {
  const [model, tokenizer] = [await loadCLIP(path), await loadCLIPVocabulary()]
  model.eval()
  const encode = compile((tokens: Tensor) => unit(model.encodeText(tokens)))
  const { context_length: contextLength } = model.config
  return {
    name: path,
    identity: weightsDigest(model),
    side: model.config.image_resolution,
    see: (pictures) => model.encodeImage(pictures),
    tower: typeof model.config.vision_layers === 'number' ? 'vit' : 'resnet',
    readTexts: async (texts) =>
      unitRows((await encode(tokenizer.tokenize(texts, { contextLength, truncate: true }))).array),
    reading: async (text) => {
      const tokens = tokenizer.encode(text).length
      return { unknown: [], tokens, read: Math.min(tokens, contextLength - 2) }
    },
  }
}

/** Throws a UsageError for a truncation that the generator would not heed. */
function requireNoTruncation(generator: string, truncation: number): void {
  if (truncation === 1) return
  throw new UsageError(`setting "truncation" must be 1 with ${generator}, found ${truncation}`, {
    hint: 'only BigGAN has norms with statistics for each truncation',
  })
}

/** The generator of the settings: a run, the file of a released BigGAN, any ONNX model from latents to a picture, or drawings by their components. */
export async function openGenerator(
  given: string,
  truncation: number,
  context: Pick<JobContext, 'openRun' | 'threads'>,
): Promise<VideoGenerator> {
  const threads = threadOptions(context)
  const isOnnx = /\.onnx$/i.test(given)
  if (isOnnx || given === eigenName) requireNoTruncation(given, truncation)
  if (isOnnx) return openOnnxGenerator(given)
  if (given === eigenName) return openEigenGenerator(threads)
  if (isWeights(given)) {
    const model = await loadBigGAN(given)
    return bigganGenerator(model, given, truncation, threads)
  }
  const path = await runPath(given, 'biggan')
  const run = await context.openRun<BigGANExperiment>(path, 'biggan')
  return { ...bigganGenerator(run.model, `mini BigGAN of ${path}`, truncation, threads), labels: run.facts.labels }
}

/** BigGAN with a latent for each layer, as the music video has it. */
function bigganGenerator(model: BigGAN, name: string, truncation: number, threads: ThreadOptions = {}): VideoGenerator {
  model.eval()
  const { z_dim, num_classes, layers } = model.config
  const rows = model.generator.layers.length + 1
  const generate = (latents: Tensor, classes: Tensor): Tensor => model.layered(latents, classes, truncation)
  const run = compile(generate, threads)
  const doublings = layers.filter(([upsample]) => upsample).length
  return {
    name,
    identity: weightsDigest(model),
    side: 4 * 2 ** doublings,
    rows,
    noise: z_dim,
    classes: num_classes,
    generate,
    draw: async (latents, classes) => {
      const picture = await run(
        { dtype: 'float32', shape: [rows, z_dim], data: latents },
        { dtype: 'float32', shape: [rows, num_classes], data: classes },
      )
      return (picture.array.data as Float32Array).slice()
    },
  }
}
