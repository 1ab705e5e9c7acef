/** The studies. */
import { batch } from './batch.ts'
import { bert } from './bert.ts'
import { collapse } from './collapse.ts'
import { landscapeJob } from './landscape.ts'
import { latent } from './latent.ts'
import { methodsJob } from './methods.ts'
import { negatives } from './negatives.ts'
import { uncertainty } from './uncertainty.ts'

export const jobs = [collapse, methodsJob, negatives, batch, landscapeJob, uncertainty, latent, bert]
