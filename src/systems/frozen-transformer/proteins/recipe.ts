/** The recipe of proteins: their family from the sequence alone (the paper's remote homology, with families instead of folds). */
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import { answerEach, defineUse, topChoices } from '../../../tasks/define.ts'
import type { BuildOptions, Experiment } from '../../../tasks/experiment.ts'
import { encodeSegments } from '../../../tasks/language/sentence-pairs.ts'
import { toNumbers } from '../../../tensor/dtype.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import { UsageError } from '../../../util/errors.ts'
import { defineRecipe } from '../../define.ts'
import type { FrozenTransformer } from '../model.ts'
import { buildSequences, logitsOf, type SequenceConfig, sequenceMetrics } from '../sequences.ts'
import { frozenOptimizerSettings, frozenTrainSettings, modelSettings, pretrainedSettings } from '../settings.ts'
import { startFromBody } from '../start.ts'
import { type OpenedProteins, openProteins, type ProteinFacts, proteinDataSettings, proteinFacts } from './data.ts'
import { encodeProtein, proteinIds } from './fasta.ts'

/** A trained model with what it knows of its families. */
interface TrainedOnProteins {
  readonly model: FrozenTransformer
  readonly facts: ProteinFacts
}

const predictProteins = defineUse({
  summary: 'the most probable families of each protein',
  inputs: '"MKTAYIAKQR..."',
  options: z.strictObject({ top: z.number().int().positive().default(3).describe('families to name, at most') }),
  run: async function* ({ model, facts }: TrainedOnProteins, texts, { top }) {
    model.eval()
    const { max_seq_length: length, labels } = facts
    const run = compile((ids: Tensor) => ops.softmax(logitsOf(model, ids), -1))
    yield* answerEach(texts, async (text) => {
      const letters = text.replace(/\s/g, '')
      if (!/^[A-Za-z]+$/.test(letters))
        throw new UsageError(
          `a protein is written in letters of amino acids, found ${JSON.stringify(text.slice(0, 20))}`,
        )
      const { inputIds } = encodeSegments([encodeProtein(letters).slice(0, length - 2)], length, proteinIds)
      const probabilities = toNumbers((await run(constant(Int32Array.from(inputIds), [1, length], 'int32'))).array.data)
      return [{ input: text, choices: topChoices(probabilities, (i) => labels[i] ?? String(i), top) }]
    })
    await run.release()
  },
})

/** The experiment of proteins. */
function buildProteins(config: SequenceConfig, facts: ProteinFacts, options: BuildOptions) {
  const metadata = { first_id: 5, alphabet: 'ABCDEFGHIKLMNOPQRSTUVWXYZ', ...proteinIds }
  return {
    ...buildSequences('remote-homology', config, facts, options, metadata),
    facts,
  } satisfies Experiment<OpenedProteins> & TrainedOnProteins
}

/** Proteins and their families. */
export const proteinRecipe = defineRecipe({
  name: 'proteins',
  summary:
    'the family of a protein from its sequence, in organisms never seen (npx tenfold data proteins, or any FASTA), with a frozen body',
  facts: proteinFacts,
  metrics: sequenceMetrics,
  config: z.strictObject({
    data: proteinDataSettings.prefault({}),
    pretrained: pretrainedSettings.prefault({}),
    model: modelSettings.prefault({}),
    optimizer: frozenOptimizerSettings(3e-3).prefault({}),
    train: frozenTrainSettings(20, ['accuracy', 'loss']).prefault({}),
  }),
  start: startFromBody((_config, { max_seq_length }: ProteinFacts) => max_seq_length),
  open: ({ data }, { known }) => openProteins(data, known),
  build: buildProteins,
  uses: { predict: predictProteins },
})
