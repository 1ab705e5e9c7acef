/**
 * Keeps ONNX Runtime from reporting to its makers: left alone, it writes a device id and a database of events into the home folder
 * and sends them. It asks the environment of the process once, when the first session of the process is made.
 */
import { Session } from 'node:inspector'
import { isMainThread } from 'node:worker_threads'
import { TenfoldError } from '../util/errors.ts'

const variable = 'ORT_DISABLE_TELEMETRY'

/** How long the main thread may be busy, in milliseconds, before a worker gives up. */
const patience = 10_000

/** Whether the process has the variable. (`process.env` of a worker is a copy of its own.) */
function isDisabled(): boolean {
  const { environmentVariables } = process.report.getReport() as { environmentVariables?: Record<string, string> }
  return environmentVariables?.[variable] === '1'
}

/** Only the main thread can set a variable of the process. This makes it do so, even while it is busy. */
async function setInMainThread(): Promise<void> {
  const session = new Session()
  session.connectToMainThread()
  try {
    await new Promise<void>((resolve, reject) => {
      // It also keeps the worker from ending while it waits.
      const timer = setTimeout(() => reject(new Error('the main thread does not answer')), patience)
      session.post('Runtime.evaluate', { expression: `process.env.${variable} = '1'` }, (error, answer) => {
        clearTimeout(timer)
        if (error || answer.result.value !== '1') reject(error ?? new Error(JSON.stringify(answer)))
        else resolve()
      })
    })
  } finally {
    session.disconnect()
  }
}

/** Switches the telemetry off for the process. Throws a TenfoldError if that is not possible: then the runtime must not start. */
export async function disableTelemetry(): Promise<void> {
  process.env[variable] = '1'
  if (isMainThread) return
  await setInMainThread().catch((error: unknown) => {
    if (isDisabled()) return
    throw new TenfoldError("ONNX Runtime's telemetry cannot be switched off from this worker thread", {
      hint: `import 'tenfold' in the main thread, too, or start the program with ${variable}=1`,
      cause: error,
    })
  })
}

// Here already, for a worker whose main thread does not answer, because it is inside of a long native call.
if (isMainThread) process.env[variable] = '1'
