import { defineSystem } from '../define.ts'
import { audit } from './jobs/audit.ts'
import { causes } from './jobs/causes.ts'
import { mitigation } from './jobs/mitigation.ts'
import { neural } from './jobs/neural.ts'
import { rewriting } from './jobs/rewriting.ts'
import { winomt } from './jobs/winomt.ts'
import { targets } from './verify/index.ts'

export const translationBias = defineSystem({
  name: 'translation-bias',
  title: 'Gender bias of translators',
  paper: 'Prates, Avelar and Lamb 2019, arXiv 1809.02208; Stanovsky, Smith and Zettlemoyer 2019, arXiv 1906.00591',
  jobs: [audit, winomt, causes, neural, mitigation, rewriting],
  targets,
})
