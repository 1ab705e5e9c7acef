/** The recipes with questions about what stood long before; sizes for two cores. */
import { z } from 'zod'
import { count, share, whole } from '../../../train/settings.ts'
import { collisions as collisionWorld } from './collisions.ts'
import { copy as copyWorld } from './copy.ts'
import { corridor as corridorWorld } from './corridor.ts'
import { cue as cueWorld } from './cue.ts'
import { instruction as instructionWorld } from './instruction.ts'
import { portal as portalWorld } from './portal.ts'
import { episodeSettings, lengthSettings, questionRecipe } from './questions.ts'

/** Small: what they have to learn is what to keep. One layer is enough where a question is answered by one token. */
const small = {
  hid_sz: 32,
  inner_hid_sz: 64,
  nlayers: 1,
  mem_sz: 16,
  pre_norm: true,
  dropout: 0,
  expire_span_loss: 1e-4,
  expire_span_ramp: 16,
  // Long at first: a span that is much too short never meets the question that would make it grow; but shorter than episodes, or none fades.
  expire_span_init_percentage: 0.25,
} as const

const views = whole.default(10).describe('different looks of a step that means nothing')
const train = { epochs: 1, batch_size: 16, evaluate_every: 500 } as const

export const corridors = questionRecipe({
  name: 'corridors',
  summary: 'an object at one end of a corridor says which door to take at the other (generated; length a setting)',
  world: corridorWorld,
  data: z.strictObject({
    ...lengthSettings({ tokens: 256_000, test_tokens: 40_000 }),
    ...episodeSettings,
    colors: whole.default(2).describe('colours of objects and doors'),
    min_length: count.default(3).describe('steps of a corridor, at least'),
    max_length: whole.default(100).describe('steps of a corridor, at most'),
    log_lengths: z.boolean().default(true).describe('spread lengths by their order of magnitude'),
    views,
  }),
  model: { ...small, attn_lim: 256 },
  lr: 3e-3,
  train,
})

export const portal = questionRecipe({
  name: 'portal',
  summary: 'rooms with a right and a wrong door, which leads back to the start: all past choices count (generated)',
  world: portalWorld,
  data: z.strictObject({
    ...lengthSettings({ tokens: 256_000, test_tokens: 40_000 }),
    ...episodeSettings,
    rooms: whole.default(6).describe('rooms of an episode, one behind the other'),
    doors: z.number().int().min(2).default(2).describe('doors of a room, one of which leads on'),
    min_walk: count.default(2).describe('steps through a room, at least'),
    max_walk: count.default(10).describe('steps through a room, at most'),
    views,
  }),
  model: { ...small, attn_lim: 512 },
  lr: 3e-3,
  train,
})

export const instruction = questionRecipe({
  name: 'instruction',
  summary: 'instructions between irrelevant steps, to be carried out in order much later (generated)',
  world: instructionWorld,
  data: z.strictObject({
    ...lengthSettings({ tokens: 384_000, test_tokens: 40_000 }),
    ...episodeSettings,
    instructions: whole.default(6).describe('instructions of an episode'),
    colors: whole.default(4).describe('colours that an instruction may name'),
    min_walk: count.default(2).describe('irrelevant steps after an instruction, at least'),
    max_walk: count.default(20).describe('irrelevant steps after an instruction, at most'),
    views,
  }),
  model: { ...small, attn_lim: 256, expire_span_init_percentage: 0.4 },
  lr: 5e-3,
  train,
})

export const copy = questionRecipe({
  name: 'copy',
  summary: 'a long sequence of symbols, to be said again (generated; length a setting)',
  world: copyWorld,
  data: z.strictObject({
    ...lengthSettings({ tokens: 512_000, test_tokens: 40_000 }),
    ...episodeSettings,
    length: whole.default(20).describe('symbols of a sequence (paper: tens of thousands)'),
    symbols: whole.default(32).describe('different symbols'),
  }),
  // A second layer, so that a memory can know what stood before it: beyond a block there are no positions to count.
  model: { ...small, nlayers: 2, attn_lim: 128, expire_span_loss: 1e-5, expire_span_init_percentage: 0.3 },
  lr: 5e-3,
  train,
})

export const collisions = questionRecipe({
  name: 'collisions',
  summary: 'where did objects of these colours meet last? (generated; the answer is far back)',
  world: collisionWorld,
  data: z.strictObject({
    ...lengthSettings({ tokens: 800_000, test_tokens: 40_000 }),
    num_particles: z.number().int().min(2).default(2).describe('objects'),
    num_colors: whole.default(3).describe('their colours (paper: 5)'),
    grid_size: z.number().int().min(2).default(6).describe('rows and columns of the world (paper: 16)'),
    speed: z.number().positive().default(0.5).describe('standard deviation of velocities, cells a step'),
    color_change_prob: share.default(0.05).describe('probability that an object changes its colour in a step'),
    easy_q: share.default(0.4).describe('share of the questions about the objects that met last'),
  }),
  model: {
    ...small,
    hid_sz: 64,
    inner_hid_sz: 256,
    nlayers: 2,
    mem_sz: 64,
    attn_lim: 1024,
    expire_span_loss: 2e-6,
    expire_span_ramp: 32,
    expire_span_init_percentage: 0.25,
  },
  lr: 1e-3,
  train: { epochs: 2, batch_size: 16, evaluate_every: 200 },
})

export const cue = questionRecipe({
  name: 'cue',
  summary: 'many objects, of which one will be asked for: said before them, or after (--set data.cue=after; generated)',
  world: cueWorld,
  data: z.strictObject({
    ...lengthSettings({ tokens: 256_000, test_tokens: 40_000 }),
    ...episodeSettings,
    objects: whole.default(4).describe('objects of an episode, each of another kind'),
    colors: whole.default(2).describe('colours of objects'),
    cue: z.enum(['before', 'after']).default('before').describe('when it is said which kind matters'),
    min_length: count.default(20).describe('steps before the question, at least'),
    max_length: whole.default(40).describe('steps before the question, at most'),
    views,
  }),
  // A second layer, so that a memory can know what was said before it.
  model: { ...small, nlayers: 2, attn_lim: 128 },
  lr: 3e-3,
  train,
})
