import { readlink, stat } from 'node:fs/promises'
import type { Command } from 'commander'
import type { CheckpointChoice } from '../../train/checkpoint.ts'
import { UsageError } from '../../util/errors.ts'
import { systemCode } from '../../util/system-errors.ts'
import { checkpointOption, examples } from '../options.ts'
import { note } from '../output.ts'

/** Characters shown of a fact; --json gives them all. */
const longest = 1000

/** A text of a file on one line: control characters, which could rewrite the terminal, as escapes. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    const link = await readlink(path).catch(() => undefined)
    const what = link === undefined ? 'no such file or directory' : `a link to ${link}, which is not there`
    throw new UsageError(`${path}: ${what}`)
  }
}

export function addInfo(program: Command): void {
  program
    .command('info')
    .description('what is in a file of tensors, an ONNX model, or a run directory')
    .argument('<path>', 'file (safetensors, npz, npy, PyTorch, ONNX) or run directory')
    .addOption(checkpointOption())
    .option('--json', 'one JSON object per line')
    .addHelpText('after', examples('tenfold info runs/quick', 'tenfold info mixer.onnx', 'tenfold info Mixer-B_16.npz'))
    .action(async (path: string, { checkpoint, json }: { checkpoint: CheckpointChoice; json?: boolean }) => {
      const { describeFile, describeRun } = await import('../info.ts')
      const warn = (message: string): void => note(`warning: ${message}`)
      const description = (await isFolder(path)) ? await describeRun(path, checkpoint, warn) : await describeFile(path)
      if (json) {
        const { step, ...described } = description
        console.log(JSON.stringify({ event: 'info', ...described }))
        console.log(JSON.stringify({ event: 'done', metrics: {}, ...(step !== undefined && { step }) }))
        return
      }
      console.log(printable(description.title))
      for (const [name, text] of Object.entries(description.facts)) {
        const shown = text.length > longest ? `${text.slice(0, longest)}...` : text
        console.log(printable(`  ${name.padEnd(14)} ${shown}`))
      }
      for (const row of description.tensors)
        console.log(printable(`  ${row.name.padEnd(48)} ${row.dtype}[${row.shape.join(', ')}]`))
    })
}
