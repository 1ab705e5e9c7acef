/** Averages of a denoiser's weights at several rates, beside the one that it is used with: OpenAI's `ema_rate` is a list. */
import type { Module } from '../../../nn/index.ts'
import { ExponentialMovingAverage } from '../../../optim/index.ts'
import type { KeptBeside } from '../../../tasks/training.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { UsageError } from '../../../util/errors.ts'

/** What the checkpoint calls the weights of a rate: `ema_0.999/out.2.weight`. */
const prefixOf = (rate: number): string => `ema_${rate}/`

/** Averages of a network's parameters, one set for each rate: average = rate * average + (1 - rate) * weight after every step. */
export function averagesAt(rates: readonly number[], model: Module): KeptBeside {
  const named = [...model.namedParameters()]
  const parameters = named.map(([, parameter]) => parameter)
  const averages = rates.map((rate) => ({ rate, average: new ExponentialMovingAverage(parameters, { decay: rate }) }))
  return {
    state: new Map(
      averages.flatMap(({ rate, average }) => [
        ...named.flatMap(([name], i) => {
          const variable = average.averages[i]
          return variable ? [[`${prefixOf(rate)}${name}`, variable] as const] : []
        }),
        [`${prefixOf(rate)}updates`, average.updates] as const,
      ]),
    ),
    updated: () => {
      for (const { average } of averages) average.update()
    },
  }
}

/** The weights of a rate in a checkpoint's tensors. Throws a UsageError if the training did not keep that rate. */
export function weightsAt(rate: number, tensors: ReadonlyMap<string, NDArray>): Map<string, NDArray> {
  const prefix = `state.${prefixOf(rate)}`
  const found = [...tensors].filter(([name]) => name.startsWith(prefix) && name !== `${prefix}updates`)
  if (found.length > 0) return new Map(found.map(([name, array]) => [name.slice(prefix.length), array]))
  const kept = [...tensors.keys()].flatMap((name) => /^state\.ema_(.+)\/updates$/.exec(name)?.[1] ?? [])
  throw new UsageError(`sample: the run has no average of rate ${rate}`, {
    hint: kept.length > 0 ? `it has ${kept.join(', ')}` : `train it with --set train.ema_rates=[${rate}]`,
  })
}
