/** A process of its own for one measurement: the task as JSON in the first argument, the result as JSON on its output. */
import { costTask, measureLayer } from './layer-cost.ts'

const task = costTask.parse(JSON.parse(process.argv[2] ?? ''))
process.stdout.write(JSON.stringify(await measureLayer(task)))
