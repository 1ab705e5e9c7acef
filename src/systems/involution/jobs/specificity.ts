/** A task in which the right filter depends on a local cue: one involution solves it, one convolution of the same size does not. */
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import { Involution } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { AdamW } from '../../../optim/index.ts'
import type { HeatmapGrid, Matrix, Report } from '../../../report/figures.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { deriveSeed } from '../../../util/random.ts'
import { percent } from '../../../util/words.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { allOf, eachOf, seedsFrom } from '../../parts.ts'
import { spreadOf } from '../../study.ts'
import { cuedPictures, Filter, type ModelName, models, titles } from '../cued-filter.ts'
import { kernelsAt } from '../explain.ts'
import { odd } from '../settings.ts'

const config = z.strictObject({
  channels: whole.multipleOf(16).default(16).describe('of the layers; a colour, the signal, and empty ones'),
  kernel_size: odd.default(5).describe('K of all layers'),
  side: whole.default(16).describe('height and width of the pictures'),
  cues: whole.max(8).default(4).describe('colours; each says where a pixel finds its value'),
  seeds: whole.default(3).describe('trainings of each model, which differ in all random numbers'),
  learning_rates: z
    .array(z.number().positive())
    .min(1)
    .default([3e-3, 1e-2, 3e-2])
    .describe('tried for each model on other pictures; the best one is used'),
  tuning_steps: whole.default(200).describe('steps of such a trial'),
  steps: whole.default(800).describe('steps of a training'),
  batch_size: whole.default(32).describe('pictures in a step'),
})
type SpecificitySettings = z.infer<typeof config>

/** Throws a UsageError for pictures in which no pixel has another one as far away as the kernels reach: every answer would be 0. */
function checkReach({ kernel_size, side }: SpecificitySettings): void {
  const reach = (kernel_size - 1) / 2
  if (side > reach) return
  throw new UsageError(`side must be above (kernel_size - 1) / 2 = ${reach}, found ${side}`, {
    hint: `a pixel is asked for the value of one ${reach} pixels away: --set side=${2 * kernel_size} or a smaller kernel_size`,
  })
}

const result = z.strictObject({
  /** Share of the variance of what is asked for that is not explained. */
  error: z.number(),
  parameters: z.number(),
  seconds: z.number(),
  /** Of the involution: its kernel for each colour, and where the colours are in one picture. */
  kernels: z.array(z.array(z.number())).optional(),
})
type Result = z.infer<typeof result>

const testPictures = 64

async function trainFilter(
  name: ModelName,
  settings: SpecificitySettings,
  options: { readonly lr: number; readonly steps: number; readonly seed: number; readonly of: 'validation' | 'test' },
  { threads }: Pick<JobContext, 'threads'>,
): Promise<Result> {
  const { lr, steps, seed, of } = options
  manualSeed(seed)
  const model = new Filter(name, settings)
  const optimizer = new AdamW(model.parameters(), {
    lr: (step: number) => (lr * (1 + Math.cos((Math.PI * step) / steps))) / 2,
    weightDecay: 0,
  })
  const own = threadOptions({ threads })
  const step = compile((x: Tensor, y: Tensor) => {
    const loss = ops.mseLoss(model.forward(x), y)
    optimizer.minimize(loss)
    return loss
  }, own)
  const started = performance.now()
  for (let i = 0; i < steps; i++) {
    const { x, y } = cuedPictures(settings, settings.batch_size, deriveSeed(seed, 'specificity', i))
    await step(x, y)
  }
  const seconds = (performance.now() - started) / 1000
  await step.release()
  model.eval()
  const { x, y } = cuedPictures(settings, testPictures, deriveSeed(2 ** 20, of))
  const test = compile((x: Tensor, y: Tensor) => {
    const found = model.forward(x)
    const { layer } = model
    return {
      error: ops.div(ops.mseLoss(found, y), ops.mean(ops.mul(y, y))),
      ...(layer instanceof Involution && { kernels: layer.kernels(x) }),
    }
  }, own)
  const { error, kernels } = await test(x, y)
  await test.release()
  return {
    error: error.item(),
    parameters: model.parameters().reduce((sum, { size }) => sum + size, 0),
    seconds,
    ...(kernels && { kernels: kernelsOfCues(kernels.array, x, settings) }),
  }
}

/** The kernel at the first pixel of each colour, without signal in it the same at all others. */
function kernelsOfCues(kernels: NDArray, x: NDArray, { cues, channels, side }: SpecificitySettings): number[][] {
  const values = toNumbers(x.data)
  const area = side * side
  return Array.from({ length: cues }, (_, cue) => {
    for (let n = 0; n < testPictures; n++) {
      const at = values.slice((n * channels + cue) * area, (n * channels + cue + 1) * area).indexOf(1)
      if (at >= 0) return Array.from(kernelsAt(kernels, n, [Math.floor(at / side), at % side])[0]?.values ?? [])
    }
    return []
  })
}

