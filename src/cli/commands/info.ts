import { stat } from 'node:fs/promises'
import type { Command } from 'commander'
import { UsageError } from '../../util/errors.ts'
import { examples } from '../options.ts'

/** Characters shown of a fact; --json gives them all. */
const longest = 1000

/** A text of a file on one line: control characters, which could rewrite the terminal, as escapes. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

export function addInfo(program: Command): void {
  program
    .command('info')
    .description('what is in a file of tensors, an ONNX model, or a run directory')
    .argument('<path>', 'file (safetensors, npz, npy, PyTorch, ONNX) or run directory')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', examples('tenfold info runs/quick', 'tenfold info mixer.onnx', 'tenfold info Mixer-B_16.npz'))
    .action(async (path: string, flags: { json?: boolean }) => {
      const entry = await stat(path).catch(() => {
        throw new UsageError(`${path}: no such file or directory`)
      })
      const { describeFile, describeRun } = await import('../info.ts')
      const description = entry.isDirectory() ? await describeRun(path) : await describeFile(path)
      if (flags.json) {
        console.log(JSON.stringify({ event: 'info', ...description }))
        console.log(JSON.stringify({ event: 'done', metrics: {} }))
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
