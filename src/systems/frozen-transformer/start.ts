/** What a recipe's body starts from instead of random weights: a file, or another run. */
import { readTensorFile } from '../../io/tensor-file.ts'
import { describeLeftOut } from '../../io/tensor-format.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { RunDirectory } from '../../train/run.ts'
import type { Settings } from '../../train/settings.ts'
import { FormatError, reworded, UsageError } from '../../util/errors.ts'
import { warn } from '../../util/warnings.ts'
import type { Start } from '../define.ts'
import { controlled } from './controls.ts'
import { bodyOf, type GivenBody } from './official.ts'
import { type ModelSettings, modelSettings, type PretrainedSettings, settingsOfBody } from './settings.ts'

/** The settings that name a body to start from, and those that follow from it. */
export interface StartSettings extends Settings {
  readonly model: ModelSettings
  readonly pretrained: PretrainedSettings
}

/** A body and where it was read. */
export interface NamedBody extends GivenBody {
  readonly origin: string
}

/** What `read` gives; its FormatErrors begin with the path. */
function ofPath<T>(path: string, leftOut: string | undefined, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw reworded(error, `${path}: ${error.message}`, leftOut ? `not read of the file: ${leftOut}` : error.hint)
  }
}

/** The body in a file. `heads`: of its attention, 0: as many as are 64 wide. Throws a FormatError that names the path. */
export async function readBodyFile(path: string, heads: number): Promise<NamedBody> {
  const file = await readTensorFile(path)
  const body = ofPath(path, describeLeftOut(file), () => bodyOf(file.tensors, heads || undefined))
  return { ...body, origin: path }
}

/** The newest checkpoint of a run of any recipe of this system. */
export async function readRunBody(path: string): Promise<NamedBody & { readonly recipe: string }> {
  const run = await RunDirectory.open(path)
  const { system, recipe, config } = run.description
  const model = modelSettings.strip().safeParse(config.model) // recipes have more
  if (system !== 'frozen-transformer' || !model.success) {
    throw new UsageError(`${path} must be a run of frozen-transformer, found ${system}/${recipe}`)
  }
  const { tensors, state } = await run.chosenCheckpoint('last', (_path, reason) => warn(reason))
  const weights = new Map<string, NDArray>()
  for (const [name, array] of tensors) if (name.startsWith('model.')) weights.set(name, array)
  const body = ofPath(path, undefined, () => bodyOf(weights, model.data.n_head || undefined))
  return { ...body, recipe, origin: `${path}, step ${state.step}` }
}

/**
 * Reads the body that the settings name; undefined if none is named. `tokensOf`: how many tokens the task has, which the body must have
 * positions for.
 */
export function startFromBody<Config extends StartSettings, Facts>(tokensOf: (config: Config, facts: Facts) => number) {
  return async ({ pretrained }: Config): Promise<Start<Config, Facts> | undefined> => {
    const body = await readBody(pretrained)
    if (!body) return undefined
    return {
      fit: (config, facts) => {
        const model = settingsOfBody(config.model, body.config)
        const tokens = tokensOf(config, facts)
        if ((body.config.kind === 'gpt2' || body.config.kind === 'bert') && model.n_positions < tokens) {
          throw new UsageError(
            `${body.origin}: has positions for ${model.n_positions} tokens, but the task has ${tokens}`,
            { hint: 'take fewer or longer tokens, or a body with more positions' },
          )
        }
        return {
          config: { ...config, model: { ...config.model, ...model } },
          weights: new Map([...body.weights].map(([name, array]) => [`sequence_model.${name}`, array])),
          summary: `body of ${body.origin}: ${model.model_name}, ${model.n_layer} layers of width ${model.embedding_size}${told[pretrained.weights]}`,
        }
      },
    }
  }
}

/** Throws a UsageError for heads of no file: they would be ignored silently. */
export function requireFileOfHeads(checkpoint: string, heads: number): void {
  if (checkpoint || heads === 0) return
  throw new UsageError(`pretrained.heads=${heads} needs a file`, {
    hint: '--set pretrained.checkpoint=FILE names it; heads of a new body are model.n_head',
  })
}

/** The body that is named, after its control. */
async function readBody({ checkpoint, run, heads, weights: control, seed }: PretrainedSettings) {
  if (checkpoint && run) throw new UsageError('pretrained.checkpoint and pretrained.run: give one of them')
  requireFileOfHeads(checkpoint, heads)
  if (!checkpoint && !run) {
    if (control === 'kept') return undefined
    throw new UsageError(`pretrained.weights=${control} needs weights`, {
      hint: '--set pretrained.checkpoint=FILE or pretrained.run=DIR names them',
    })
  }
  const body = run ? await readRunBody(run) : await readBodyFile(checkpoint, heads)
  return { ...body, weights: controlled(body.weights, control, seed) }
}

const told = { kept: '', statistics: ', as random numbers of its statistics', shuffled: ', entries shuffled' } as const
