/** The small models that the video works with at once: a CLIP and a BigGAN of drawings. */
import { z } from 'zod'
import { defineRecipe } from '../define.ts'
import { pairExperiment, pairMetrics } from './clip/contrastive.ts'
import { predictNames, retrieveDrawings } from './clip/uses.ts'
import { drawingSettings, openPairs, pairFacts } from './pairs/open.ts'
import { clipSettings, clipTraining } from './settings.ts'

export const clip = defineRecipe({
  name: 'clip',
  summary: 'a mini CLIP of drawings and their names (npx tenfold data openmoji twemoji clip-vocabulary)',
  config: z.strictObject({ data: drawingSettings().prefault({}), model: clipSettings().prefault({}), ...clipTraining }),
  facts: pairFacts,
  metrics: pairMetrics,
  packages: () => ['sharp'],
  open: ({ data, model }, { known }) => openPairs(data, model.context_length, known),
  build: pairExperiment,
  uses: { predict: predictNames, retrieve: retrieveDrawings },
})
