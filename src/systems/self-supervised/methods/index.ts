/** The methods: what each declares, and so the taxonomy. */
import type { Declaration } from '../config.ts'
import { discreteLatent, sparseCoding } from '../energies/latent.ts'
import { barlowTwins } from './barlow-twins.ts'
import { byol } from './byol.ts'
import { contrastiveDivergence, jem } from './contrastive-divergence.ts'
import { deepCluster } from './deepcluster.ts'
import { denoisingAutoencoder } from './denoising-autoencoder.ts'
import { dino } from './dino.ts'
import { gan } from './gan.ts'
import { mae } from './mae.ts'
import { maskedLanguageModel } from './masked-language-model.ts'
import { moco } from './moco.ts'
import { pirl } from './pirl.ts'
import { simclr } from './simclr.ts'
import { simsiam } from './simsiam.ts'
import { swav } from './swav.ts'
import { vae } from './vae.ts'
import { vicreg } from './vicreg.ts'

/** In the post's order: joint embedding, predictive, latent-variable predictive; last, energies of y alone. */
export const declarations: readonly Declaration[] = [
  pirl,
  moco,
  simclr,
  swav,
  deepCluster,
  byol,
  simsiam,
  dino,
  barlowTwins,
  vicreg,
  denoisingAutoencoder,
  maskedLanguageModel,
  mae,
  gan,
  vae,
  sparseCoding,
  discreteLatent,
  contrastiveDivergence,
  jem,
]
