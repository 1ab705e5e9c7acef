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
        const { config, summary } = findEntry(wanted).entry
        if (!json) console.log(`${wanted}: ${summary}\nsettings, for --set PATH=VALUE:`)
        for (const setting of describeSettings(config)) {
          const value = JSON.stringify(setting.default)
          print(json, 'setting', { ...setting }, `  ${`${setting.path} = ${value}`.padEnd(36)} ${setting.description}`)
        }
      } else {
        const { systems } = await import('../../systems/index.ts')
        for (const system of systems) {
          if (!json) console.log(`${system.title}  (${system.paper})`)
          for (const recipe of system.recipes ?? []) {
            const name = `${system.name}/${recipe.name}`
            const { summary } = recipe
            print(json, 'recipe', { name, summary }, `  ${name.padEnd(18)} ${summary}`)
          }
          for (const { name: own, summary } of system.jobs ?? []) {
            const name = `${system.name}/${own}`
            print(json, 'job', { name, summary }, `  ${name.padEnd(18)} job: ${summary}`)
          }
        }
      }
      if (json) console.log(JSON.stringify({ event: 'done', metrics: {} }))
    })
}
