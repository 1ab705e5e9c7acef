/** Runs as trainings would leave them, with made-up numbers: for `check-studio.js`, which looks at many of them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Numbers from 0 to 1 that are the same in every call. */
function* numbers(seed) {
  let state = seed * 2654435761 + 1
  for (;;) {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) >>> 0
    yield state / 2 ** 32
  }
}

/** One line of a run's metrics, as the training loop writes it. */
export function metricsLine(step, loss) {
  const accuracy = Math.min(1, Math.max(0, 1 - loss / 2.4))
  return `${JSON.stringify({ type: 'step', step, epoch: Math.floor((step - 1) / 469), loss, accuracy })}\n`
}

/** Writes a finished run of mixer/mnist with so many steps. `config`: its settings, of an existing run. */
export function writeRun(folder, { config, name, steps, seed, lr, started }) {
  const path = join(folder, name)
  mkdirSync(path, { recursive: true })
  const random = numbers(seed)
  const description = {
    ...{ format: 1, system: 'mixer', recipe: 'mnist', seed, facts: {}, limits: { steps: null }, threads: null },
    config: { ...config, optimizer: { ...config.optimizer, lr } },
    versions: { tenfold: '0.1.0' },
    ...{ started, begun: true },
  }
  writeFileSync(join(path, 'run.json'), JSON.stringify(description))
  const lines = []
  for (let step = 1; step <= steps; step++) {
    const loss = 0.1 + 2.2 * Math.exp((-4 * step * lr) / (0.003 * steps)) + 0.2 * random.next().value
    lines.push(metricsLine(step, Number(loss.toFixed(6))))
    if (step % 469 !== 0 && step !== steps) continue
    const epoch = Math.floor((step - 1) / 469)
    const evaluation = { type: 'evaluation', step, epoch, seconds: step / 10, accuracy: 1 - loss / 3, loss: loss - 0.1 }
    lines.push(`${JSON.stringify(evaluation)}\n`)
  }
  writeFileSync(join(path, 'metrics.jsonl'), lines.join(''))
  writeFileSync(join(path, 'report.html'), `<!doctype html><title>${name}</title><h1>${name}</h1>`)
}
