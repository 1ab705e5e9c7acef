/** One measurement in a process of its own, so that the process's memory is the measurement's: `node speed-worker.js '{"encoder": ...}'`. */
import { type MeasuredEncoder, measureSpeed, type SpeedOptions } from './speed-measurement.ts'

const { encoder, length, ...options } = JSON.parse(process.argv[2] ?? '{}') as SpeedOptions & {
  readonly encoder: MeasuredEncoder
  readonly length: number
}
console.log(JSON.stringify(await measureSpeed(encoder, length, options)))
