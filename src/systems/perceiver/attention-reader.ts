/** Runs a trained Perceiver on one example and draws what its cross attentions read: for `tenfold attention` and for reports. */
import { compile } from '../../compile/compile.ts'
import type { Batch, Dataset } from '../../data/dataset.ts'
import type { Module } from '../../nn/index.ts'
import type { Figure, Section } from '../../report/figures.ts'
import { classProbabilities } from '../../tasks/arrays/classifier.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { mapValues } from '../../util/records.ts'
import { crossMapsOf, type RowNames, readingFigures } from './attention-figures.ts'
import type { PerceiverOutputs } from './model.ts'

/** What is known of the classes of a trained model. */
export interface ReaderFacts {
  readonly labels: readonly string[]
  /** Default: one. */
  readonly classes_per_example?: 'one' | 'any'
}

/** A trained Perceiver with what is known of its inputs. */
export interface Reader<Model extends Module = Module, Facts extends ReaderFacts = ReaderFacts> {
  readonly model: Model
  readonly facts: Facts
}

type Arrays<Name extends string> = Readonly<Record<Name, NDArray>>

/** How the rows of a recipe are made and drawn. */
export interface ReadingPlan<Model extends Module, Facts extends ReaderFacts, Name extends string> {
  /** What a latent reads: `the pixels`. */
  readonly over: string
  readonly outputs: (model: Model, inputs: Readonly<Record<Name, Tensor>>) => PerceiverOutputs
  /** Figures of the example and of the maps of each cross attention, [1, N, M] each, of at most so many latents. */
  readonly draw: (
    example: Arrays<Name>,
    maps: readonly NDArray[],
    reader: Reader<Model, Facts>,
    latents: number,
    title: string,
  ) => readonly Figure[] | Promise<readonly Figure[]>
  /** What the rows of an example are. */
  readonly rows: (example: Arrays<Name>, reader: Reader<Model, Facts>) => RowNames | Promise<RowNames>
}

/** What is drawn of it. */
export interface ReadingOptions {
  /** Latents to draw, at most. */
  readonly latents: number
  /** Before the softmax, as in the paper, or after it. */
  readonly of: 'scores' | 'weights'
}

/** What was read of one example: [1, N, M] for each cross attention. */
export interface ExampleReading {
  readonly probabilities: readonly number[]
  readonly scores: readonly NDArray[]
  readonly weights: readonly NDArray[]
}

/** Compiles the model; the example has a batch axis of one. */
export function exampleReader<Model extends Module, Facts extends ReaderFacts, Name extends string>(
  { outputs }: Pick<ReadingPlan<Model, Facts, Name>, 'outputs'>,
  { model, facts }: Reader<Model, Facts>,
) {
  model.eval()
  const run = compile((inputs: Readonly<Record<string, Tensor>>) => {
    const { attentions, logits } = outputs(model, inputs as Readonly<Record<Name, Tensor>>) // as the example has them
    return {
      probabilities: classProbabilities(logits, facts.classes_per_example ?? 'one'),
      scores: crossMapsOf(attentions, 'scores'),
      weights: crossMapsOf(attentions, 'weights'),
    }
  })
  return {
    read: async (example: Arrays<Name>): Promise<ExampleReading> => {
      const found = await run(mapValues(example, ({ data, shape, dtype }: NDArray) => constant(data, shape, dtype)))
      const arraysOf = (tensors: readonly Tensor[]): NDArray[] => tensors.map(({ array }) => array)
      return {
        probabilities: toNumbers(found.probabilities.array.data),
        scores: arraysOf(found.scores),
        weights: arraysOf(found.weights),
      }
    },
    release: () => run.release(),
  }
}

/** The two sections on one example: the maps, and which latents read what. */
export async function readingSections<Model extends Module, Facts extends ReaderFacts, Name extends string>(
  plan: ReadingPlan<Model, Facts, Name>,
  reader: Reader<Model, Facts>,
  example: Arrays<Name>,
  reading: ExampleReading,
  { latents, of, title }: ReadingOptions & { readonly title: string },
): Promise<Section[]> {
  return [
    {
      title: 'What the latents read',
      intro: `Attention of each latent over ${plan.over}, ${of === 'scores' ? 'before the softmax, as in the paper: after it maps are too sparse to see' : 'after the softmax'} (Figure 3).`,
      figures: await plan.draw(example, reading[of], reader, latents, title),
    },
    {
      title: 'Which latents read what',
      figures: readingFigures(reading.weights, await plan.rows(example, reader), latents),
    },
  ]
}

/** The same of the first test example, for a report. */
export function explainReading<Model extends Module, Facts extends ReaderFacts, Name extends string>(
  plan: ReadingPlan<Model, Facts, Name>,
  facts: Facts,
) {
  return async (model: Model, test: Dataset): Promise<Section[]> => {
    const { label, ...inputs } = await test.batch([0], { epoch: 0, seed: 0 })
    const example = inputs as Batch as Arrays<Name> // the fields of the recipe
    const reader = { model, facts }
    const { read, release } = exampleReader(plan, reader)
    const reading = await read(example)
    await release()
    return readingSections(plan, reader, example, reading, {
      latents: 32,
      of: 'scores',
      title: 'The first test example',
    })
  }
}
