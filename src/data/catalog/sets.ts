/** Every data set that `tenfold data` knows. */
import type { DataSet } from './define.ts'
import { models } from './models.ts'
import { motion } from './motion.ts'
import { pictures } from './pictures.ts'
import { texts } from './texts.ts'

export const dataSets: readonly DataSet[] = [...pictures, ...motion, ...texts, ...models]
