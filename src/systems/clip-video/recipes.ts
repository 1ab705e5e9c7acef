/** The small models that the video works with at once: a CLIP and a BigGAN of drawings. */
import { z } from 'zod'
import { defineRecipe } from '../define.ts'
import { adversarialExperiment, adversarialMetrics } from './biggan/adversarial.ts'
import { classFacts, classSettings, openClasses } from './biggan/classes.ts'
import { sampleClasses } from './biggan/uses.ts'
import { pairExperiment, pairMetrics } from './clip/contrastive.ts'
import { predictNames, retrieveDrawings } from './clip/uses.ts'
import { drawingSettings, openPairs, pairFacts } from './pairs/open.ts'
import { bigganSettings, bigganTraining, clipSettings, clipTraining } from './settings.ts'

export const clip = defineRecipe({
  name: 'clip',
  summary: 'a mini CLIP of drawings and their names (npx tenfold data openmoji fluent-emoji twemoji clip-vocabulary)',
  config: z.strictObject({ data: drawingSettings().prefault({}), model: clipSettings().prefault({}), ...clipTraining }),
  facts: pairFacts,
  metrics: pairMetrics,
  packages: () => ['sharp'],
  open: ({ data, model }, { known }) => openPairs(data, model.context_length, known),
  build: pairExperiment,
  uses: { predict: predictNames, retrieve: retrieveDrawings },
})

export const biggan = defineRecipe({
  name: 'biggan',
  summary: 'a mini BigGAN-deep of drawings of things, by name (npx tenfold data openmoji twemoji)',
  config: z.strictObject({
    data: classSettings().prefault({}),
    model: bigganSettings().prefault({}),
    ...bigganTraining,
  }),
  facts: classFacts,
  metrics: adversarialMetrics,
  packages: () => ['sharp'],
  open: ({ data }, { known }) => openClasses(data, known),
  build: adversarialExperiment,
  uses: { sample: sampleClasses },
})
