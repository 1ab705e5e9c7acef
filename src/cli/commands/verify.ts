import type { Command } from 'commander'
import { examples } from '../options.ts'

export function addVerify(program: Command): void {
  program
    .command('verify')
    .description('compare tenfold with reference cases made by the official implementations')
    .argument('<paths...>', 'folders or files of cases (NAME.json next to NAME.safetensors)')
    .option('--filter <text>', 'only cases whose name or target contains the text')
    .option('--json', 'one JSON object per case')
    .addHelpText('after', examples('tenfold verify test/cases', 'tenfold verify test/cases/ops --filter conv2d'))
    .action(async (paths: string[], flags: { filter?: string; json?: boolean }) => {
      const [{ verify }, { systems }] = await Promise.all([
        import('../../verify/run.ts'),
        import('../../systems/index.ts'),
      ])
      const rules = systems.flatMap(({ name, targets = [] }) => targets.map((rule) => ({ ...rule, system: name })))
      let [passed, failed, unreadable] = [0, 0, 0]
      if (!flags.json)
        console.log(
          `${'case'.padEnd(46)} ${'tensors'.padStart(7)} ${'max abs'.padStart(9)} ${'max rel'.padStart(9)}  result`,
        )
      for await (const result of verify(paths, rules, flags.filter)) {
        if (result.passed) passed++
        else failed++
        if (result.unreadable) unreadable++
        if (flags.json) {
          console.log(JSON.stringify({ event: 'case', ...result }))
          continue
        }
        const errors = [result.maxAbsolute, result.maxRelative].map((value) => value.toExponential(1).padStart(9))
        const pass = result.rounding === undefined ? 'pass' : 'pass, for inputs that differ by a rounding'
        const verdict = result.passed ? pass : `FAIL ${result.problem}`
        console.log(`${result.case.padEnd(46)} ${String(result.tensors).padStart(7)} ${errors.join(' ')}  ${verdict}`)
      }
      console.log(
        flags.json
          ? JSON.stringify({ event: 'done', metrics: { passed, failed } })
          : `${passed} passed, ${failed} failed`,
      )
      if (failed > 0 || passed === 0) process.exitCode = unreadable > 0 ? 2 : 1
    })
}
