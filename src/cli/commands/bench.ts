import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Command, InvalidArgumentError } from 'commander'
import type { MeasuredEncoder, SpeedOptions, SpeedResult } from '../../systems/fnet/speed.ts'
import { examples, newFolder, wholeNumber } from '../options.ts'

const defaultLengths = [128, 256, 512, 1024, 2048, 4096, 8192]
const encoderNames = ['FNet', 'Linear', 'FNet-Hybrid', 'BERT'] as const satisfies readonly MeasuredEncoder[]

function readLengths(text: string): number[] {
  return text.split(',').map(wholeNumber(2))
}

function readEncoders(text: string): MeasuredEncoder[] {
  return text.split(',').map((name) => {
    const found = encoderNames.find((encoder) => encoder.toLowerCase() === name.trim().toLowerCase())
    if (!found) throw new InvalidArgumentError(`must be of ${encoderNames.join(', ')}.`)
    return found
  })
}

interface Flags {
  readonly lengths: number[]
  readonly encoders: MeasuredEncoder[]
  readonly steps: number
  readonly batch: number
  readonly threads?: number
  readonly out: string
  readonly json?: boolean
  readonly inProcess?: boolean
}

/** Measures in a new process, so that its memory is its own; one that dies (of lack of memory) leaves no numbers. */
async function measureApart(encoder: MeasuredEncoder, length: number, options: SpeedOptions): Promise<SpeedResult> {
  const program = fileURLToPath(new URL('../../../bin/tenfold.js', import.meta.url))
  const args = ['bench', 'fnet', '--in-process', '--json', '--lengths', String(length), '--encoders', encoder]
  for (const [name, value] of Object.entries(options)) args.push(`--${name}`, String(value))
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...args])
    return JSON.parse(stdout.split('\n')[0] ?? '') as SpeedResult
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'killed' in error)
      return { encoder, length, milliseconds: undefined, peakMebibytes: undefined, parameters: undefined }
    throw error
  }
}

function line({ encoder, length, milliseconds, peakMebibytes }: SpeedResult): string {
  const label = `${String(length).padStart(6)}  ${encoder.padEnd(12)}`
  if (milliseconds === undefined || peakMebibytes === undefined) return `${label} did not finish (memory?)`
  return `${label} ${milliseconds.toFixed(1).padStart(9)} ms ${peakMebibytes.toFixed(0).padStart(7)} MiB`
}

async function benchFNet(flags: Flags): Promise<void> {
  const { measureSpeed, speedRatios, paperRatios } = await import('../../systems/fnet/speed.ts')
  if (!flags.inProcess) {
    const { requireReportPackages } = await import('../report.ts')
    requireReportPackages()
  }
  const options = {
    steps: flags.steps,
    batch: flags.batch,
    ...(flags.threads !== undefined && { threads: flags.threads }),
  }
  if (!flags.inProcess) await (await import('../../io/atomic.ts')).makeFolder(flags.out)
  const measure = flags.inProcess ? measureSpeed : measureApart
  const results: SpeedResult[] = []
  for (const length of flags.lengths) {
    for (const encoder of flags.encoders) {
      const result = await measure(encoder, length, options)
      results.push(result)
      console.log(flags.json ? JSON.stringify({ event: 'measurement', ...result }) : line(result))
    }
  }
  if (flags.inProcess) return
  const ratios = speedRatios(results)
  for (const ratio of ratios) {
    const paper = paperRatios.get(ratio.length)
    if (flags.json) console.log(JSON.stringify({ event: 'ratio', ...ratio, ...(paper && { paper }) }))
    else {
      const beside = paper ? ` (paper, on GPUs: ${paper.time} and ${paper.memory})` : ''
      console.log(
        `${ratio.length} tokens: BERT takes ${ratio.time.toFixed(1)} times as long as FNet and ${ratio.memory.toFixed(1)} times its memory${beside}`,
      )
    }
  }
  const page = await writePage(results, options, flags.out)
  console.log(flags.json ? JSON.stringify({ event: 'done', page }) : `wrote ${page}`)
}

async function writePage(results: readonly SpeedResult[], options: SpeedOptions, folder: string): Promise<string> {
  const [{ renderFigureSvg, renderReport }, { writeFileAtomic }, speed] = await Promise.all([
    import('../../report/render.ts'),
    import('../../io/atomic.ts'),
    import('../../systems/fnet/speed.ts'),
  ])
  const html = await renderReport({
    title: 'FNet: speed against length',
    subtitle: speed.describeSpeed(options),
    summary: speed.speedRatios(results).map(({ length, time, memory }) => ({
      label: `BERT / FNet, ${length} tokens`,
      value: `${time.toFixed(1)} x time`,
      note: `${memory.toFixed(1)} x memory`,
    })),
    sections: speed.speedSections(results),
    footer:
      'Written by tenfold bench fnet. Memory is the largest resident set of the process, less what it had before the model was made.',
  })
  const write = (name: string, text: string) => writeFileAtomic(join(folder, name), Buffer.from(text))
  await write('speed.html', html)
  await write('speed.json', `${JSON.stringify({ options, results }, null, 2)}\n`)
  await write('speed.md', speed.speedMarkdown(results))
  for (const [name, plot] of Object.entries(speed.speedPlots(results))) {
    await write(`speed-${name}.svg`, await renderFigureSvg(plot))
  }
  return join(folder, 'speed.html')
}

export function addBench(program: Command): void {
  const bench = program.command('bench').description('measure time and memory on this machine')
  bench
    .command('fnet')
    .description('time of a training step and peak memory against length: FNet, Linear, hybrid, BERT')
    .option('--lengths <list>', 'tokens in a sequence', readLengths, defaultLengths)
    .option('--encoders <list>', `of ${encoderNames.join(', ')}`, readEncoders, [...encoderNames])
    .option('--steps <n>', 'measured training steps, at least; the fastest counts', wholeNumber(1), 5)
    .option('--batch <n>', 'sequences in a step', wholeNumber(1), 1)
    .option('--threads <n>', "threads that compute one op (default: the runtime's choice)", wholeNumber(1))
    .option(
      '--out <dir>',
      'where speed.html goes, its numbers (.json, .md) and its pictures (.svg)',
      newFolder,
      'runs/bench-fnet',
    )
    .option('--in-process', 'measure in this process and write no page')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', examples('tenfold bench fnet', 'tenfold bench fnet --lengths 512,2048 --encoders FNet,BERT'))
    .action(benchFNet)
}
