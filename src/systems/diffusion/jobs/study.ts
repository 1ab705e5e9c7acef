/** What every study of drawn pictures begins with: its pictures, its judge, and the measuring of settings against real ones. */
import type { JobContext } from '../../define.ts'
import {
  floorOf,
  type Measured,
  type MeasuringSettings,
  measuredSetting,
  measureOf,
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
