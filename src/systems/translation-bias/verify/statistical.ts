/** Reference cases of the statistical translator: fast_align, IBM models, language models, decoding, the three causes. */
import { z } from 'zod'
import { FormatError } from '../../../util/errors.ts'
import {
  type CaseTargetRule,
  fixedSetting,
  numberSetting,
  numbersSetting,
  type ReferenceCase,
  type Settings,
  withoutEffect,
} from '../../../verify/target.ts'
import { fastAlign, parsePair } from '../statistical/alignment.ts'
import { type OccupationShares, separateCauses } from '../statistical/causes.ts'
import { bigramLanguageModel, decode, PhraseTable } from '../statistical/decoder.ts'
import {
  bestLinks,
  type IbmModel,
  logProbability1,
  nullWord,
  positionRows,
  type SentencePair,
  trainModel1,
  trainModel2,
} from '../statistical/ibm.ts'
import { NgramModel, type Smoothing } from '../statistical/ngram.ts'
import { tokensOf } from '../winomt/sentences.ts'
import { anyRecord, array, type Computed, checked, part, rowsArray } from './case.ts'

const flags = ['-d', '-o', '-v', '-r', '-N']

function runFastAlign({ config, fields }: ReferenceCase): Computed {
  const given = part(config, 'flags', z.array(z.string()).default([]))
  const unknown = given.find((flag) => !flags.includes(flag))
  if (unknown !== undefined)
    throw new FormatError(`flags of fast_align must be of ${flags.join(' ')}, found ${unknown}`)
  const result = fastAlign(
    part(fields, 'input_data', z.array(z.string())).map((line, i) => parsePair(line, i + 1)),
    {
      favorDiagonal: given.includes('-d'),
      optimizeTension: given.includes('-o'),
      variationalBayes: given.includes('-v'),
      reverse: given.includes('-r'),
      useNull: !given.includes('-N'),
      iterations: numberSetting(config, 'iterations', 5),
      tension: numberSetting(config, 'diagonal_tension_start', 4),
      nullProbability: numberSetting(config, 'prob_align_null', 0.08),
      alpha: numberSetting(config, 'variational_alpha', 0.01),
    },
  )
  return {
    tensors: { log_e_likelihood: array(result.logLikelihood) },
    expected: {
      alignments: result.links.map((links) => links.map(([from, to]) => `${from}-${to}`).join(' ')),
      log_e_likelihood: result.logLikelihood,
      cross_entropy: result.crossEntropy,
      final_tension: result.tensions,
      posterior_p0: result.nullShare,
    },
  }
}

/** NLTK's least probability. */
const floor = 1e-12

function runIbm({ config, fields }: ReferenceCase): Computed {
  const pairs = part(fields, 'input_data', z.array(z.tuple([z.string(), z.string()]))).map(
    ([f, e]): SentencePair => ({ f: tokensOf(f), e: tokensOf(e) }),
  )
  const options = { floor, poolRepeats: true }
  const iterations = numberSetting(config, 'model2_iterations')
  const model1 = trainModel1(pairs, { ...options, iterations: numberSetting(config, 'model1_iterations') })
  const model1Iterations = numberSetting(config, 'model2_internal_model1_iterations', 2 * iterations)
  const model2 = trainModel2(pairs, { ...options, iterations, model1Iterations })
  const sorted = (words: readonly string[]): string[] => [...new Set(words)].sort()
  const foreign = sorted(pairs.flatMap(({ f }) => f))
  const english = [nullWord, ...sorted(pairs.flatMap(({ e }) => e))]
  const table = ({ t }: IbmModel) => rowsArray(foreign.map((f) => english.map((e) => t.get(f, e))))
  const links = (model: IbmModel): string[] =>
    pairs.map((pair) =>
      bestLinks(model, pair, floor)
        .map((to, from) => `${from}-${to ?? ''}`)
        .join(' '),
    )
  const sizes = new Map(pairs.map(({ f, e }) => [`l${e.length}_m${f.length}`, { l: e.length, m: f.length }]))
  return {
    tensors: { model1_t: table(model1), model2_t: table(model2) },
    expected: {
      f_vocab: foreign,
      e_vocab: english,
      model1_alignments: links(model1),
      model2_alignments: links(model2),
      model1_log_likelihood: pairs.reduce((sum, pair) => sum + logProbability1(model1.t, pair), 0),
      model2_alignment_table: Object.fromEntries(
        [...sizes].map(([key, { l, m }]) => [key, positionRows(model2, l, m)]),
      ),
    },
  }
}

