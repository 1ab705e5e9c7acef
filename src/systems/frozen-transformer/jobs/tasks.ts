/** The tasks of the studies: small, each with a training set, a validation split for every choice, and a test set. */
import { z } from 'zod'
import type { BatchTensors, Dataset } from '../../../data/dataset.ts'
import { subset } from '../../../data/index.ts'
import { type BriefScore, randomPart } from '../../../tasks/brief-training.ts'
import type { ThreadOptions } from '../../../tasks/experiment.ts'
import { classifierEvaluator, classifierScalars } from '../../../tasks/pictures/classifier.ts'
import { openPictureSet } from '../../../tasks/pictures/open.ts'
import { openListOps } from '../../../tasks/sequences/open-listops.ts'
import type { StepScalars } from '../../../tasks/training.ts'
import { pathSetting, whole } from '../../../train/settings.ts'
import { type BitTask, openBits } from '../bits/data.ts'
import { bitEvaluator } from '../bits/experiment.ts'
import type { FrozenTransformerConfig } from '../config.ts'
import { FrozenTransformer } from '../model.ts'
import { PictureTransformer, tokensOf } from '../pictures/model.ts'
import { openProteins, proteinDataSettings } from '../proteins/data.ts'
import { sequenceEvaluator } from '../sequences.ts'
import type { TaskSizes } from '../settings.ts'
import { scoreOf } from '../tasks.ts'

export const studyTaskNames = ['bit-xor', 'bit-memory', 'listops', 'mnist', 'cifar10', 'proteins'] as const
export type StudyTaskName = (typeof studyTaskNames)[number]

/** Sizes of the tasks. */
export const studyTaskSettings = z.strictObject({
  xor_bits: whole.default(5).describe('bits of a string in bit XOR, two strings'),
  memory_bits: z.number().int().multipleOf(10).positive().default(40).describe('bits of a string in bit memory'),
  memory_patterns: whole.default(3).describe('strings to remember in bit memory'),
  listops_tokens: z.number().int().min(16).default(32).describe('tokens of a list operation, at most'),
  listops_depth: whole.default(3).describe('its levels, at most'),
  pictures: whole.max(40_000).default(6000).describe('training pictures of MNIST and CIFAR-10'),
  expressions: whole.default(12_000).describe('training expressions of list operations'),
  proteins: pathSetting(
    'proteins (npx tenfold data proteins), generated, or a FASTA file with families as GN=',
    ['proteins', 'generated'],
    'proteins',
  ),
  validation: whole.max(5000).default(500).describe('examples that everything is chosen on, never trained on'),
  test: whole.max(10_000).default(1000).describe('examples that results are of'),
})
export type StudyTaskSettings = z.infer<typeof studyTaskSettings>

/** What makes up a task; `Name`: the fields of its examples. */
export interface TaskParts<Name extends string> {
  readonly name: StudyTaskName
  readonly title: string
  readonly sizes: TaskSizes
  /** What no model at all reaches. */
  readonly chance: number
  /** The accuracy that steps are counted up to. */
  readonly threshold: number
  /** All that its data follow from. */
  readonly identity: unknown
  readonly train: Dataset<Name>
  readonly validation: Dataset<Name>
  readonly test: Dataset<Name>
  readonly make: (config: FrozenTransformerConfig) => FrozenTransformer
  readonly scalars: (model: FrozenTransformer, batch: BatchTensors<Name>) => StepScalars
  readonly evaluator: (
    model: FrozenTransformer,
    options: ThreadOptions,
  ) => (data: Dataset<Name>) => Promise<{ readonly metrics: BriefScore }>
}

/** A task whose fields are known to itself alone. */
export interface StudyTask
  extends Pick<TaskParts<string>, 'name' | 'title' | 'sizes' | 'chance' | 'threshold' | 'identity' | 'make'> {
  /** Calls back with the parts, whatever their fields. */
  readonly use: <Result>(call: <Name extends string>(parts: TaskParts<Name>) => Result) => Result
}

function studyTask<Name extends string>(parts: TaskParts<Name>): StudyTask {
  return { ...parts, use: (call) => call(parts) }
}

