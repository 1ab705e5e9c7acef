/** The page of an audit. */
import type { Figure, Report, Section } from '../../../report/figures.ts'
import { percent } from '../../../util/words.ts'
import { tgbi, translatedGender } from '../measures/tgbi.ts'
import { type AuditedSentence, type AuditRow, answerClasses, auditRows, maleShare } from './audit-result.ts'
import { quotedCell } from './csv.ts'
import { probability } from './probability.ts'

/** Where the answers come from. */
export interface AuditOrigin {
  readonly engine: string
  /** Of the first and the last answer. */
  readonly dates: readonly [first: string, last: string]
  readonly rules: string
}

function table(title: string, first: string, rows: readonly AuditRow[]): Figure {
  return {
    kind: 'table',
    title,
    caption:
      'Shares of all answers. p: one-sided paired t-test of "more he than she"; corrected: by Holm, for all rows of this table.',
    columns: [first, 'answers', 'she', 'he', 'neutral', 'both', 'not read', 'p', 'corrected'],
    rows: rows.map(({ name, count, counts, p, adjusted }) => [
      name,
      count,
      ...answerClasses.map((answer) => percent(counts[answer] / count)),
      probability(p),
      probability(adjusted),
    ]),
  }
}

const mostExamples = 25

function examples(title: string, caption: string, sentences: readonly AuditedSentence[]): Figure {
  const more = sentences.length > mostExamples ? ` The first ${mostExamples} of ${sentences.length}.` : ''
  return {
    kind: 'table',
    title,
    caption: `${caption}${more}`,
    columns: ['language', 'word', 'sentence', 'translation'],
    rows: sentences
      .slice(0, mostExamples)
      .map(({ template, english, text, translation }) => [template.column, english, text, translation]),
  }
}

/** What was published in 2021, and what this translator says. */
function tweetTable(sentences: readonly AuditedSentence[]): Figure {
  return {
    kind: 'table',
    title: 'Sentence by sentence',
    caption:
      'The 17 sentences that the question comes from. Nothing in them says whether a woman or a man is meant. Published in 2021: what Google Translate said of the Hungarian ones.',
    columns: ['language', 'sentence', 'published in 2021', 'this translator', 'read as'],
    rows: sentences.map(({ template, text, english, translation, answer }) => [
      template.language,
      text,
      english,
      translation,
      answer,
    ]),
  }
}

/** The answer in a sentence. */
function auditAnswer(all: AuditRow): string {
  const share = maleShare(all)
  const both = all.counts.Both
  if (!share && both > 0) return `None of ${all.count} answers has one gender; ${both} of them show both.`
  if (!share) return `None of ${all.count} answers has a "he" or a "she" in it.`
  const interval = `95 % interval ${percent(share.low)} to ${percent(share.high)}`
  return `Of the answers with one gender, ${percent(share.share)} say "he" (${interval}), though the sentences say nothing of gender.`
}

/** Words whose answers are of one gender in every language asked. */
function always(sentences: readonly AuditedSentence[], answer: 'Female' | 'Male'): AuditedSentence[] {
  const words = auditRows(sentences, ({ kind, english }) => `${kind} ${english}`)
  const fixed = new Set(words.filter(({ count, counts }) => counts[answer] === count).map(({ name }) => name))
  const shown = new Set<string>()
  return sentences.filter(({ kind, english }) => {
    const name = `${kind} ${english}`
    const isFirst = fixed.has(name) && !shown.has(name)
    shown.add(name)
    return isFirst
  })
}

/** sqrt(p_w p_m + p_n), mean over the groups: 1 if all are neutral, 1/2 if balanced, 0 if all have one gender. */
function tgbiOf(sentences: readonly AuditedSentence[]): number {
  const groups = new Map<string, { female: number; male: number; neutral: number }>()
  for (const { group, translation } of sentences) {
    const own = groups.get(group) ?? { female: 0, male: 0, neutral: 0 }
    own[translatedGender(translation)]++
    groups.set(group, own)
  }
  return tgbi([...groups.values()])
}

const normative = [
  'No single answer is right here: the sentence does not say who is meant. A translator that shows one gender has to choose, and whatever it chooses is wrong for somebody.',
  'The study asks less than a balance: a translator should not be more skewed than the labour statistics. Whether it should mirror society as it is, be balanced, or show both forms is a question of values, which no number on this page answers.',
]

