import type { Command } from 'commander'
import { examples } from '../options.ts'

function print(json: boolean | undefined, event: string, fields: Record<string, unknown>, line: string): void {
  console.log(json ? JSON.stringify({ event, ...fields }) : line)
}

export function addList(program: Command): void {
  program
    .command('list')
    .description('list the systems, their recipes and jobs, or the settings of one of these')
    .argument('[recipe]', 'SYSTEM/RECIPE or SYSTEM/JOB whose settings to show')
    .option('--json', 'one JSON object per line')
    .addHelpText('after', examples('tenfold list', 'tenfold list mixer/images'))
    .action(async (wanted: string | undefined, { json }: { json?: boolean }) => {
      if (wanted !== undefined) {
        const [{ findEntry }, { describeSettings }] = await Promise.all([
          import('../../systems/session.ts'),
          import('../../train/settings.ts'),
        ])
        const { config, summary } = (await findEntry(wanted)).entry
        if (!json) console.log(`${wanted}: ${summary}\nsettings, for --set PATH=VALUE:`)
        for (const setting of describeSettings(config)) {
          const value = JSON.stringify(setting.default)
          print(json, 'setting', { ...setting }, `  ${`${setting.path} = ${value}`.padEnd(36)} ${setting.description}`)
        }
      } else {
        const { systems } = await import('../../systems/index.ts')
        for (const { name: system, title, paper, recipes = [], jobs = [] } of systems) {
          const entries = [
            ...recipes.map(({ name, summary }) => ({
              kind: 'recipe',
              name: `${system}/${name}`,
              summary,
              shown: summary,
            })),
            ...jobs.map(({ name, summary }) => ({
              kind: 'job',
              name: `${system}/${name}`,
              summary,
              shown: `job: ${summary}`,
            })),
          ]
          if (!json) console.log(`${title}  (${paper})`)
          if (!json && entries.length === 0) console.log('  its functions so far: nothing to train or run yet')
          const width = Math.max(18, ...entries.map(({ name }) => name.length))
          for (const { kind, name, summary, shown } of entries)
            print(json, kind, { name, summary }, `  ${name.padEnd(width)} ${shown}`)
        }
      }
      if (json) console.log(JSON.stringify({ event: 'done', metrics: {} }))
    })
}
