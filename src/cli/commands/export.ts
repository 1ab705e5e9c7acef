import { type Command, Option } from 'commander'
import { examples } from '../options.ts'
import { createReporter } from '../ui.ts'

export function addExport(program: Command): void {
  program
    .command('export')
    .description("write a run's model as one file: ONNX to run anywhere, safetensors for its weights")
    .argument('<dir>', 'run directory')
    .addOption(new Option('--format <format>', 'file format').choices(['onnx', 'safetensors']).makeOptionMandatory())
    .requiredOption('--out <file>', 'file to write')
    .option('--json', 'one JSON object a line')
    .addHelpText(
      'after',
      examples(
        'tenfold export runs/quick --format onnx --out mixer.onnx',
        'tenfold export runs/quick --format safetensors --out mixer.safetensors',
      ),
    )
    .action(async (dir: string, flags: { format: 'onnx' | 'safetensors'; out: string; json?: boolean }) => {
      const { openRun } = await import('../session.ts')
      const { writeModel } = await import('../export.ts')
      const reporter = createReporter({ json: flags.json ?? false })
      const opened = await openRun(dir)
      const bytes = await writeModel(opened, flags.format, flags.out)
      reporter.say(`${flags.out}: ${(bytes / 1e6).toFixed(2)} MB, from step ${opened.step}`)
      reporter.event('done', { metrics: {}, file: flags.out, bytes })
    })
}
