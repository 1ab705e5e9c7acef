/** What all studies of drawn pictures share: pictures, judge, the measuring of settings against real ones, verdicts, and the page. */
import type { Figure, Report } from '../../../report/figures.ts'
import type { JobContext } from '../../define.ts'
import { spreadOf } from '../../study.ts'
import {
  floorOf,
  type Measured,
  type MeasuringSettings,
  measuredSetting,
  measureOf,
  qualityTable,
  type Setting,
} from './measuring.ts'
import { type StudyParts, type StudyTrainingSettings, trainedJudge } from './networks.ts'
import { openStudyPictures, type PictureSettings } from './pictures.ts'

/** The settings that all studies have. */
interface StudySettings {
  readonly data: PictureSettings
  readonly training: StudyTrainingSettings
  readonly measuring: MeasuringSettings
}

export interface Study {
  /** What its networks are trained with. */
  readonly parts: StudyParts
  readonly judge: Awaited<ReturnType<typeof trainedJudge>>
  /** Draws and measures a setting. */
  readonly measured: (setting: Setting) => Promise<Measured>
  /** What real pictures come to. */
  readonly floor: () => Promise<Measured>
}

/** Opens the pictures, and trains the judge or loads it. */
export async function openStudy({ data, training, measuring }: StudySettings, context: JobContext): Promise<Study> {
  const pictures = await openStudyPictures(data, context.seed)
  const parts = { pictures, training, context }
  const judge = await trainedJudge(parts)
  const measure = await measureOf(judge.features, pictures, judge.told)
  return {
    parts,
    judge,
    measured: (setting) => measuredSetting(setting, measure, measuring, context),
    floor: () => floorOf(pictures, measure, measuring, context),
  }
}

/**
 * Whether the mean of some numbers is `lower` or `higher` than that of others. `no difference beyond the spread` where the means are no
 * farther apart than twice the standard error of their difference; of single numbers nobody knows, which is said: one `what`.
 */
export function verdictOf(values: readonly number[], others: readonly number[], what = 'training'): string {
  const [own, other] = [spreadOf(values), spreadOf(others)]
  const difference = own.mean - other.mean
  const direction = difference < 0 ? 'lower' : 'higher'
  if (values.length < 2 || others.length < 2) return `${direction} (one ${what}: may be chance)`
  const error = Math.sqrt(own.deviation ** 2 / values.length + other.deviation ** 2 / others.length)
  return Math.abs(difference) <= 2 * error ? 'no difference beyond the spread' : direction
}

/** One setting on the page: with its pictures, and as a row of the table. */
export interface StudyRow {
  /** Over its pictures. */
  readonly title: string
  readonly caption?: string
  /** In front of the measures, as `headings` names them. */
  readonly cells: readonly (string | number)[]
  readonly measured: Measured
}

/** What the page of a study is made of. */
export interface StudyPage extends Pick<Report, 'title' | 'summary'> {
  readonly subtitle: string
  readonly footer: string
  /** What was found, in sentences. */
  readonly findings: readonly string[]
  /** How often each network was trained. Once: the page says that differences between networks may be chance. */
  readonly trainings: number
  /** What was found, as figures. */
  readonly figures: readonly Figure[]
  readonly rows: readonly StudyRow[]
  /** What real pictures come to: the last row of the table. */
  readonly floor: Measured
  readonly table: { readonly title: string; readonly headings: readonly string[]; readonly caption?: string }
}

/** The page of a study: what was found, the pictures of each setting, every number. */
export function studyPage(page: StudyPage): Report {
  const { title, subtitle, summary, findings, trainings, figures, rows, floor, table, footer } = page
  const chance = 'One training of each network: what differs between networks may be chance.'
  const paragraphs = trainings > 1 ? findings : [...findings, chance]
  const real = { cells: table.headings.map((_, i) => (i === 0 ? 'real pictures' : '')), measured: floor }
  return {
    title,
    subtitle,
    summary,
    sections: [
      { title: 'What was found', figures: [{ kind: 'text', title: 'In words', paragraphs }, ...figures] },
      {
        title: 'The pictures',
        figures: rows.map(({ title, caption, measured }) => ({
          kind: 'pictures',
          title,
          ...(caption !== undefined && { caption }),
          pictures: measured.pictures,
          size: 42,
        })),
      },
      { title: 'Every number', figures: [qualityTable(table.title, [...rows, real], table.headings, table.caption)] },
    ],
    footer,
  }
}
