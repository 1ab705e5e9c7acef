/** One measurement: tenfold and its peers take turns, so that a busy machine slows all of them. */
import { Participant } from './participant.ts'
import { missing, type PeerName, peerCommand, tenfoldCommand } from './peers.ts'

/** Figures of one participant. */
export interface Figures {
  /** ms a step: median, tenth and ninetieth percentile. */
  readonly median: number
  readonly low: number
  readonly high: number
  readonly startSeconds: number
  readonly peakMegabytes: number
}

/** What came out for one peer: figures, or why there are none. */
export type Outcome = Figures | { readonly missing: string }

export interface MeasureOptions {
  readonly peers: readonly PeerName[]
  readonly rounds: number
  readonly threads: number
}

const sliceMilliseconds = 400
// Who takes seconds for a step, as some peers do, has no more turns once it has taken this long, and three at least.
const patienceMilliseconds = 20_000
const leastRounds = 3

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

/** Processes that are ready, and why others are not. */
async function startAll(
  name: string,
  measure: string,
  file: string,
  { peers, threads }: MeasureOptions,
): Promise<{ running: Participant[]; outcomes: Map<string, Outcome> }> {
  const running = [await Participant.start('tenfold', tenfoldCommand(name, measure, file, threads))]
  const outcomes = new Map<string, Outcome>()
  for (const peer of peers) {
    const reason = missing(peer)
    if (reason !== undefined) {
      outcomes.set(peer, { missing: reason })
      continue
    }
    try {
      running.push(await Participant.start(peer, peerCommand(peer, name, measure, file, threads)))
    } catch (error) {
      outcomes.set(peer, { missing: error instanceof Error ? error.message : String(error) })
    }
  }
  return { running, outcomes }
}

/** The models compute the same thing, or their times say nothing. */
function checkLosses([own, ...others]: readonly Participant[]): void {
  for (const other of others) {
    for (const [i, loss] of (own?.losses ?? []).entries()) {
      const found = other.losses[i] ?? Number.NaN
      if (!(Math.abs(found - loss) <= 1e-3 * Math.abs(loss))) {
        throw new Error(`the losses differ after step ${i + 1}: tenfold ${loss}, ${other.name} ${found}`)
      }
    }
  }
}

/** Measures one workload: `train`, `infer`, `decode` or `product`. Outcomes by participant, tenfold first. */
export async function measureTogether(
  name: string,
  measure: 'train' | 'infer' | 'decode' | 'product',
  file: string,
  options: MeasureOptions,
): Promise<Map<string, Outcome>> {
  const { running, outcomes } = await startAll(name, measure, file, options)
  try {
    if (measure === 'train' || measure === 'decode') checkLosses(running)
    const times = new Map(running.map(({ name: who }) => [who, [] as number[]]))
    const peaks = new Map<string, number>()
    const steps = new Map<string, number>()
    for (const participant of running) {
      const { times: first } = await participant.run(2)
      steps.set(participant.name, Math.max(1, Math.min(200, Math.round(sliceMilliseconds / Math.min(...first)))))
    }
    for (let round = 0; round < options.rounds; round++) {
      for (const participant of running) {
        const spent = (times.get(participant.name) ?? []).reduce((sum, time) => sum + time, 0)
        if (round >= leastRounds && spent > patienceMilliseconds) continue
        const slice = await participant.run(steps.get(participant.name) ?? 1)
        times.get(participant.name)?.push(...slice.times)
        peaks.set(participant.name, slice.peak)
      }
    }
    const measured = running.map(({ name: who, startSeconds }): [string, Outcome] => {
      const all = times.get(who) ?? []
      return [
        who,
        {
          median: percentile(all, 0.5),
          low: percentile(all, 0.1),
          high: percentile(all, 0.9),
          startSeconds,
          peakMegabytes: peaks.get(who) ?? Number.NaN,
        },
      ]
    })
    return new Map([...measured, ...outcomes])
  } finally {
    for (const participant of running) participant.stop()
  }
}
