/** Runs the checks of a runtime in a worker, which the page asks for one after the other. */

import { manualSeed } from '../../../src/tensor/random-state.ts'
import { TenfoldError } from '../../../src/util/errors.ts'
import { serve } from '../../../src/web/serve.ts'
import { checks } from '../../conformance/checks.ts'

export const checker = async (_settings: undefined) => ({
  requests: {
    run: async (name: string): Promise<readonly number[]> => {
      const check = checks.find((each) => each.name === name)
      if (!check) throw new TenfoldError(`no check ${name}`)
      manualSeed(0)
      return check.run()
    },
  },
})

serve(checker)
