import type { Command } from 'commander'
import { addBench } from './bench.ts'
import { addData } from './data.ts'
import { addEval } from './eval.ts'
import { addExport } from './export.ts'
import { addFewShot } from './fewshot.ts'
import { addHelp } from './help.ts'
import { addInfo } from './info.ts'
import { addInspect } from './inspect.ts'
import { addList } from './list.ts'
import { addPredict } from './predict.ts'
import { addResume } from './resume.ts'
import { addStudy } from './study.ts'
import { addTokenizer } from './tokenizer.ts'
import { addTrain } from './train.ts'
import { addVerify } from './verify.ts'

/** Every command, in the order of `--help`. */
export function addCommands(program: Command): void {
  for (const add of [
    addList,
    addTrain,
    addResume,
    addData,
    addStudy,
    addEval,
    addPredict,
    addFewShot,
    addInspect,
    addExport,
    addInfo,
    addTokenizer,
    addVerify,
    addBench,
    addHelp,
  ])
    add(program)
}
