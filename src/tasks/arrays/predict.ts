/** Uses of a trained classifier of arrays: predictions for files, and the exported model. */
import { z } from 'zod'
import { compile } from '../../compile/compile.ts'
import { elementCount, type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { mapValues } from '../../util/records.ts'
import { answerEach, defineUse, type Exportable, topChoices, type Use } from '../define.ts'
import { type ArrayClassifier, classProbabilities } from './classifier.ts'
import type { ArrayFacts } from './facts.ts'

/** A classifier and what it knows of its inputs. */
export interface ClassifierOfArrays<Facts extends ArrayFacts = ArrayFacts> {
  readonly model: ArrayClassifier
  readonly facts: Facts
}

/** An example of a file: rows [windows, ...] of each input, whose scores are averaged. */
export interface FileExample {
  /** As it stands before the answer. */
  readonly input: string
  readonly arrays: Readonly<Record<string, NDArray>>
}

/** What reads the files of a recipe. */
export interface FileReader<Facts extends ArrayFacts> {
  readonly summary: string
  /** Throws a FormatError or UsageError that names the file. */
  readonly read: (file: string, facts: Facts) => Promise<readonly FileExample[]>
}

/** Probabilities of the classes of one example after the other. */
function classifierOf<Facts extends ArrayFacts>({ model, facts }: ClassifierOfArrays<Facts>) {
  model.eval()
  const run = compile((inputs: Readonly<Record<string, Tensor>>) =>
    classProbabilities(model.forward(inputs), facts.classes_per_example),
  )
  return {
    probabilities: async ({ arrays }: FileExample): Promise<number[]> => {
      const result = await run(mapValues(arrays, ({ data, shape, dtype }) => constant(data, shape, dtype)))
      const values = toNumbers(result.array.data)
      const classes = facts.labels.length
      const windows = values.length / classes
      return facts.labels.map((_, c) =>
        Array.from({ length: windows }, (__, w) => values[w * classes + c] ?? 0).reduce(
          (sum, value) => sum + value / windows,
          0,
        ),
      )
    },
    release: () => run.release(),
  }
}

/** The use `predict` of such a recipe. */
export function predictFiles<Facts extends ArrayFacts>({
  summary,
  read,
}: FileReader<Facts>): Use<ClassifierOfArrays<Facts>> {
  return defineUse({
    summary,
    inputs: 'FILE...',
    options: z.strictObject({ top: z.number().int().positive().default(3).describe('classes to name, at most') }),
    run: async function* (experiment: ClassifierOfArrays<Facts>, files, { top }) {
      const { facts } = experiment
      const classifier = classifierOf(experiment)
      yield* answerEach(files, async (file) => {
        const answers = []
        for (const example of await read(file, facts)) {
          const probabilities = await classifier.probabilities(example)
          answers.push({
            input: example.input,
            choices: topChoices(probabilities, (i) => facts.labels[i] ?? String(i), top),
          })
        }
        return answers
      })
      await classifier.release()
    },
  })
}

/** The classifier for its inputs by name, [batch, ...] each -> `logits` and `probabilities` [batch, classes]. */
export function exportArrays(
  { model, facts }: ClassifierOfArrays,
  preprocessing: Readonly<Record<string, unknown>>,
): Exportable {
  model.eval()
  const { labels, inputs, classes_per_example: kind } = facts
  return {
    inputs: mapValues(inputs, ({ dtype, shape }) => ({ dtype, shape: [1, ...shape] })),
    forward: (given) => {
      const logits = model.forward(given)
      return { logits, probabilities: classProbabilities(logits, kind) }
    },
    metadata: {
      labels: JSON.stringify(labels),
      preprocessing: JSON.stringify({
        inputs: mapValues(inputs, ({ dtype, shape }) => ({ dtype, shape, elements: elementCount(shape) })),
        classes: kind === 'one' ? 'one for each example' : 'any number: each probability is of one class',
        ...preprocessing,
      }),
    },
  }
}
