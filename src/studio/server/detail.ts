/** All that is shown of one run: settings, facts, pictures, pages, uses. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Recipe, System } from '../../systems/define.ts'
import { type RunDescription, RunDirectory } from '../../train/run.ts'
import { type Settings, settingPaths } from '../../train/settings.ts'
import { TenfoldError } from '../../util/errors.ts'
import type { RunDetail, RunSummary, SnapshotFile } from '../protocol.ts'
import { usesOf } from './forms.ts'
import type { Records } from './records.ts'
import { readJobHead } from './summary.ts'

/** Every setting by its dotted path. */
function flat(config: Settings): Record<string, unknown> {
  const at = (path: string): unknown =>
    path.split('.').reduce<unknown>((found, key) => (found as Settings | undefined)?.[key], config)
  return Object.fromEntries(settingPaths(config).map((path) => [path, at(path)]))
}

function factsOf({ seed, limits, threads, versions, extensions, started }: RunDescription): Record<string, string> {
  return {
    seed: String(seed),
    started: started.slice(0, 19).replace('T', ' '),
    ...(limits.steps !== null && { 'limit of steps': String(limits.steps) }),
    threads: threads === null ? 'all cores' : String(threads),
    ...(extensions.length > 0 && { extended: extensions.map(({ step }) => `at step ${step}`).join(', ') }),
    ...versions,
  }
}

/** Shown as they are; the rest of a run (checkpoints, records) is for the command line. */
const shownEndings = /\.(html|png|mp4|svg|wav|txt)$/i

async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.')).map(({ name }) => name)
}

/** The pictures of evaluations, by name and in the order of their steps. */
async function snapshotsOf(path: string): Promise<SnapshotFile[]> {
  const found = (await namesIn(join(path, 'snapshots'))).flatMap((file) => {
    const [, name, step] = /^(.+)-(\d+)\.png$/.exec(file) ?? []
    return name === undefined ? [] : [{ name, step: Number(step), file: `snapshots/${file}` }]
  })
  return found.sort((a, b) => a.name.localeCompare(b.name) || a.step - b.step)
}

async function filesOf(path: string): Promise<string[]> {
  const shown = (await namesIn(path)).filter((name) => shownEndings.test(name)).sort()
  return [...shown.filter((name) => name === 'report.html'), ...shown.filter((name) => name !== 'report.html')]
}

function recipeOf(systems: readonly System[], name: string): Recipe | undefined {
  const [system, recipe] = name.split('/')
  return systems.find((each) => each.name === system)?.recipes?.find((each) => each.name === recipe)
}

/** The settings and facts of a run or job; none of one that is damaged. */
async function describe(path: string, { kind }: RunSummary): Promise<Pick<RunDetail, 'settings' | 'facts'>> {
  if (kind === 'job') {
    const head = await readJobHead(path)
    return { settings: flat(head?.config ?? {}), facts: head?.seed == null ? {} : { seed: String(head.seed) } }
  }
  try {
    const { description } = await RunDirectory.open(path)
    return { settings: flat(description.config), facts: factsOf(description) }
  } catch (error) {
    if (!(error instanceof TenfoldError)) throw error
    return { settings: {}, facts: {} }
  }
}

/** `path`: the folder of the run; undefined while it is not there yet. */
export async function detailOf(
  path: string | undefined,
  summary: RunSummary,
  { systems, records }: { readonly systems: readonly System[]; readonly records: Records },
): Promise<RunDetail> {
  const recipe = recipeOf(systems, summary.recipe)
  const { text: log } = await records.readLog(summary.id)
  const common = { summary, metrics: recipe?.metrics ?? {}, uses: recipe ? usesOf(recipe) : [], log }
  if (path === undefined) return { ...common, settings: {}, facts: {}, snapshots: [], files: [] }
  const [described, snapshots, files] = await Promise.all([describe(path, summary), snapshotsOf(path), filesOf(path)])
  return { ...common, ...described, snapshots, files }
}
