/** The page of the scale study: what was found, the curves, every number. */
import type { Figure, Report, Section } from '../../../report/figures.ts'
import { percent } from '../../../util/words.ts'
import type { TaskName } from './data.ts'
import { trainingCost } from './members.ts'
import { families, familyNames } from './models.ts'
import type { Axis, FinishedScaleMember } from './scale.ts'

const points = (share: number): string => `${share < 0 ? '-' : '+'}${Math.abs(100 * share).toFixed(1)} points`

type Results = readonly FinishedScaleMember[]

/** One series a family of the members that vary along an axis, in the order of x. */
function seriesOf(results: Results, axis: Axis, x: (member: FinishedScaleMember) => number) {
  return familyNames.flatMap((family) => {
    const members = results.filter((member) => member.family === family && member.axes.includes(axis))
    const line = members.map((member) => ({ x: x(member), y: member.result.accuracy })).sort((a, b) => a.x - b.x)
    return line.length > 1 ? [{ name: families[family].title, points: line }] : []
  })
}

function figuresOf(results: Results): Figure[] {
  const y = { label: 'test accuracy', percent: true }
  // Members with less data cost the same: they would form one vertical line and hide the others.
  const most = Math.max(...results.map(({ examples }) => examples))
  const withMostData = familyNames.map((family) => ({
    name: families[family].title,
    members: results.filter((member) => member.family === family && member.examples === most),
  }))
  const cloud = (x: (member: FinishedScaleMember) => number) =>
    withMostData
      .filter(({ members }) => members.length > 0)
      .map(({ name, members }) => ({
        name,
        points: members.map((member) => ({ x: x(member), y: member.result.accuracy })),
      }))
  const mixer = results.filter(({ family }) => family === 'mixer')
  const varied = (axis: Axis, value: (member: FinishedScaleMember) => string) =>
    mixer
      .filter(({ axes }) => axes.includes(axis))
      .map((member) => ({ label: value(member), value: member.result.accuracy }))
  const bars: { title: string; bars: { label: string; value: number }[] }[] = [
    { title: 'Mixer: depth', bars: varied('depth', ({ sizes }) => `${sizes.depth} blocks`) },
    { title: 'Mixer: patch', bars: varied('patch', ({ sizes }) => `${sizes.patch_size} x ${sizes.patch_size} pixels`) },
  ]
  return [
    {
      kind: 'lines',
      title: 'Data',
      caption:
        'All models at equal multiply-adds and equal training steps; only the number of different pictures changes.',
      x: { label: 'training pictures', log: true },
      y,
      series: seriesOf(results, 'data', ({ examples }) => examples),
    },
    {
      kind: 'scatter',
      title: 'Parameters',
      caption: 'The widths of each model, with the most data.',
      x: { label: 'parameters', log: true },
      y,
      series: seriesOf(results, 'width', ({ result }) => result.parameters).map((s) => ({ ...s, connected: true })),
    },
    {
      kind: 'scatter',
      title: 'Training cost',
      caption: 'Every size, with the most data. Multiply-adds of the whole training: three times the forward pass.',
      x: { label: 'G multiply-adds', log: true },
      y,
      series: cloud((member) => trainingCost(member) / 1e9),
    },
    ...bars
      .filter((each) => each.bars.length > 1)
      .map((each): Figure => ({ kind: 'bars', value: { label: 'test accuracy', percent: true }, ...each })),
  ]
}

/** `64 x 4, 7` for nets of tokens, the width alone for others. */
function sizeOf({ family, sizes, result }: FinishedScaleMember): string {
  const hasTokens = family === 'mixer' || family === 'vit'
  return hasTokens ? `${result.width} x ${sizes.depth}, ${sizes.patch_size}` : String(result.width)
}

function tableOf(results: Results): Figure {
  return {
    kind: 'table',
    title: 'Every member',
    caption:
      'Size: width, for nets of tokens also blocks and patch. M a picture: million multiply-adds forward; G training: thousand millions in all.',
    columns: ['model', 'size', 'pictures', 'parameters', 'M a picture', 'G training', 'seconds', 'train %', 'test %'],
    rows: results.map((member) => [
      families[member.family].title,
      sizeOf(member),
      member.examples,
      member.result.parameters,
      Number((member.result.multiplyAdds / 1e6).toFixed(2)),
      Number((trainingCost(member) / 1e9).toFixed(1)),
      Number(member.result.seconds.toFixed(1)),
      Number((100 * member.result.trainAccuracy).toFixed(1)),
      Number((100 * member.result.accuracy).toFixed(1)),
    ]),
  }
}

/** What the data curves say about the paper's claim, in sentences; whichever way it turned out. */
export function findings(results: Results): string[] {
  const ends = familyNames.flatMap((family) => {
    const members = results
      .filter((member) => member.family === family && member.axes.includes('data'))
      .sort((a, b) => a.examples - b.examples)
    const [few, many] = [members[0], members.at(-1)]
    if (!few || !many || few === many) return []
    const [least, most] = [few.result.accuracy, many.result.accuracy]
    return [
      { family, name: families[family].title, few: few.examples, many: many.examples, least, most, gain: most - least },
    ]
  })
  const mixer = ends.find(({ family }) => family === 'mixer')
  const convolutional = ends.filter(({ family }) => family === 'resnet' || family === 'convnet')
  if (!mixer || convolutional.length === 0) {
    return ['Nothing is compared: it needs Mixer, a convolutional net and at least two amounts of data.']
  }
  const best = convolutional.reduce((a, b) => (b.least > a.least ? b : a))
  const gains = ends.map(
    ({ name, least, most, gain }) => `${name} ${percent(least)} to ${percent(most)} (${points(gain)})`,
  )
  const biasHelps = best.least > mixer.least
  const gainsMore = convolutional.every(({ gain }) => mixer.gain > gain)
  return [
    `From ${mixer.few.toLocaleString('en')} to ${mixer.many.toLocaleString('en')} pictures: ${gains.join(', ')}.`,
    `With the fewest pictures the best convolutional net (${best.name}) is ${biasHelps ? 'ahead of' : 'not ahead of'} Mixer: ${percent(best.least)} against ${percent(mixer.least)}. ` +
      `Mixer gains ${gainsMore ? 'more from data than every convolutional net' : 'no more from data than the convolutional nets'}.`,
    biasHelps && gainsMore
      ? "The paper's point is seen here: knowing about pictures helps while data are few, and Mixer gains more as they grow."
      : "The paper's point is not seen here as a whole; these models and data are thousands of times smaller than the paper's.",
  ]
}

/** The whole page. */
export function scaleReport(results: Results, titles: ReadonlyMap<TaskName, string>): Report {
  const sections = [...titles].map(([task, title]): Section => {
    const own = results.filter((member) => member.task === task)
    return {
      title,
      figures: [{ kind: 'text', title: 'What was found', paragraphs: findings(own) }, ...figuresOf(own), tableOf(own)],
    }
  })
  const seconds = results.reduce((sum, { result }) => sum + result.seconds, 0)
  return {
    title: 'mixer / scale',
    subtitle: 'Accuracy against data, parameters and training cost, at equal multiply-adds a picture',
    summary: [
      { label: 'trainings', value: String(results.length) },
      { label: 'training time', value: `${(seconds / 60).toFixed(1)} min` },
    ],
    sections,
    footer: 'One seed per member: differences of a point may be chance. Written by tenfold.',
  }
}