/** The smoothing that NLTK's class of this name has. */
function smoothingOf(name: string, config: Settings): Smoothing {
  switch (name) {
    case 'mle':
      return { kind: 'mle' }
    case 'lidstone':
      return { kind: 'lidstone', gamma: numberSetting(config, 'lidstone_gamma') }
    case 'laplace':
      return { kind: 'lidstone', gamma: 1 }
    case 'stupid_backoff':
      return { kind: 'stupid-backoff', alpha: numberSetting(config, 'stupid_backoff_alpha', 0.4) }
    case 'witten_bell_interpolated':
      return { kind: 'witten-bell' }
    case 'absolute_discounting_interpolated':
      return { kind: 'absolute-discounting', discount: numberSetting(config, 'absolute_discount', 0.75) }
    case 'kneser_ney_interpolated':
      return { kind: 'kneser-ney', discount: numberSetting(config, 'kneser_ney_discount', 0.1) }
    default:
      throw new FormatError(`a language model must be one of NLTK's, found "${name}"`)
  }
}

const scoreTests = z.array(z.tuple([z.string(), z.array(z.string())]))

function runNgram({ config, fields }: ReferenceCase): Computed {
  // A case may score no model that has them.
  withoutEffect(config, 'lidstone_gamma', 'kneser_ney_discount', 'absolute_discount', 'stupid_backoff_alpha')
  fixedSetting(config, 'pad', 'order-1 <s> and order-1 </s>')
  const model = new NgramModel(numberSetting(config, 'order'))
  for (const sentence of part(fields, 'input_data', z.array(z.string()))) model.add(tokensOf(sentence))
  const wanted = part(fields, 'expected', z.looseObject({ scores: anyRecord, tests: scoreTests }))
  const scores = Object.keys(wanted.scores).map((name) => {
    const smoothing = smoothingOf(name, config)
    return [name, wanted.tests.map(([word, context]) => model.score(word, context, smoothing))] as const
  })
  const lidstone = smoothingOf('lidstone', config)
  const entropies = Object.keys(wanted)
    .filter((name) => name.startsWith('lidstone_entropy_'))
    .map((name) => [name, model.entropy(name.slice('lidstone_entropy_'.length).split('_'), lidstone)] as const)
  return {
    tensors: { scores: rowsArray(scores.map(([, row]) => row)) },
    expected: {
      vocabulary: model.vocabulary,
      scores: Object.fromEntries(scores),
      tests: wanted.tests,
      ...Object.fromEntries(entropies),
      lidstone_perplexity: 2 ** (entropies[0]?.[1] ?? Number.NaN),
    },
  }
}

const decoderInput = z.object({
  phrases: z.array(z.tuple([z.string(), z.string(), z.number()])),
  lm: z.record(z.string(), z.number()),
  sentences: z.array(z.string()),
})

