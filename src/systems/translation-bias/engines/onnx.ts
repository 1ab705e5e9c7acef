/** Sequence-to-sequence models as ONNX in a folder, of the OPUS-MT kind (Marian), as Hugging Face's Optimum writes them. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { type GenerateOptions, generate } from '../../../models/index.ts'
import { OnnxModel } from '../../../runtime/onnx-model.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import { UsageError } from '../../../util/errors.ts'
import { largest } from '../../../util/lists.ts'
import { int64Rows } from '../token-rows.ts'
import type { Engine } from './engine.ts'
import { OnnxReader } from './onnx-reader.ts'
import { readJson, type TranslationVocabulary, translationVocabulary } from './onnx-vocabulary.ts'

/** How translations are chosen. */
export interface OnnxOptions {
  readonly folder: string
  /** Translations that are followed at once; 0: as many as the model's generation_config.json says. */
  readonly beam: number
  /** Draw words by their probability instead. */
  readonly sample: boolean
  readonly temperature: number
  readonly seed: number
  readonly batch: number
  readonly threads?: number
}

/** What is needed of `config.json`, in transformers' names. */
const configSchema = z.looseObject({
  d_model: z.number().int().positive(),
  decoder_attention_heads: z.number().int().positive(),
  decoder_start_token_id: z.number().int().nonnegative(),
  eos_token_id: z.number().int().nonnegative(),
  pad_token_id: z.number().int().nonnegative(),
  max_length: z.number().int().positive().default(512),
  max_position_embeddings: z.number().int().positive().default(512),
  num_beams: z.number().int().positive().default(1),
  length_penalty: z.number().default(1),
})
type ModelConfig = z.infer<typeof configSchema>

/** `generation_config.json` says more than `config.json`, where it is there. */
async function configOf(folder: string): Promise<ModelConfig> {
  const path = join(folder, 'config.json')
  const own = await readJson(path, z.looseObject({}))
  const generation = join(folder, 'generation_config.json')
  const more = existsSync(generation) ? await readJson(generation, z.looseObject({})) : {}
  const found = configSchema.safeParse({ ...own, ...more })
  if (found.success) return found.data
  const [issue] = found.error.issues
  throw new UsageError(`${path} must be of a sequence-to-sequence model: ${issue?.path.join('.')}: ${issue?.message}`)
}

/** Whole precision is looked for first. */
const precisions = ['', '_fp16', '_quantized', '_int8', '_uint8', '_q8']

interface ModelFiles {
  readonly encoder: string
  readonly first: string
  readonly next?: string
}

async function filesOf(folder: string): Promise<ModelFiles> {
  const own = existsSync(join(folder, 'onnx')) ? join(folder, 'onnx') : folder
  const files = new Set(
    await readdir(own).catch(() => {
      throw new UsageError(`${folder}: no such folder`)
    }),
  )
  const find = (name: string): string | undefined => {
    const found = precisions.map((precision) => `${name}${precision}.onnx`).find((file) => files.has(file))
    return found && join(own, found)
  }
  const encoder = find('encoder_model')
  const merged = find('decoder_model_merged')
  const first = merged ?? find('decoder_model')
  if (encoder === undefined || first === undefined)
    throw new UsageError(
      `${folder} must have encoder_model.onnx and decoder_model_merged.onnx or decoder_model.onnx, found ${encoder ? 'no decoder' : 'no encoder'}`,
    )
  const next = merged ? undefined : find('decoder_with_past_model')
  return { encoder, first, ...(next !== undefined && { next }) }
}

/** A loaded model: several translations of each text, the best or the first drawn one first. */
class OnnxTranslator {
  readonly config: ModelConfig
  readonly #vocabulary: TranslationVocabulary
  readonly #encoder: OnnxModel
  readonly #reader: OnnxReader

  private constructor(config: ModelConfig, vocabulary: TranslationVocabulary, encoder: OnnxModel, reader: OnnxReader) {
    this.config = config
    this.#vocabulary = vocabulary
    this.#encoder = encoder
    this.#reader = reader
  }

