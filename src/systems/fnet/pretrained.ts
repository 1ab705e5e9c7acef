/** What FNet's recipes start from instead of random weights: a run of `fnet/pretrain`, or a checkpoint with its vocabulary. */
import { readTokenizer, TextTokenizer } from '../../data/index.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { chosenCheckpoint } from '../../train/checkpoint.ts'
import { RunDirectory } from '../../train/run.ts'
import type { Settings } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import type { Pretrained } from '../define.ts'
import { checkpointWeights, readCheckpointFile } from './checkpoint.ts'
import { pretrainingFacts } from './pretraining-facts.ts'
import type { CheckpointedSettings, TokenizerSettings } from './settings.ts'

/** What the weights to start from decide about the data: the vocabulary, and the length that texts are padded to. */
export interface GivenVocabulary {
  readonly tokenizer: TextTokenizer
  readonly vocab_size: number
  readonly max_seq_length: number
}

/** The settings that name weights to start from, and those that follow from them. */
export interface StartSettings extends Settings {
  readonly model: CheckpointedSettings
  readonly data: { readonly max_seq_length: number }
  readonly tokenizer: TokenizerSettings
  readonly pretrained?: { readonly run: string }
}

/** A run of `fnet/pretrain`: its facts and the settings of its model. */
async function openPretrainedRun(path: string) {
  const run = await RunDirectory.open(path)
  const { system, recipe, config, facts } = run.description
  const parsed = pretrainingFacts.safeParse(facts)
  if (system !== 'fnet' || !parsed.success) {
    throw new UsageError(`${path} must be a run of fnet/pretrain, found ${system}/${recipe}`)
  }
  return { run, model: config.model as CheckpointedSettings, facts: parsed.data }
}

/** The same with the weights of its newest checkpoint by their names. */
export async function readPretrainedRun(path: string) {
  const { run, ...opened } = await openPretrainedRun(path)
  const checkpoint = await chosenCheckpoint(path, run.checkpoints, 'last', (_path, reason) =>
    process.emitWarning(reason, 'TenfoldWarning'),
  )
  const weights = new Map<string, NDArray>()
  for (const [name, array] of checkpoint.tensors) {
    if (name.startsWith('model.')) weights.set(name.slice('model.'.length), array)
  }
  return { ...opened, weights, step: checkpoint.state.step }
}

async function vocabularyOfCheckpoint(path: string, file: string): Promise<GivenVocabulary> {
  const { vocab_size, max_seq_length } = await readCheckpointFile(path)
  if (!file) {
    throw new UsageError(`${path} needs the vocabulary that it was trained with`, {
      hint: '--set tokenizer.file=FILE, a tokenizer.json or SentencePiece .model',
    })
  }
  const tokenizer = await readTokenizer(file)
  if (tokenizer.size > vocab_size) {
    throw new UsageError(`${file} has ${tokenizer.size} tokens, but ${path} only ${vocab_size}: not its vocabulary`)
  }
  return { tokenizer, vocab_size, max_seq_length }
}

/** The vocabulary and length that follow from the weights to start from; undefined if these are random. */
export async function givenVocabulary({
  model: { checkpoint },
  tokenizer: { file },
  pretrained: { run } = { run: '' },
}: StartSettings): Promise<GivenVocabulary | undefined> {
  if (run && checkpoint) throw new UsageError('pretrained.run and model.checkpoint: give one of them')
  if (checkpoint) return vocabularyOfCheckpoint(checkpoint, file)
  if (!run) return undefined
  const { facts } = await openPretrainedRun(run)
  const { vocab_size, max_seq_length } = facts
  return { tokenizer: new TextTokenizer(facts.tokenizer), vocab_size, max_seq_length }
}

/** The weights that the settings name, and the settings with the sizes that these have; undefined if none are named. */
export async function pretrainedWeights<Config extends StartSettings>(
  config: Config,
): Promise<Pretrained<Config> | undefined> {
  const { model, pretrained } = config
  if (model.checkpoint) {
    const file = await readCheckpointFile(model.checkpoint)
    const loaded = checkpointWeights(file, model)
    const data = { ...config.data, max_seq_length: file.max_seq_length }
    return { config: { ...config, model: loaded.model, data }, weights: loaded.weights, summary: loaded.summary }
  }
  if (!pretrained?.run) return undefined
  const { model: trained, facts, weights, step } = await readPretrainedRun(pretrained.run)
  // Sizes and mixing are the run's; dropout is ours to choose. The weights are in the run, whatever it started from.
  const { dropout_rate, mixing_dropout_rate } = model
  const data = { ...config.data, max_seq_length: facts.max_seq_length }
  return {
    config: { ...config, model: { ...trained, dropout_rate, mixing_dropout_rate, checkpoint: '' }, data },
    weights,
    summary: `starts from ${pretrained.run}, step ${step}, ${trained.model_arch}`,
  }
}