function runDecoder({ config, fields }: ReferenceCase): Computed {
  const { phrases, lm, sentences } = part(fields, 'input_data', decoderInput)
  const table = new PhraseTable()
  for (const [source, target, probability] of phrases) table.add(tokensOf(source), tokensOf(target), probability)
  const model = bigramLanguageModel(new Map(Object.entries(lm)), numberSetting(config, 'lm_default_probability'))
  const options = {
    stackSize: numberSetting(config, 'stack_size', 100),
    beamThreshold: numberSetting(config, 'beam_threshold', 0),
    wordPenalty: numberSetting(config, 'word_penalty', 0),
    distortionFactor: numberSetting(config, 'distortion_factor', 0.5),
    futureWords: 'source' as const,
  }
  return {
    tensors: { n: array([sentences.length], [1], 'int64') },
    expected: sentences.map((source) => ({
      source,
      translation: (decode(tokensOf(source), table, model, options) ?? []).join(' '),
    })),
  }
}

/** As JSON writes a temperature. */
const temperatureKey = (temperature: number): string =>
  Number.isInteger(temperature) ? temperature.toFixed(1) : String(temperature)

const officialShares = (shares: OccupationShares) => ({
  data_share_he: shares.data,
  posterior_share_he: shares.posterior,
  argmax: shares.best,
  argmax_share_he: shares.argmax,
  ties: shares.ties,
  two_best: shares.twoBest,
  tempered_share_he: Object.fromEntries([...shares.tempered].map(([t, share]) => [temperatureKey(t), share])),
  occupation_correct_posterior: shares.occupationCorrect,
})

function runCauses({ config, fields, tolerance }: ReferenceCase): Computed {
  const corpus = Object.entries(
    part(fields, 'input_data', z.record(z.string(), z.tuple([z.string(), z.number(), z.number()]))),
  ).map(([occupation, [foreign, he, she]]) => ({ occupation, foreign, he, she }))
  const { translator, shares, summary } = separateCauses(corpus, {
    order: numberSetting(config, 'lm_order'),
    addK: numberSetting(config, 'add_k'),
    iterations: numberSetting(config, 'ibm1_iterations'),
    languageWeight: numberSetting(config, 'lm_weight', 1),
    translationWeight: numberSetting(config, 'tm_weight', 1),
    temperatures: numbersSetting(config, 'temperatures', []),
  })
  // The cases list what is not nearly 0: what they leave out must be within the tolerance of 0.
  const { ibm1_t } = part(
    fields,
    'expected',
    z.looseObject({ ibm1_t: z.array(z.tuple([z.string(), z.string(), z.number()])) }),
  )
  const listed = new Set(ibm1_t.map(([f, e]) => `${f} ${e}`))
  const order = (a: string, b: string): number => (a < b ? -1 : Number(a > b))
  const table = [...translator.table.entries()]
    .filter(([f, e, probability]) => listed.has(`${f} ${e}`) || probability > tolerance.atol)
    .sort((a, b) => order(a[0], b[0]) || order(a[1], b[1]))
  const { corpusShare, outputShare, amplification, maleShift, distance } = summary
  const byCause = ({ posterior, argmax }: typeof amplification) => ({ learning_algorithm: posterior, argmax })
  return {
    tensors: { shares: rowsArray(shares.map(({ data, posterior, argmax }) => [data, posterior, argmax])) },
    expected: {
      per_occupation: Object.fromEntries(shares.map((each) => [each.occupation, officialShares(each)])),
      summary: {
        corpus_share_he: corpusShare,
        mean_output_share_he: { posterior_or_sampling: outputShare.posterior, argmax: outputShare.argmax },
        amplification_vs_data: byCause(amplification),
        male_default_shift: byCause(maleShift),
        tv_distance: distance,
      },
      ibm1_t: table,
      lm_vocabulary: translator.language.vocabulary,
    },
  }
}

/** The targets of the statistical translator. */
export const statisticalTargets: readonly CaseTargetRule[] = [
  { target: /^fast_align/, run: checked(runFastAlign) },
  { target: /^IBM Model 1 and 2/, run: checked(runIbm) },
  { target: /^n-gram language models/, run: checked(runNgram) },
  { target: /^phrase-based stack decoding/, run: checked(runDecoder) },
  { target: /^from-scratch SMT/, run: checked(runCauses) },
]
