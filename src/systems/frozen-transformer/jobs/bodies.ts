/** The bodies that studies compare: trained on text, on bit memory, on pictures. Those that nobody gave are trained, and kept. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Dataset } from '../../../data/dataset.ts'
import { writeSafetensors } from '../../../io/safetensors.ts'
import { type Experiment, threadOptions } from '../../../tasks/experiment.ts'
import { count, pathSetting, whole } from '../../../train/settings.ts'
import { reworded, TenfoldError, UsageError } from '../../../util/errors.ts'
import { percent } from '../../../util/words.ts'
import type { JobContext } from '../../define.ts'
import { openBits } from '../bits/data.ts'
import { buildBits } from '../bits/experiment.ts'
import { languageDataSettings, openLanguage, tokenSettings } from '../language/data.ts'
import { buildLanguage } from '../language/experiment.ts'
import { languageModelSettings, languageOptimizerSettings, languageTrainSettings } from '../language/settings.ts'
import type { GivenBody } from '../official.ts'
import { frozenOptimizerSettings, frozenTrainSettings, type ModelSettings } from '../settings.ts'
import { readBodyFile, readRunBody } from '../start.ts'

/** Where pretrained bodies come from. */
export const bodySettings = z.strictObject({
  language: pathSetting(
    'the body that has read text: a run of frozen-transformer/pretrain, or a GPT-2 in a file; empty: the job trains one',
  ),
  heads: count.default(0).describe('heads of a body in a file; 0: as many as are 64 wide'),
  text: languageDataSettings.prefault({}).describe('what such a body reads'),
  language_epochs: whole.default(2).describe('passes over the text'),
  memory_steps: whole.default(1500).describe('steps of 32 in which all of a body learns bit memory, to be frozen then'),
  vit: pathSetting(
    'a body that has seen pictures: a run of frozen-transformer/images with model.model_name=vit and model.freeze_trans=false, or a ViT of timm in a file; empty: none',
  ),
})
export type BodySettings = z.infer<typeof bodySettings>

/** What a body was before it is frozen. */
export type BodyName = 'language' | 'memory' | 'vit'

/** A body, and how well it does what it was trained for. */
export interface StudyBody extends GivenBody {
  readonly origin: string
}

const trainedBody = z.strictObject({ file: z.string(), origin: z.string() })

/** Tokens that a body has positions for: enough for every task of the studies. */
const positions = 128

/** The bodies of a study, each opened or trained when it is first asked for. */
export class StudyBodies {
  readonly #settings: BodySettings
  readonly #model: ModelSettings
  readonly #context: JobContext
  readonly #opened = new Map<BodyName, Promise<StudyBody>>()

  /** `model`: the sizes of bodies that are trained here. */
  constructor(settings: BodySettings, model: ModelSettings, context: JobContext) {
    this.#settings = settings
    this.#model = model
    this.#context = context
  }

  /** Whether there is such a body. */
  has(name: BodyName): boolean {
    return name !== 'vit' || this.#settings.vit !== ''
  }

  /** Opens the bodies that settings name: a wrong name is told before anything is trained. */
  async openGiven(): Promise<void> {
    const { language, vit } = this.#settings
    if (language) await this.open('language')
    if (vit) await this.open('vit')
  }

  /** The body. Throws a UsageError where there is none. */
  open(name: BodyName): Promise<StudyBody> {
    const opened = this.#opened.get(name) ?? this.#make(name)
    this.#opened.set(name, opened)
    return opened
  }

