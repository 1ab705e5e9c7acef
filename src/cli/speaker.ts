/** Which of several processes speaks. */
import { setTimeout } from 'node:timers/promises'
import { mpiLaunch } from '../train/distributed/mpi.ts'

// Longer than mpirun takes to end all processes after one has failed.
const deference = 4000

/** What an error line begins with: of several processes, all with the same mistake, only the first reports it. */
export async function speakerPrefix(): Promise<string> {
  const rank = mpiLaunch()?.rank ?? 0
  if (rank === 0) return ''
  await setTimeout(deference)
  return `rank ${rank}: `
}
