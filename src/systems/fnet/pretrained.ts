/** What FNet's recipes start from instead of random weights: a run of `fnet/pretrain`, or a checkpoint with its vocabulary. */
import { readTokenizer, TextTokenizer } from '../../data/index.ts'
import { pretrainingFacts } from '../../tasks/language/facts.ts'
import type { TokenizerSettings } from '../../tasks/language/tokenizer.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { RunDirectory } from '../../train/run.ts'
import type { Settings } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { warn } from '../../util/warnings.ts'
import type { Start } from '../define.ts'
import { checkpointWeights, readCheckpointFile } from './checkpoint.ts'
import type { CheckpointedSettings } from './settings.ts'

/** The settings that name weights to start from, and those that follow from them. */
export interface StartSettings extends Settings {
  readonly model: CheckpointedSettings
  readonly data: { readonly max_seq_length: number }
  readonly tokenizer: TokenizerSettings
  readonly pretrained?: { readonly run: string }
}

/** A run of `fnet/pretrain`: its facts, the settings of its model, and the weights of its newest checkpoint by their names. */
async function readPretrainedRun(path: string) {
  const run = await RunDirectory.open(path)
  const { system, recipe, config, facts } = run.description
  const parsed = pretrainingFacts.safeParse(facts)
  if (system !== 'fnet' || !parsed.success) {
    throw new UsageError(`${path} must be a run of fnet/pretrain, found ${system}/${recipe}`)
  }
  const checkpoint = await run.chosenCheckpoint('last', (_path, reason) => warn(reason))
  const weights = new Map<string, NDArray>()
  for (const [name, array] of checkpoint.tensors) {
    if (name.startsWith('model.')) weights.set(name.slice('model.'.length), array)
  }
  return { model: config.model as CheckpointedSettings, facts: parsed.data, weights, step: checkpoint.state.step }
}

async function startFromCheckpoint<Config extends StartSettings>(
  path: string,
  tokenizerFile: string,
): Promise<Start<Config, unknown>> {
  const file = await readCheckpointFile(path)
  const { vocab_size, max_seq_length } = file
  if (!tokenizerFile) {
    throw new UsageError(`${path} needs the vocabulary that it was trained with`, {
      hint: '--set tokenizer.file=FILE, a tokenizer.json or SentencePiece .model',
    })
  }
  const tokenizer = await readTokenizer(tokenizerFile)
  if (tokenizer.size > vocab_size) {
    throw new UsageError(
      `${tokenizerFile} has ${tokenizer.size} tokens, but ${path} only ${vocab_size}: not its vocabulary`,
    )
  }
  return {
    vocabulary: { tokenizer, vocab_size, max_seq_length },
    fit: (config) => {
      const { model, weights, summary } = checkpointWeights(file, config.model)
      return { config: { ...config, model, data: { ...config.data, max_seq_length } }, weights, summary }
    },
  }
}

async function startFromRun<Config extends StartSettings>(path: string): Promise<Start<Config, unknown>> {
  const { model: trained, facts, weights, step } = await readPretrainedRun(path)
  const { vocab_size, max_seq_length } = facts
  return {
    vocabulary: { tokenizer: new TextTokenizer(facts.tokenizer), vocab_size, max_seq_length },
    fit: (config) => {
      // Sizes and mixing come from the run; dropout from the settings. The weights are in the run, whatever it started from.
      const { dropout_rate, mixing_dropout_rate } = config.model
      const model = { ...trained, dropout_rate, mixing_dropout_rate, checkpoint: '' }
      const summary = `starts from ${path}, step ${step}, ${trained.model_arch}`
      return { config: { ...config, model, data: { ...config.data, max_seq_length } }, weights, summary }
    },
  }
}

/** Reads the weights and the vocabulary that the settings name; undefined if none are named. */
export async function readStart<Config extends StartSettings>({
  model: { checkpoint },
  tokenizer: { file },
  pretrained: { run } = { run: '' },
}: Config): Promise<Start<Config, unknown> | undefined> {
  if (run && checkpoint) throw new UsageError('pretrained.run and model.checkpoint: give one of them')
  if (checkpoint) return startFromCheckpoint(checkpoint, file)
  return run ? startFromRun(run) : undefined
}
