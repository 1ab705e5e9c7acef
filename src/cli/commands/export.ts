import { basename, extname } from 'node:path'
import { type Command, Option } from 'commander'
import type { CheckpointChoice } from '../../train/checkpoint.ts'
import { UsageError } from '../../util/errors.ts'
import { checkpointOption, examples, newFile } from '../options.ts'
import { createReporter } from '../ui.ts'

interface ExportFlags {
  readonly format: 'onnx' | 'safetensors'
  readonly out: string
  readonly model?: string
  readonly checkpoint: CheckpointChoice
  readonly json?: boolean
}

export function addExport(program: Command): void {
  program
    .command('export')
    .description("write a run's model as one file: ONNX to run anywhere, safetensors for its weights")
    .argument('<dir>', 'run directory')
    .addOption(new Option('--format <format>', 'file format').choices(['onnx', 'safetensors']).makeOptionMandatory())
    .requiredOption('--out <file>', 'file to write', newFile)
    .option('--model <name>', 'which of its networks (default: the first; an unknown name lists them)')
    .addOption(checkpointOption())
    .option('--json', 'one JSON object per line')
    .addHelpText(
      'after',
      examples(
        'tenfold export runs/quick --format onnx --out mixer.onnx',
        'tenfold export runs/quick --format safetensors --out mixer.safetensors',
      ),
    )
    .action(async (dir: string, { format, out, model, checkpoint, json = false }: ExportFlags) => {
      if (extname(out).toLowerCase() !== `.${format}`)
        throw new UsageError(`--out must name a .${format} file, found "${out}"`, {
          hint: `--out ${basename(out, extname(out))}.${format}, or another --format`,
        })
      const { openRun } = await import('../../systems/session.ts')
      const { writeModel } = await import('../export.ts')
      const reporter = createReporter({ json })
      const opened = await openRun(dir, { checkpoint, onWarning: reporter.warn })
      const bytes = await writeModel(opened, format, out, model)
      reporter.say(`${out}: ${(bytes / 1e6).toFixed(2)} MB, from step ${opened.step}`)
      reporter.event('done', { metrics: {}, file: out, bytes, step: opened.step })
    })
}