function bitTask(name: BitTask, settings: StudyTaskSettings, seed: number): StudyTask {
  const { xor_bits, memory_bits, memory_patterns, validation, test } = settings
  const isXor = name === 'bit-xor'
  const data = {
    n: isXor ? xor_bits : memory_bits,
    num_patterns: isXor ? 2 : memory_patterns,
    patch_size: isXor ? 1 : 10,
    train_examples: 16_000,
  }
  const drawn = (test_examples: number, data_seed: number) => openBits(name, { ...data, test_examples, data_seed })
  const tested = drawn(test, 2 * seed)
  const { n, patch_size, tokens, guess } = tested.facts
  return studyTask({
    name,
    title: isXor ? 'bit XOR' : 'bit memory',
    sizes: { input_dim: patch_size, output_dim: 2 * patch_size, tokens },
    chance: guess,
    threshold: isXor ? 0.95 : 0.9,
    identity: { name, data, validation, test, seed },
    train: tested.train,
    validation: drawn(validation, 2 * seed + 1).test,
    test: tested.test,
    make: (config) => new FrozenTransformer(config),
    scalars: (model, { x, y }) => ({ ...scoreOf(name, model.forward(x), y) }),
    evaluator: bitEvaluator(guess, n),
  })
}

async function listOpsTask(settings: StudyTaskSettings, seed: number): Promise<StudyTask> {
  const { listops_tokens, listops_depth, expressions, validation, test } = settings
  const data = {
    max_seq_length: listops_tokens,
    min_length: 4,
    max_depth: listops_depth,
    max_args: 10,
    train_examples: expressions + validation,
    test_examples: test,
    data_seed: seed,
  }
  const { train: all, test: held, facts } = await openListOps(data)
  const part = (from: number, to: number) =>
    subset(
      all,
      Uint32Array.from({ length: to - from }, (_, i) => from + i),
    )
  return studyTask({
    name: 'listops',
    title: 'ListOps, short',
    sizes: { input_dim: facts.vocab_size, output_dim: facts.labels.length, tokens: facts.max_seq_length, embeds: true },
    chance: facts.majority,
    threshold: 0.4,
    identity: { data, validation },
    train: part(0, expressions),
    validation: part(expressions, expressions + validation),
    test: held,
    make: (config) => new FrozenTransformer(config),
    scalars: (model, { input_ids, label }) => ({ ...scoreOf('listops', model.forward(input_ids), label) }),
    evaluator: sequenceEvaluator(facts.majority),
  })
}

async function pictureTask(name: 'mnist' | 'cifar10', settings: StudyTaskSettings, seed: number): Promise<StudyTask> {
  const { pictures, validation, test } = settings
  const { train, test: held, facts } = await openPictureSet(name)
  const patches = { patch_size: name === 'mnist' ? 7 : 4, grey: false }
  return studyTask({
    name,
    title: name === 'mnist' ? 'MNIST' : 'CIFAR-10',
    sizes: { ...tokensOf(patches, facts), output_dim: facts.labels.length },
    chance: 1 / facts.labels.length,
    threshold: name === 'mnist' ? 0.8 : 0.35,
    identity: { name, pictures, validation, test, seed },
    train: randomPart(train, pictures, seed),
    validation: randomPart(train, validation, seed, pictures),
    test: randomPart(held, test, seed),
    make: (config) => new PictureTransformer(config, patches),
    scalars: (model, batch) => classifierScalars(model, batch, { label_smoothing: 0, mixup: 0 }),
    evaluator: classifierEvaluator,
  })
}

async function proteinTask(settings: StudyTaskSettings, seed: number): Promise<StudyTask> {
  const data = proteinDataSettings.parse({ fasta: settings.proteins, max_seq_length: 128, split_seed: seed })
  const { train: all, test, facts } = await openProteins(data, undefined)
  // There are few: at most a fifth of them to choose on.
  const validation = Math.min(settings.validation, Math.floor(all.length / 5))
  return studyTask({
    name: 'proteins',
    title: 'protein families',
    sizes: { input_dim: facts.vocab_size, output_dim: facts.labels.length, tokens: facts.max_seq_length, embeds: true },
    chance: facts.majority,
    threshold: 0.3,
    identity: { data, validation },
    train: randomPart(all, all.length - validation, seed, validation),
    validation: randomPart(all, validation, seed),
    test: randomPart(test, settings.test, seed),
    make: (config) => new FrozenTransformer(config),
    scalars: (model, { input_ids, label }) => ({ ...scoreOf('remote-homology', model.forward(input_ids), label) }),
    evaluator: sequenceEvaluator(facts.majority),
  })
}

/** Opens a task; its data follow from the seed. */
export async function openStudyTask(
  name: StudyTaskName,
  settings: StudyTaskSettings,
  seed: number,
): Promise<StudyTask> {
  switch (name) {
    case 'bit-xor':
    case 'bit-memory':
      return bitTask(name, settings, seed)
    case 'listops':
      return listOpsTask(settings, seed)
    case 'mnist':
    case 'cifar10':
      return pictureTask(name, settings, seed)
    case 'proteins':
      return proteinTask(settings, seed)
  }
}