  #make(name: BodyName): Promise<StudyBody> {
    const { language, vit, heads } = this.#settings
    if (name === 'vit') return readBody('vit', vit, heads)
    if (name === 'memory') return this.#trained(name, () => this.#trainMemory())
    return language ? readBody('language', language, heads) : this.#trained(name, () => this.#trainLanguage())
  }

  /** A body that is trained once: its weights are a file of the job's folder. */
  async #trained(name: BodyName, train: () => Promise<{ readonly experiment: Experiment; readonly origin: string }>) {
    const { embedding_size, n_layer, n_head } = this.#model
    const { text, language_epochs, memory_steps } = this.#settings
    const { seed } = this.#context
    const sizes = { embedding_size, n_layer, n_head, seed }
    const file = `bodies/${name}.safetensors`
    const identity = { sizes, ...(name === 'language' ? { text, language_epochs } : { memory_steps }) }
    const { part } = await this.#context.keep(`bodies/${name}`, identity, trainedBody, async () => {
      const { experiment, origin } = await train()
      const arrays = new Map([...experiment.weights].map(([key, { array }]) => [key, array]))
      await this.#context.write(file, writeSafetensors(arrays))
      return { file, origin }
    })
    const body = await readBodyFile(join(this.#context.folder, part.file), n_head)
    return { ...body, origin: part.origin }
  }

  async #trainLanguage() {
    const { embedding_size, n_layer, n_head } = this.#model
    const { seed } = this.#context
    const config = {
      data: this.#settings.text,
      tokens: tokenSettings.parse({}),
      model: languageModelSettings.parse({ embedding_size, n_layer, n_head, n_positions: positions }),
      optimizer: languageOptimizerSettings.parse({}),
      train: languageTrainSettings.parse({ epochs: this.#settings.language_epochs }),
    }
    const data = await openLanguage(config, positions).catch(ofBodyText)
    const experiment = buildLanguage(config, data.facts, { seed, ...threadOptions(this.#context) })
    await this.#train('language', experiment, data, config.train.epochs, Number.POSITIVE_INFINITY)
    const { bits_per_character: bits } = await experiment.evaluate(data)
    const origin = `${config.data.folder}, ${config.train.epochs} epochs: ${bits?.toFixed(2)} bits per character (bigram ${data.facts.baselines.bigram.toFixed(2)})`
    return { experiment, origin }
  }

  async #trainMemory() {
    const { seed } = this.#context
    const steps = this.#settings.memory_steps
    const sizes = { n: 40, num_patterns: 3, patch_size: 10, test_examples: 500, data_seed: seed }
    const data = openBits('bit-memory', { ...sizes, train_examples: 32 * steps })
    const config = {
      model: { ...this.#model, freeze_trans: false, n_positions: positions },
      optimizer: frozenOptimizerSettings(1e-3).parse({}),
      train: frozenTrainSettings(1, ['accuracy']).parse({}),
    }
    const experiment = buildBits(config, data.facts, { seed, ...threadOptions(this.#context) })
    await this.#train('bit memory', experiment, data, 1, steps)
    const { accuracy = 0 } = await experiment.evaluate(data)
    return { experiment, origin: `bit memory, ${steps} steps: ${percent(accuracy)} of the bits` }
  }

  /** All of the training, or so many steps of it. */
  async #train<Name extends string>(
    title: string,
    experiment: Pick<Experiment, 'prepare'>,
    data: { readonly train: Dataset<Name>; readonly test: Dataset<Name> },
    epochs: number,
    steps: number,
  ): Promise<void> {
    const { task } = experiment.prepare(data)
    let step = 0
    for (let epoch = 0; epoch < epochs; epoch++) {
      for await (const batch of task.loader) {
        this.#context.signal?.throwIfAborted()
        const { loss } = await task.step(batch)
        const value = loss?.item() ?? Number.NaN
        if (!Number.isFinite(value)) throw new TenfoldError(`pretraining on ${title}: the loss did not stay finite`)
        if (++step % 100 === 0)
          this.#context.progress(`pretraining on ${title}: step ${step}, loss ${value.toFixed(3)}`, {
            step,
            loss: value,
          })
        if (step >= steps) break
      }
    }
    await task.step.release()
  }
}

/** Throws the error of a body's text; the settings that its hint names are other ones in a job. */
function ofBodyText(error: unknown): never {
  if (!(error instanceof UsageError)) throw error
  throw reworded(
    error,
    `bodies.text: ${error.message}`,
    'more text, or a greater test_share: --set bodies.text.folder=PATH',
  )
}

/** What a run must have been to be such a body. */
const wanted = {
  language: { recipe: 'pretrain', kind: 'gpt2', told: 'a run of frozen-transformer/pretrain, or a file' },
  vit: {
    recipe: 'images',
    kind: 'vit',
    told: 'a run of frozen-transformer/images with model.model_name=vit, or a file',
  },
} as const

/** A run, or a file. */
async function readBody(name: keyof typeof wanted, path: string, heads: number): Promise<StudyBody> {
  const found = await stat(path).catch(() => undefined)
  if (!found) throw new UsageError(`${path}: there is no such run or file`)
  const body = found.isDirectory() ? await readRunBody(path) : await readBodyFile(path, heads)
  const { recipe, kind, told } = wanted[name]
  const other = 'recipe' in body && body.recipe !== recipe
  if (other || body.config.kind !== kind) {
    const what =
      'recipe' in body
        ? `a run of frozen-transformer/${body.recipe} with a ${body.config.kind}`
        : `a ${body.config.kind} in a file`
    throw new UsageError(`bodies.${name} must be ${told}, found ${what}: ${path}`)
  }
  return body
}
