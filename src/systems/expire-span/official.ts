/** What differs from the official code's files, and how it trains (facebookresearch/transformer-sequential, trainer.py and main.py). */
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { FormatError } from '../../util/errors.ts'
import type { SequenceConfig } from './config.ts'

/**
 * The parameters of an official state dict, or of a whole checkpoint (`torch.save` of epoch, model, optimizer ...): without the prefixes
 * `model.` and `module.`, and without the masks that are saved for every layer, which follow from the configuration. Throws a
 * FormatError for a mask that is another one than ours.
 */
export function officialWeights(state: ReadonlyMap<string, NDArray>): Map<string, NDArray> {
  const isCheckpoint = [...state.keys()].some((name) => name.startsWith('model.'))
  const names = [...state].flatMap(([name, array]) =>
    isCheckpoint && !name.startsWith('model.') ? [] : [[name.replace(/^(model\.)?(module\.)?/, ''), array] as const],
  )
  const isMask = (name: string): boolean => /(^|\.)mask_(causal|template)$/.test(name)
  for (const [name, array] of names) if (isMask(name)) checkMask(name, array)
  return new Map(names.filter(([name]) => !isMask(name)))
}

/** The sizes of an Expire-Span model that its weights show; of the maximum span they show only the sum with the ramp. */
export function officialSizes(state: ReadonlyMap<string, NDArray>): Omit<SequenceConfig, 'dropout' | 'attn_lim'> {
  const weights = officialWeights(state)
  const shape = (name: string): readonly number[] => {
    const array = weights.get(name)
    if (!array) throw new FormatError(`is not an Expire-Span model: it has no "${name}"`)
    return array.shape
  }
  const [vocab_sz = 0, hid_sz = 0] = shape('in_emb.weight')
  const [inner_hid_sz = 0] = shape('layers.0.ff.fc1.weight')
  const [, head_dim = 0, mem_sz = 0] = shape('layers.0.attn.attn.key_pe')
  const [width = 0] = shape('layers.0.attn.proj_query.weight')
  const layers = [...weights.keys()].flatMap((name) => /^layers\.(\d+)\./.exec(name)?.[1] ?? [])
  return {
    hid_sz,
    inner_hid_sz,
    nlayers: new Set(layers).size,
    mem_sz,
    nheads: width / head_dim,
    head_dim,
    pre_norm: weights.has('out_norm.weight'),
    vocab_sz,
  }
}

/** mask_causal [M, columns]: query m sees all but the last M - m columns; mask_template [S]: 1 - S, ..., -1, 0. */
function checkMask(name: string, { shape, data }: NDArray): void {
  const [rows = 0, columns = 0] = shape
  const expected = name.endsWith('causal')
    ? (i: number) => (i % columns < columns - rows + Math.floor(i / columns) ? 1 : 0)
    : (i: number) => 1 - rows + i
  const at = toNumbers(data).findIndex((value, i) => Math.abs(value - expected(i)) > 1e-3)
  if (at >= 0) throw new FormatError(`${name}: element ${at} must be ${expected(at)}, found ${data[at]}`)
}

/** The learning rate of every update. */
export interface OfficialSchedule {
  readonly lr: number
  /** Updates in which the rate grows in a straight line. */
  readonly lr_warmup: number
  /** Whether it then falls as a cosine over all windows. */
  readonly lr_decay: boolean
  readonly nepochs: number
  /** Updates of an epoch. */
  readonly nbatches: number
  /** Windows that one update accumulates. */
  readonly split_batch: number
}

/**
 * The rates of the first `updates` updates. The scheduler steps before every window. With a decay the official code overwrites the rate
 * during the warm-up, and PyTorch's cosine, which multiplies the rate before, continues from there: it starts below lr.
 */
export function officialRates(schedule: OfficialSchedule, updates: number): number[] {
  const { lr, lr_decay, split_batch } = schedule
  const warmup = schedule.lr_warmup * split_batch
  const total = schedule.nepochs * schedule.nbatches * split_batch
  const rates: number[] = []
  let rate = lr
  for (let step = 1; step <= updates * split_batch; step++) {
    if (lr_decay) rate *= (1 + Math.cos((Math.PI * step) / total)) / (1 + Math.cos((Math.PI * (step - 1)) / total))
    if (step < warmup) rate = (lr * step) / warmup
    else if (!lr_decay) rate = lr
    // A window's rate counts where it is the last one of its update.
    if (step % split_batch === 0) rates.push(rate)
  }
  return rates
}
