/** One training in a process of its own, so that the process's memory is the training's: `node memory-worker.js '{"recipe": ...}'`. */
import { residentMebibytes } from '../../measurement.ts'
import { type MemberTask, trainMember } from './members.ts'

const before = residentMebibytes()
const result = await trainMember(JSON.parse(process.argv[2] ?? '{}') as MemberTask)
console.log(JSON.stringify({ ...result, peakMebibytes: process.resourceUsage().maxRSS / 1024 - before }))
