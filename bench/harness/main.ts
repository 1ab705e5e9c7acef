/** `npm run bench`: tenfold and its peers side by side, in one run. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { runtimeVersion } from '../../src/runtime/binding.ts'
import { processorName } from '../../src/train/processor.ts'
import { suggestion } from '../../src/util/words.ts'
import { decodings, groups, products, workloads } from '../workloads/index.ts'
import { mainJob, measureMainJob } from './main-job.ts'
import { measureTogether } from './measure.ts'
import { folder, missing, type PeerName, peerNames, tenfoldCommand, versionOf } from './peers.ts'
import { describe, markdown, type Result, ratiosOf, resultsOf } from './report.ts'

// Threads of PyTorch wait for each other actively: beside other programs its steps take many times as long, tenfold's some.
const busyLoad = 1
const busyWarning = 'other programs slow the peers unequally; measure again when it is quiet'

interface Flags {
  readonly peer: readonly PeerName[]
  readonly repetitions: number
  readonly threads: number
  readonly steps: number
  readonly json?: boolean
}

const single = [mainJob, ...[...workloads, ...decodings, ...products].map(({ name }) => name)]
const known = [...Object.keys(groups), ...single]

function peersOf(text: string): PeerName[] {
  return text.split(',').map((name) => {
    const found = peerNames.find((peer) => peer === name)
    if (!found) throw new InvalidArgumentError(`there is no peer "${name}"; there are ${peerNames.join(', ')}.`)
    return found
  })
}

function positive(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('must be a whole number of at least 1.')
  return value
}

/** Versions and machine, for the files. */
async function describeMachine(threads: number, peers: readonly PeerName[]): Promise<Record<string, string>> {
  const installed = peers.filter((peer) => missing(peer) === undefined)
  return {
    date: new Date().toISOString().slice(0, 16),
    processor: await processorName(),
    threads: String(threads),
    'load before': (loadavg()[0] ?? 0).toFixed(1),
    node: process.versions.node,
    onnxruntime: runtimeVersion,
    ...Object.fromEntries(installed.map((peer) => [peer, versionOf(peer)])),
  }
}

async function measureWorkload(name: string, flags: Flags): Promise<Result[]> {
  if (name === mainJob) return measureMainJob(flags.steps, flags.threads)
  const options = { peers: flags.peer, rounds: flags.repetitions, threads: flags.threads }
  if (products.some((product) => product.name === name)) {
    return resultsOf(name, 'product', await measureTogether(name, 'product', '-', options))
  }
  const file = join(folder, `${name}.safetensors`)
  const { program, args } = tenfoldCommand(name, 'prepare', file, flags.threads)
  execFileSync(program, args)
  if (decodings.some((decoding) => decoding.name === name)) {
    return resultsOf(name, 'decode', await measureTogether(name, 'decode', file, options))
  }
  const train = await measureTogether(name, 'train', file, options)
  // A single op's result is copied out: without its gradient that would be most of the time.
  if (name.startsWith('op-')) return resultsOf(name, 'train', train)
  const infer = await measureTogether(name, 'infer', file, options)
  return [...resultsOf(name, 'train', train), ...resultsOf(name, 'infer', infer)]
}

async function run(names: readonly string[], flags: Flags): Promise<void> {
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    process.stderr.write(`error: unknown workload "${unknown}" (${suggestion(unknown, known)})\n`)
    process.exitCode = 2
    return
  }
  mkdirSync(folder, { recursive: true })
  const say = (line: string): void => {
    if (!flags.json) process.stdout.write(`${line}\n`)
  }
  const event = (content: object): void => {
    if (flags.json) process.stdout.write(`${JSON.stringify(content)}\n`)
  }
  const machine = await describeMachine(flags.threads, flags.peer)
  for (const peer of flags.peer) if (missing(peer)) say(`${peer}: ${missing(peer)}`)
  say(
    Object.entries(machine)
      .map(([key, value]) => `${key}: ${value}`)
      .join('; '),
  )
  if (Number(machine['load before']) > busyLoad) say(`the machine is busy: ${busyWarning}`)
  event({ event: 'start', machine })
  const results: Result[] = []
  for (const name of names.length > 0 ? names.flatMap((name) => groups[name] ?? name) : single) {
    const found = await measureWorkload(name, flags)
    results.push(...found)
    for (const line of describe(found)) say(line)
    for (const result of found) event({ event: 'result', ...result })
    writeFileSync(
      join(folder, 'results.json'),
      `${JSON.stringify({ machine, results, ratios: ratiosOf(results) }, null, 2)}\n`,
    )
    writeFileSync(join(folder, 'results.md'), markdown(results, machine))
  }
  say(`written to ${join(folder, 'results.json')} and ${join(folder, 'results.md')}`)
  event({ event: 'done', ratios: ratiosOf(results) })
}

await new Command('npm run bench --')
  .description('measures training steps, inference, start and memory of tenfold and its peers, interleaved')
  .argument('[names...]', `workloads (default: all): ${known.join(', ')}; ops is all that stand for a single op`)
  .option('--peer <names>', `of ${peerNames.join(',')}`, peersOf, ['torch'] as PeerName[])
  .option('--repetitions <n>', 'rounds in which each process has a turn of about 0.4 s', positive, 10)
  .option('--threads <n>', 'threads of each', positive, 2)
  .option('--steps <n>', 'steps of the main job', positive, 10_000)
  .option('--json', 'one JSON object per line')
  .action(run)
  .parseAsync()
