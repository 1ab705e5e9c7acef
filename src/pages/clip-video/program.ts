/** What the worker of the page computes: a mini CLIP and a generator that learn in one step, and lines that become drawings. */
import { compile } from '../../compile/compile.ts'
import * as ops from '../../ops/index.ts'
import { AdamW, cosineScheduleWithWarmup } from '../../optim/index.ts'
import type { Picture } from '../../report/figures.ts'
import { colourBytes, oneHotRows } from '../../systems/clip-video/biggan/sampling.ts'
import { unit } from '../../systems/clip-video/model.ts'
import { ranksOf, unitRows, within } from '../../systems/clip-video/pairs/retrieval.ts'
import { type CutoutOptions, clipView } from '../../systems/clip-video/video/cutouts.ts'
import { between, type Scene as Latents } from '../../systems/clip-video/video/interpolation.ts'
import { type LineSearch, lineOptimiser } from '../../systems/clip-video/video/line.ts'
import { classLoss, latentLoss } from '../../systems/clip-video/video/losses.ts'
import type { Seer, VideoGenerator } from '../../systems/clip-video/video/models.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { manualSeed } from '../../tensor/random-state.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { Generator } from '../../util/random.ts'
import { dot } from '../../util/vectors.ts'
import type { Host } from '../../web/serve.ts'
import { mixtures, SketchEncoder, SketchGenerator, sketchLoss } from './generator.ts'
import { cutOf, matchingLoss, miniCLIP, partsOf, tokensOf } from './seer.ts'
import { type PartSize, partSizes, sizes } from './settings.ts'
import { captionOf, classNames, classOf, differentScenes, draw, textOf, trainingScenes } from './world.ts'

const { side } = sizes
const classes = classNames.length

export interface ClipVideoPageSettings {
  readonly seed: number
}

/** Cosines of drawings and texts that were never trained on. */
export interface Match {
  readonly texts: readonly string[]
  readonly pictures: readonly Picture[]
  /** [texts, pictures] */
  readonly cosines: readonly number[]
  /** Of how many drawings, and the share that finds its text among those of all. */
  readonly count: number
  readonly found: number
}

/** A line to be steered to. */
export interface LineOrder {
  /** Words that CLIP knows. */
  readonly line: string
  readonly seed: number
  readonly size: PartSize
}

/** A line after some steps. */
export interface LineState {
  readonly picture: Picture
  /** Mean cosine of each step's cutouts so far. */
  readonly curve: readonly number[]
  /** The two other losses. */
  readonly latent: number
  readonly class: number
  /** The class vector, by the names of the classes. */
  readonly active: readonly { readonly label: string; readonly value: number }[]
  /** Some cutouts of the picture with their cosines, and the mean of 64. */
  readonly cutouts: readonly Picture[]
  readonly score: number
  readonly scene: Latents
}

const floats = (data: Float32Array, shape: readonly number[]): NDArray => ({ dtype: 'float32', shape, data })

/** Drawings one behind the other. */
function stacked(drawings: readonly Float32Array[]): NDArray {
  const data = new Float32Array(drawings.length * 3 * side * side)
  for (const [i, pixels] of drawings.entries()) data.set(pixels, i * pixels.length)
  return floats(data, [drawings.length, 3, side, side])
}

/** Colours -1 to 1 [3, side, side] as a picture. */
function pictureOf(pixels: ArrayLike<number>, caption?: string): Picture {
  const picture = { pixels: colourBytes(pixels, side, side), width: side, height: side, channels: 3 } as const
  return caption === undefined ? picture : { ...picture, caption }
}

