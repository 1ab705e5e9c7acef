/** What stands for the runtime in a browser until there is one: models are built and differentiated there, but not run. */
import { TenfoldError } from '../util/errors.ts'
import type { Runtime } from './session.ts'

/** ONNX Runtime for the web has no kernels of the domain com.microsoft.nchwc. */
export const hasBlockedConvolutions = false

/** Always throws a TenfoldError. */
export const loadSession: Runtime['loadSession'] = async () => {
  throw new TenfoldError('tenfold has no runtime for browsers yet: here models can be built, but not run', {
    hint: 'compile and export in Node; onnxruntime-web runs the exported model',
  })
}
