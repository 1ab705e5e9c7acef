/** Reference cases of study B: scores from predictions and from confusion matrices, gender rules. */
import { z } from 'zod'
import { toNumbers } from '../../../tensor/dtype.ts'
import { sizes } from '../../../tensor/shape.ts'
import { FormatError } from '../../../util/errors.ts'
import { type CaseTargetRule, type ReferenceCase, requiredTensor } from '../../../verify/target.ts'
import { translatedEntityGender } from '../winomt/gender.ts'
import {
  deltaG,
  deltaS,
  type GenderConfusion,
  genderConfusion,
  subsetPredictions,
  winoScores,
} from '../winomt/scores.ts'
import { type Gender, genders, linesOf, parseSentences, type WinoSentence } from '../winomt/sentences.ts'
import { array, type Computed, checked, dataFile, dataNames, part, rowsArray } from './case.ts'

const officialScores = (confusion: GenderConfusion) => {
  const { accuracy, f1Male, f1Female } = winoScores(confusion)
  return { acc: accuracy, f1_male: f1Male, f1_female: f1Female }
}

const withUnknown = (confusion: GenderConfusion) => {
  const [male, female, neutral] = confusion.map((row) => row[3])
  return {
    ...officialScores(confusion),
    unk_male: male,
    unk_female: female,
    unk_neutral: neutral,
    confusion_gold_mfn_x_pred_mfnu: confusion,
  }
}

async function runScores(reference: ReferenceCase): Promise<Computed> {
  const names = dataNames(reference)
  const sentences = async (end: string): Promise<WinoSentence[]> => {
    const name = names.find((each) => each.endsWith(end))
    if (name === undefined) throw new FormatError(`the case must name a file "${end}", found ${names.join(', ')}`)
    return parseSentences(await dataFile(reference, name), name)
  }
  const [all, pro, anti] = [await sentences('/en.txt'), await sentences('en_pro.txt'), await sentences('en_anti.txt')]
  const pattern = names.find((name) => name.includes('<system>.<lang>')) ?? ''
  const systems = part(reference.config, 'systems', z.array(z.string()))
  const results = []
  for (const system of systems) {
    const path = pattern.replace('<system>.<lang>', system)
    const predicted = linesOf(await dataFile(reference, path)).map((letter, i): Gender => {
      const gender = genders.find((name) => name.charAt(0) === letter.trim())
      if (!gender) throw new FormatError(`${path}: line ${i + 1} must be m, f, n or u, found "${letter}"`)
      return gender
    })
    if (predicted.length !== all.length)
      throw new FormatError(`${path} must have ${all.length} lines, found ${predicted.length}`)
    const confusion = (subset: readonly WinoSentence[]): number[][] =>
      genderConfusion(
        subset.map(({ gold }) => gold),
        subset === all ? predicted : subsetPredictions(subset, all, predicted),
      )
    const [en, proOnly, antiOnly] = [confusion(all), confusion(pro), confusion(anti)]
    const table = {
      acc: winoScores(en).accuracy,
      delta_g: deltaG(winoScores(en)),
      delta_s: deltaS(winoScores(proOnly), winoScores(antiOnly)),
    }
    results.push({ en, en_pro: proOnly, en_anti: antiOnly, table })
  }
  return {
    tensors: {
      confusion_en: array(
        results.flatMap(({ en }) => en.flat()),
        [systems.length, 3, 4],
        'int64',
      ),
      table: rowsArray(results.map(({ table }) => [table.acc, table.delta_g, table.delta_s])),
    },
    expected: Object.fromEntries(
      results.map(({ en, en_pro, en_anti, table }, i) => [
        systems[i],
        {
          en: withUnknown(en),
          en_pro: withUnknown(en_pro),
          en_anti: withUnknown(en_anti),
          table_acc_deltaG_deltaS: table,
        },
      ]),
    ),
  }
}

const matrices = z.record(z.string(), z.array(z.array(z.number())))

function runConfusions({ fields, tensors }: ReferenceCase): Computed {
  const names = Object.keys(part(fields, 'input_data', matrices))
  const { shape, data } = requiredTensor(tensors, 'input/confusion')
  const [, rows, columns] = sizes(shape, 3)
  const numbers = toNumbers(data)
  const scores = names.map((_, s) =>
    officialScores(
      Array.from({ length: rows }, (_, i) => {
        const start = (s * rows + i) * columns
        return numbers.slice(start, start + columns)
      }),
    ),
  )
  return {
    tensors: { acc_f1m_f1f: rowsArray(scores.map(({ acc, f1_male, f1_female }) => [acc, f1_male, f1_female])) },
    expected: Object.fromEntries(names.map((name, i) => [name, scores[i]])),
  }
}

const ruleEntry = z.looseObject({
  profession: z.string(),
  target: z.string(),
  target_indices: z.array(z.number()),
  aligned_phrase: z.string(),
})

function runRules({ fields }: ReferenceCase): Computed {
  const byLanguage = part(fields, 'expected', z.record(z.string(), z.array(ruleEntry)))
  const found = Object.entries(byLanguage).map(([language, entries]) => {
    const results = entries.map((entry) => ({
      ...entry,
      predicted: translatedEntityGender(language, {
        phrase: entry.aligned_phrase,
        profession: entry.profession,
        target: entry.target,
        indices: entry.target_indices,
      }),
    }))
    return [language, results] as const
  })
  const codes = found.flatMap(([, results]) => results.map(({ predicted }) => genders.indexOf(predicted)))
  return { tensors: { predicted: array(codes, [codes.length], 'int64') }, expected: Object.fromEntries(found) }
}

/** The targets of study B. */
export const winomtTargets: readonly CaseTargetRule[] = [
  { target: /^WinoMT accuracy/, run: checked(runScores) },
  { target: /^accuracy and F1 from a confusion matrix/, run: checked(runConfusions) },
  { target: /^rule-based gender of the aligned target phrase/, run: checked(runRules) },
]
