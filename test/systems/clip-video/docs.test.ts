import { clipVideo } from '../../../src/systems/clip-video/index.ts'
import { describePage } from '../../support/code-walk.ts'

const sources = [
  'model.ts',
  'biggan/generator.ts',
  'video/cutouts.ts',
  'video/losses.ts',
  'video/interpolation.ts',
].map((file) => `src/systems/clip-video/${file}`)
describePage('src/systems/clip-video/README.md', sources, clipVideo)