async function run(settings: SpecificitySettings, context: JobContext): Promise<Report> {
  checkReach(settings)
  const { seeds, learning_rates, tuning_steps, steps, channels, kernel_size, side, cues, batch_size } = settings
  const task = { channels, kernel_size, side, cues, batch_size }
  const part = async (name: ModelName, file: string, options: Parameters<typeof trainFilter>[2]): Promise<Result> => {
    context.signal?.throwIfAborted()
    const { part: found, wasThere } = await context.keep(file, { task, name, ...options }, result, () =>
      trainFilter(name, settings, options, context),
    )
    context.progress(`${file.padEnd(40)} ${percent(1 - found.error)} explained${wasThere ? '  kept' : ''}`, {
      part: file,
      kept: wasThere,
      error: found.error,
    })
    return found
  }
  const arms = await eachOf(context, models, async (name): Promise<Arm> => {
    const tried = await allOf(context, learning_rates.length > 1 ? learning_rates : [], async (lr) => {
      const options = { lr, steps: tuning_steps, seed: context.seed, of: 'validation' as const }
      return { lr, error: (await part(name, `tuning/${name}-${lr}`, options)).error }
    })
    const lr = tried.toSorted((a, b) => a.error - b.error)[0]?.lr ?? learning_rates[0] ?? Number.NaN
    const results = await eachOf(context, seedsFrom(context.seed, seeds), (seed) =>
      part(name, `members/${name}-seed${seed}`, { lr, steps, seed, of: 'test' }),
    )
    return { name, lr, results }
  })
  return specificityReport(arms, settings)
}

interface Arm {
  readonly name: ModelName
  readonly lr: number
  readonly results: readonly Result[]
}

function explained(arm: Arm): string {
  const { mean, deviation } = spreadOf(arm.results.map(({ error }) => 1 - error))
  return `${(100 * mean).toFixed(1)}${arm.results.length > 1 ? ` ± ${(100 * deviation).toFixed(1)}` : ''} %`
}

function kernelGrid(arm: Arm | undefined, kernelSize: number): HeatmapGrid[] {
  const kernels = arm?.results[0]?.kernels
  if (!kernels) return []
  const matrices = kernels.map(
    (values, cue): Matrix => ({ values, width: kernelSize, height: kernelSize, caption: `colour ${cue + 1}` }),
  )
  return [
    {
      kind: 'heatmaps',
      title: 'The kernel that the involution makes of each colour',
      caption: 'Red positive, blue negative, the centre is the pixel itself: it looks where its colour says.',
      matrices,
      size: 84,
    },
  ]
}

function specificityReport(arms: readonly Arm[], settings: SpecificitySettings): Report {
  const { cues, kernel_size, steps, batch_size, seeds, learning_rates, tuning_steps } = settings
  const [involution] = arms
  return {
    title: 'involution / specificity',
    subtitle: `Each pixel is asked for the value of another one, ${(kernel_size - 1) / 2} pixels away; its colour, one of ${cues}, says in which direction`,
    summary: arms.map((arm) => ({
      label: titles[arm.name],
      value: explained(arm),
      note: `of the variance, ${arm.results[0]?.parameters.toLocaleString('en')} parameters`,
    })),
    sections: [
      {
        title: 'What was found',
        intro:
          'The answer is a product: is the colour this one, times the value there. A convolution adds the same weights at every pixel and can only give the mean over the colours; an involution makes its weights of the colour.',
        figures: [
          {
            kind: 'bars',
            title: 'Explained variance on test pictures',
            value: { label: 'explained variance', percent: true },
            bars: arms.map((arm) => ({
              label: titles[arm.name],
              value: spreadOf(arm.results.map(({ error }) => 1 - error)).mean,
            })),
          },
          ...kernelGrid(involution, kernel_size),
          {
            kind: 'table',
            title: 'Every model',
            columns: ['model', 'parameters', 'learning rate', 'explained'],
            rows: arms.map((arm) => [
              titles[arm.name],
              arm.results[0]?.parameters ?? 0,
              String(arm.lr),
              explained(arm),
            ]),
          },
        ],
      },
    ],
    footer: `Pictures of noise with squares of colour, new ones at each step; AdamW, ${steps} steps of ${batch_size}, half a cosine; learning rates of ${learning_rates.join(', ')} chosen for each model on other pictures after ${tuning_steps} steps; ${seeds} seeds. Written by tenfold.`,
  }
}

export const specificity = defineJob({
  name: 'specificity',
  summary: 'a task whose right filter depends on a local cue: one involution against one convolution',
  config,
  run,
})
