import { defineSystem } from '../define.ts'
import { characters, collisions } from './recipes.ts'
import { targets } from './verify/index.ts'

export const expireSpan = defineSystem({
  name: 'expire-span',
  title: 'Expire-Span',
  paper: 'Sukhbaatar et al. 2021, arXiv 2105.06548',
  recipes: [characters, collisions],
  targets,
})
