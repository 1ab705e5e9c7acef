import { defineSystem } from '../define.ts'
import { targets } from './verify/index.ts'

export const involution = defineSystem({
  name: 'involution',
  title: 'Involution and RedNet',
  paper: 'Li et al. 2021, arXiv 2103.06255',
  targets,
})