  /** Reads a folder. Throws a UsageError or a FormatError that names what is missing or wrong. */
  static async open(folder: string, threads?: number): Promise<OnnxTranslator> {
    const [config, files] = [await configOf(folder), await filesOf(folder)]
    const load = async (path: string): Promise<OnnxModel> =>
      OnnxModel.load(await readFile(path), path, threadOptions({ threads }))
    const decoders = { first: await load(files.first), ...(files.next && { next: await load(files.next) }) }
    const { decoder_attention_heads: heads, d_model, max_length, max_position_embeddings } = config
    const reader = new OnnxReader(
      decoders,
      { heads, width: d_model / heads },
      Math.min(max_length, max_position_embeddings),
    )
    return new OnnxTranslator(config, await translationVocabulary(folder), await load(files.encoder), reader)
  }

  /** Translations of each text, as many as `numReturnSequences` says. */
  async translate(texts: readonly string[], options: GenerateOptions = {}): Promise<string[][]> {
    const { pad_token_id, eos_token_id, decoder_start_token_id, max_position_embeddings } = this.config
    const rows = texts.map((text) => [...this.#vocabulary.encode(text), eos_token_id])
    const long = rows.find(({ length }) => length > max_position_embeddings)
    if (long) throw new UsageError(`a text may have ${max_position_embeddings} tokens at most, found ${long.length}`)
    const length = largest(rows.map((row) => row.length))
    const input_ids = int64Rows(rows, length, pad_token_id)
    const attention_mask = int64Rows(
      rows.map((row) => row.map(() => 1)),
      length,
      0,
    )
    const { last_hidden_state } = this.#encoder.run({ input_ids, attention_mask })
    if (!last_hidden_state) throw new UsageError(`${this.#encoder.name} must give last_hidden_state`)
    const found = await generate(
      this.#reader,
      rows.map(() => [decoder_start_token_id]),
      {
        maxNewTokens: this.#reader.maxTokens - 1,
        eosTokenId: eos_token_id,
        // As Marian's models say themselves (bad_words_ids).
        suppressTokens: [pad_token_id],
        ...options,
        inputs: { encoder_hidden_states: last_hidden_state, encoder_attention_mask: attention_mask },
      },
    )
    const each = found.length / texts.length
    const hidden = new Set([eos_token_id, pad_token_id, decoder_start_token_id])
    return texts.map((_, i) =>
      found
        .slice(i * each, (i + 1) * each)
        .map(({ tokens }) => this.#vocabulary.decode(tokens.filter((id) => !hidden.has(id)))),
    )
  }
}

async function hashOf(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const path of paths) hash.update(await readFile(path))
  return hash.digest('hex').slice(0, 16)
}

/** Opens a folder as an engine. A model has one direction, which only its name tells: it is not checked. */
export async function onnxEngine(options: OnnxOptions): Promise<Engine> {
  const { folder, beam, sample, temperature, seed, batch, threads } = options
  if (folder === '')
    throw new UsageError('the engine "onnx" needs a folder, found none', { hint: '--set models=FOLDER' })
  const files = await filesOf(folder)
  const translator = await OnnxTranslator.open(folder, threads)
  const numBeams = beam === 0 ? translator.config.num_beams : beam
  const how = sample ? `drawn at temperature ${temperature}, seed ${seed}` : `beam ${numBeams}`
  const chosen: GenerateOptions = sample
    ? { doSample: true, temperature, seed }
    : { numBeams, lengthPenalty: translator.config.length_penalty }
  const ask = (texts: readonly string[], more: GenerateOptions): Promise<string[][]> =>
    translator.translate(texts, { ...chosen, ...more })
  return {
    identity: `onnx: ${basename(folder)} (SHA-256 ${await hashOf(Object.values(files))}), ${how}`,
    batch: Math.min(batch, 32),
    translate: async (texts) => (await ask(texts, {})).map(([best = '']) => best),
    alternatives: (texts, _direction, n) =>
      ask(texts, { numReturnSequences: n, ...(!sample && { numBeams: Math.max(numBeams, n) }) }),
  }
}