/** Makes the networks. */
export async function clipVideoProgram({ seed }: ClipVideoPageSettings, { progress }: Host) {
  progress({ what: 'making the networks' })
  manualSeed(seed)
  const clip = miniCLIP()
  const [encoder, decoder] = [new SketchEncoder(), new SketchGenerator()]
  const lr = cosineScheduleWithWarmup(sizes.lr, { numWarmupSteps: 30, numTrainingSteps: sizes.steps })
  const parameters = [...clip.parameters(), ...encoder.parameters(), ...decoder.parameters()]
  const optimizer = new AdamW(parameters, { lr, weightDecay: 0.05, betas: [0.9, 0.98] })
  const learn = compile((drawings: Tensor, oneHot: Tensor, parts: Tensor, tokens: Tensor) => {
    const loss = matchingLoss(clip, parts, tokens, mixtures(decoder, sizes.wrong))
    const drawing = sketchLoss(encoder, decoder, drawings, oneHot)
    optimizer.minimize(ops.add(loss, ops.mul(drawing, sizes.drawingWeight)), { clipNorm: 5 }) // no weight is in both
    return { loss, drawing }
  })
  const readTokens = compile((tokens: Tensor) => unit(clip.encodeText(tokens)))
  const seeDrawings = compile((drawings: Tensor) =>
    unit(clip.encodeImage(clipView(drawings, ops.zeros(drawings.shape)))),
  )
  const generate = compile((noise: Tensor, vectors: Tensor) => decoder.forward(noise, vectors))
  const losses = compile((noise: Tensor, vectors: Tensor) => ({
    latent: latentLoss(noise, 1),
    class: ops.mul(classLoss(vectors, classes - 1), classes / 1000),
  }))
  const readTexts = async (texts: readonly string[]): Promise<Float64Array[]> =>
    unitRows((await readTokens(tokensOf(texts))).array)

  const generator: VideoGenerator = {
    name: 'sketches',
    identity: '',
    side,
    rows: 1,
    noise: sizes.noise,
    classes,
    generate: (noise, vectors) => decoder.forward(noise, vectors),
    draw: async (latents, vectors) => {
      const made = await generate(floats(latents, [1, sizes.noise]), floats(vectors, [1, classes]))
      return Float32Array.from(toNumbers(made.array.data))
    },
  }
  const seer: Seer = {
    name: 'mini CLIP',
    identity: '',
    side,
    see: (pictures) => clip.encodeImage(pictures),
    tower: 'vit',
    readTexts,
  }
  const optimiser = lineOptimiser(generator, seer, {
    steps: sizes.lineSteps,
    cutouts: sizes.cutouts,
    lr: sizes.lineLr,
    latentLoss: true,
    classLoss: true,
  })

  const random = new Generator(seed)
  const testRandom = new Generator(1000)
  const testScenes = differentScenes(sizes.tested, true, testRandom)
  const testTexts = testScenes.map(captionOf)
  const testDrawings = testScenes.map((scene) => draw(scene, testRandom))
  let [text, search, curve]: [Float64Array, LineSearch | undefined, number[]] = [new Float64Array(), undefined, []]
  let parts: CutoutOptions = {}
  let done = 0

  const lineState = async (line: LineSearch): Promise<LineState> => {
    const { latents, classes: vector } = line.found()
    const pixels = await generator.draw(latents, vector)
    const [scored] = await optimiser.scores(pixels, [text], parts)
    const { latent, class: ofClass } = await losses(floats(latents, [1, sizes.noise]), floats(vector, [1, classes]))
    const cutouts = (scored?.boxes ?? []).slice(0, sizes.shownCutouts).map((box, i) => {
      return pictureOf(cutOf([pixels], [box]).data as Float32Array, (scored?.cosines[i] ?? 0).toFixed(2))
    })
    return {
      picture: pictureOf(pixels),
      cutouts,
      curve,
      latent: latent.item(),
      class: ofClass.item(),
      active: classNames.map((label, i) => ({ label, value: vector[i] ?? 0 })),
      score: scored?.mean ?? Number.NaN,
      scene: { latents, classes: vector },
    }
  }
  const drawLatents = async ({ latents, classes: vector }: Latents): Promise<Picture> =>
    pictureOf(await generator.draw(latents, vector))

  return {
    step: async () => {
      if (done === sizes.steps) return undefined
      const scenes = trainingScenes(sizes.batch, random)
      const drawings = scenes.map((scene) => draw(scene, random))
      const oneHot = floats(oneHotRows(scenes.map(classOf), scenes.length, classes), [scenes.length, classes])
      const texts = tokensOf(scenes.map((scene) => textOf(scene, random)))
      clip.train()
      const { loss, drawing } = await learn(stacked(drawings), oneHot, partsOf(drawings, random), texts)
      done++
      return { loss: loss.item(), drawing: drawing.item() }
    },
    requests: {
      /** Which text each of some drawings fits, of combinations that were never trained on. */
      match: async (): Promise<Match> => {
        clip.eval()
        const texts = await readTexts(testTexts)
        const seen = unitRows((await seeDrawings(stacked(testDrawings))).array)
        const { shown } = sizes
        return {
          texts: testTexts.slice(0, shown),
          pictures: testDrawings.slice(0, shown).map((pixels, i) => pictureOf(pixels, testTexts[i])),
          cosines: texts.slice(0, shown).flatMap((row) => seen.slice(0, shown).map((picture) => dot(row, picture))),
          count: seen.length,
          found: within(ranksOf(seen, texts, [...seen.keys()]), 1),
        }
      },
      /** A drawing of each class from random noise. */
      samples: async (of: number): Promise<Picture[]> => {
        const noise = new Generator(of).normal(classes * sizes.noise)
        const vectors = oneHotRows([...classNames.keys()], classes, classes)
        const made = await generate(floats(noise, [classes, sizes.noise]), floats(vectors, [classes, classes]))
        const all = toNumbers(made.array.data)
        const size = all.length / classes
        return classNames.map((name, i) => pictureOf(all.slice(i * size, (i + 1) * size), name))
      },
      /** Begins a line with random latents. */
      begin: async ({ line, seed: of, size }: LineOrder): Promise<LineState> => {
        clip.eval()
        ;[text = new Float64Array()] = await readTexts([line])
        parts = partSizes.find(({ value }) => value === size)?.options ?? {}
        search = await optimiser.begin(text, BigInt(of), { parts })
        curve = []
        return lineState(search)
      },
      /** Further steps of the line that was begun last. */
      steer: async (steps: number): Promise<LineState | undefined> => {
        if (!search) return undefined
        clip.eval()
        for (let i = 0; i < steps; i++) curve = [...curve, await search.step()]
        return lineState(search)
      },
      /** The pictures on the way from one key picture to the next. */
      way: async ({
        from,
        to,
        weights,
      }: {
        readonly from: Latents
        readonly to: Latents
        readonly weights: readonly number[]
      }): Promise<Picture[]> => {
        const pictures: Picture[] = []
        for (const weight of weights) pictures.push(await drawLatents(between(from, to, weight)))
        return pictures
      },
    },
    release: async () => {
      await Promise.all([learn, readTokens, seeDrawings, generate, losses, optimiser].map((each) => each.release()))
    },
  }
}
