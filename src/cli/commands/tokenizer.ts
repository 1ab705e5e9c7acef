import { type Command, Option } from 'commander'
import type { TokenizerKind } from '../../data/index.ts'
import { examples, newFile, wholeNumber } from '../options.ts'
import { createReporter } from '../ui.ts'

const otherFile = 'give another file: --out'

interface TrainFlags {
  readonly size: number
  readonly kind: TokenizerKind
  readonly cased?: boolean
  readonly out: string
  readonly json?: boolean
}

function addTrainTokenizer(tokenizer: Command): void {
  tokenizer
    .command('train')
    .description('learn a vocabulary from text and write it as tokenizer.json')
    .argument('<files...>', 'text files, or folders with .txt files')
    .option('--size <n>', 'tokens in the vocabulary, the 7 special ones included', wholeNumber(8), 4000)
    .addOption(
      new Option('--kind <kind>', 'how words are cut into tokens')
        .choices(['wordpiece', 'unigram', 'bpe'])
        .default('wordpiece'),
    )
    .option('--cased', 'keep capital letters and accents')
    .requiredOption('--out <file>', 'file to write', newFile)
    .option('--json', 'one JSON object per line')
    .addHelpText(
      'after',
      examples(
        'tenfold tokenizer train books/ --size 4000 --out tokenizer.json',
        'tenfold tokenizer train a.txt b.txt --kind unigram --cased --out tokenizer.json',
      ),
    )
    .action(async (files: string[], flags: TrainFlags) => {
      const [{ openTexts, trainTokenizer }, { describeUnknown }, { requireNotInput, writeFileAtomic }] =
        await Promise.all([
          import('../../data/index.ts'),
          import('../../data/text/unknown.ts'),
          import('../../io/atomic.ts'),
        ])
      const reporter = createReporter({ json: flags.json ?? false })
      const opened = await Promise.all(files.map((file) => openTexts(file)))
      for (const [i, { summary }] of opened.entries()) reporter.say(`${files[i]}: ${summary}`)
      const texts = opened.flatMap(({ texts }) => texts)
      const paths = texts.map(({ path }) => path)
      await requireNotInput(flags.out, paths, otherFile)
      const lines = texts.flatMap(({ text }) => text.split('\n'))
      const { kind, size, out } = flags
      const trained = trainTokenizer(lines, { kind, size, lowercase: !flags.cased })
      await writeFileAtomic(out, Buffer.from(`${JSON.stringify(trained.file, null, 2)}\n`))
      const characters = texts.reduce((sum, { text }) => sum + text.length, 0)
      const sequences = lines.map((line) => trained.encode(line))
      const perToken = characters / Math.max(sequences.flat().length, 1)
      const share = trained.unknownShare(sequences)
      const unknown = describeUnknown(share, 'a larger --size covers more')
      reporter.say(
        `${out}: ${kind}, ${trained.size} tokens, from ${characters.toLocaleString('en')} characters; ${perToken.toFixed(2)} characters per token; ${unknown.part}`,
      )
      for (const warning of unknown.warnings) reporter.say(`warning: ${warning}`)
      if (trained.size < size) reporter.say(`the text has no more than ${trained.size} tokens worth learning`)
      reporter.event('done', {
        metrics: { size: trained.size, charactersPerToken: perToken, unknownShare: share },
        file: out,
      })
    })
}

function addConvert(tokenizer: Command): void {
  tokenizer
    .command('convert')
    .description('write a SentencePiece model as tokenizer.json')
    .argument('<model>', 'a SentencePiece file, such as spiece.model')
    .requiredOption('--out <file>', 'file to write', newFile)
    .option('--json', 'one JSON object per line')
    .addHelpText('after', examples('tenfold tokenizer convert spiece.model --out tokenizer.json'))
    .action(async (path: string, flags: { out: string; json?: boolean }) => {
      const [{ readTokenizer }, { requireNotInput, writeFileAtomic }] = await Promise.all([
        import('../../data/index.ts'),
        import('../../io/atomic.ts'),
      ])
      const reporter = createReporter({ json: flags.json ?? false })
      await requireNotInput(flags.out, [path], otherFile)
      const { file, size } = await readTokenizer(path)
      await writeFileAtomic(flags.out, Buffer.from(`${JSON.stringify(file, null, 2)}\n`))
      reporter.say(`${flags.out}: ${size} tokens`)
      reporter.event('done', { metrics: { size }, file: flags.out })
    })
}

function addEncode(tokenizer: Command): void {
  tokenizer
    .command('encode')
    .description('show the tokens of a text')
    .argument('<tokenizer>', 'a tokenizer.json, or a SentencePiece file that ends in .model')
    .argument('<text>', 'the text')
    .option('--json', 'one JSON object per line')
    .addHelpText('after', examples('tenfold tokenizer encode tokenizer.json "Call me [MASK]."'))
    .action(async (path: string, text: string, flags: { json?: boolean }) => {
      const { readTokenizer } = await import('../../data/index.ts')
      const reporter = createReporter({ json: flags.json ?? false })
      const trained = await readTokenizer(path)
      const ids = trained.encode(text)
      const tokens = ids.map((id) => trained.token(id))
      reporter.say(tokens.map((token, i) => `${token} ${ids[i]}`).join('  '))
      reporter.event('done', { metrics: {}, ids, tokens })
    })
}

export function addTokenizer(program: Command): void {
  const tokenizer = program
    .command('tokenizer')
    .description('train a tokenizer, or look at what one does')
    .addHelpText(
      'after',
      examples(
        'tenfold tokenizer train books/ --size 4000 --out tokenizer.json',
        'tenfold tokenizer convert spiece.model --out tokenizer.json',
        'tenfold tokenizer encode tokenizer.json "Call me [MASK]."',
      ),
    )
  addTrainTokenizer(tokenizer)
  addConvert(tokenizer)
  addEncode(tokenizer)
}
