/** What the translator of the page learns from, and what comes of it. */
import type { LinePlot } from '../../report/figures.ts'
import { type OccupationShares, separateCauses } from '../../systems/translation-bias/statistical/causes.ts'
import type { OccupationCounts } from '../../systems/translation-bias/statistical/channel.ts'

/** Sentences with each occupation. */
export const sentences = 200

/** Where the page begins: how many of the sentences with an occupation say "he"; made up, half of all. */
export const occupations: readonly { readonly occupation: string; readonly foreign: string; readonly he: number }[] = [
  { occupation: 'doctor', foreign: 'orvos', he: 120 },
  { occupation: 'nurse', foreign: 'ápoló', he: 20 },
  { occupation: 'politician', foreign: 'politikus', he: 150 },
  { occupation: 'teacher', foreign: 'tanár', he: 80 },
  { occupation: 'cleaner', foreign: 'takarító', he: 60 },
  { occupation: 'professor', foreign: 'professzor', he: 170 },
]

export interface Settings {
  /** Of each occupation: sentences with "he". */
  readonly he: readonly number[]
  /** Words that the language model sees at once, 2 to 5. */
  readonly order: number
  readonly languageWeight: number
  /** 0: the most probable translation is shown. */
  readonly temperature: number
}

const countsOf = (he: readonly number[]): OccupationCounts[] =>
  occupations.map(({ occupation, foreign }, i) => {
    const own = he[i] ?? 0
    return { occupation, foreign, he: own, she: sentences - own }
  })

const optionsOf = ({ order, languageWeight, temperature }: Settings) => ({
  ...{ order, languageWeight, addK: 0.01, iterations: 8 },
  temperatures: temperature > 0 ? [temperature] : [],
})

/** The share of "he" that is shown of an occupation. */
export function shownOf({ argmax, tempered }: OccupationShares, temperature: number): number {
  return temperature > 0 ? (tempered.get(temperature) ?? argmax) : argmax
}

/** Trains the translator and translates every occupation. */
export function translate(settings: Settings): readonly OccupationShares[] {
  return separateCauses(countsOf(settings.he), optionsOf(settings)).shares
}

/** One occupation from never to always "he", the others as they are: what is learned and what is shown. */
export function sweep(settings: Settings, picked: number, steps = 20): LinePlot {
  const points = Array.from({ length: steps + 1 }, (_, i) => {
    const own = Math.round((sentences * i) / steps)
    const [share] = translate({ ...settings, he: settings.he.map((he, k) => (k === picked ? own : he)) }).slice(picked)
    return {
      x: own / sentences,
      learned: share?.posterior ?? 0,
      shown: share ? shownOf(share, settings.temperature) : 0,
    }
  })
  const name = occupations[picked]?.occupation ?? ''
  return {
    kind: 'lines',
    title: `"${name}" from never to always "he" in the data`,
    caption: 'The share of "he" in the data, and in what comes out.',
    x: { label: 'in the data', percent: true },
    y: { label: 'out', percent: true },
    series: [
      { name: 'learned', points: points.map(({ x, learned: y }) => ({ x, y })) },
      { name: 'shown', points: points.map(({ x, shown: y }) => ({ x, y })) },
    ],
  }
}