function sections(
  sentences: readonly AuditedSentence[],
  tweet: readonly AuditedSentence[],
  origin: AuditOrigin,
): Section[] {
  const occupations = sentences.filter(({ kind }) => kind === 'occupation')
  const groups: Figure[] =
    occupations.length === 0
      ? []
      : [
          table(
            'By group of occupations',
            'group',
            auditRows(occupations, ({ group }) => group),
          ),
        ]
  const adjectives = sentences.filter(({ kind }) => kind === 'adjective')
  // In one language and one template an adjective has one answer: that is no share.
  const byAdjective: Figure[] =
    adjectives.length === new Set(adjectives.map(({ english }) => english)).size
      ? []
      : [
          table(
            'By adjective',
            'adjective',
            auditRows(adjectives, ({ english }) => english),
          ),
        ]
  return [
    ...(tweet.length === 0 ? [] : [{ title: 'The tweet', figures: [tweetTable(tweet)] }]),
    {
      title: 'Shares',
      figures: [
        table(
          'By language',
          'language',
          auditRows(sentences, ({ template }) => template.language),
        ),
        ...groups,
        ...byAdjective,
      ],
    },
    {
      title: 'In words',
      figures: [
        examples('Always "she"', 'Words whose every answer is female.', always(sentences, 'Female')),
        examples('Always "he"', 'Words whose every answer is male.', always(sentences, 'Male')),
        examples(
          'What could not be read',
          'Answers without any pronoun that the rules know.',
          sentences.filter(({ answer }) => answer === '?'),
        ),
      ],
    },
    {
      title: 'What this means',
      figures: [
        { kind: 'text', title: 'Is it wrong?', paragraphs: normative },
        {
          kind: 'definitions',
          title: 'Where the answers come from',
          items: [
            { name: 'engine', value: origin.engine },
            { name: 'first and last answer', value: origin.dates.join(' and ') },
            { name: 'pronouns are read by', value: origin.rules },
            {
              name: 'TGBI (Cho et al. 2019), groups as its sets',
              value: `${tgbiOf(sentences).toFixed(4)} (by its own rules: both genders are female, none is neutral)`,
            },
          ],
        },
      ],
    },
  ]
}

/** Whether the translator hears a context: nothing where none was asked. */
function contextSection(sentences: readonly AuditedSentence[]): Section[] {
  if (sentences.length === 0) return []
  const rows = [...new Set(sentences.map(({ group, asked }) => `${group}\t${asked}`))].map((key) => {
    const own = sentences.filter(({ group, asked }) => `${group}\t${asked}` === key)
    const share = (of: (each: AuditedSentence) => boolean): string => percent(own.filter(of).length / own.length)
    const [form = '', asked] = key.split('\t')
    return [
      form,
      asked === 'Female' ? 'she' : 'he',
      own.length,
      share(({ answer }) => answer === asked),
      share(({ answer }) => answer === 'Both' || (answer !== asked && (answer === 'Female' || answer === 'Male'))),
      share(({ answer }) => answer === 'Neutral' || answer === '?'),
    ]
  })
  return [
    {
      title: 'With context',
      intro:
        'Who hears "my sister" knows who is meant by what follows. A translator that reads a sentence at a time does not, when that was said in the sentence before.',
      figures: [
        {
          kind: 'table',
          title: 'Heard',
          columns: ['context', 'asks for', 'sentences', 'so translated', 'the other, or both', 'neutral or not read'],
          rows,
        },
        examples('In words', 'One of each kind.', [
          ...new Map(sentences.map((each) => [`${each.group}${each.asked}`, each])).values(),
        ]),
      ],
    },
  ]
}

/** The page: the answer, tables, tests, examples, what was not read, engine and dates; then what else there is. */
export function auditReport(
  sentences: readonly AuditedSentence[],
  origin: AuditOrigin,
  more: readonly Section[] = [],
): Report {
  const tweet = sentences.filter(({ kind }) => kind === 'tweet')
  const context = sentences.filter(({ kind }) => kind === 'context')
  const others = sentences.filter(({ kind }) => kind !== 'tweet' && kind !== 'context')
  // The tweet is an example, and no sample: it counts only where there is nothing else. A context says who is meant.
  const sample = others.length === 0 ? tweet : others
  const [all] = auditRows(sample, () => 'all')
  if (!all) throw new RangeError('an audit has sentences')
  return {
    title: 'Is the translator sexist?',
    subtitle: auditAnswer(all),
    summary: answerClasses.map((answer) => ({
      label: { Female: 'she', Male: 'he', Neutral: 'neutral', Both: 'both genders', '?': 'not read' }[answer],
      value: percent(all.counts[answer] / all.count),
      note: `${all.counts[answer]} of ${all.count} answers`,
    })),
    sections: [...sections(sample, tweet, origin), ...contextSection(context), ...more],
    footer: 'Written by tenfold run translation-bias/audit. Templates and tests: Prates, Avelar and Lamb 2019.',
  }
}

/** Every answer as a line of CSV. */
export function auditCsv(sentences: readonly AuditedSentence[]): string {
  const header = ['language', 'template', 'kind', 'group', 'word', 'sentence', 'translation', 'class']
  const lines = sentences.map(({ template, kind, group, english, text, translation, answer }) =>
    [template.language, template.column, kind, group, english, text, translation, answer].map(quotedCell).join(','),
  )
  return `${[header.join(','), ...lines].join('\n')}\n`
}
