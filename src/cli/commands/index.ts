import type { Command } from 'commander'
import { addData } from './data.ts'
import { addEval } from './eval.ts'
import { addExport } from './export.ts'
import { addHelp } from './help.ts'
import { addInfo } from './info.ts'
import { addList } from './list.ts'
import { addResume } from './resume.ts'
import { addRun } from './run.ts'
import { addStudio } from './studio.ts'
import { addSweep } from './sweep.ts'
import { addTokenizer } from './tokenizer.ts'
import { addTrain } from './train.ts'
import { addVerify } from './verify.ts'

/** Every command but those that recipes declare, in the order of `--help`. */
export function addCommands(program: Command): void {
  for (const add of [
    addList,
    addTrain,
    addResume,
    addRun,
    addStudio,
    addSweep,
    addData,
    addEval,
    addExport,
    addInfo,
    addTokenizer,
    addVerify,
    addHelp,
  ])
    add(program)
}
