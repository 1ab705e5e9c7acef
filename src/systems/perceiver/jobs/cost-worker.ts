/** One measurement in a process of its own, so that the process's memory is the measurement's: `node cost-worker.js '{"model": ...}'`. */
import { type CostTask, measureCost } from './cost-measurement.ts'

console.log(JSON.stringify(await measureCost(JSON.parse(process.argv[2] ?? '{}') as CostTask)))
