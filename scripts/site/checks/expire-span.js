/** Trains until new corridors are answered, types texts, looks at what is remembered of them word by word, and lets the span be fixed. */
export async function use(tab, check) {
  const fact = async (name) =>
    Number.parseFloat((await tab.locator('.facts div', { hasText: name }).locator('dd').textContent()) ?? '')
  const begun = Date.now()
  const since = () => ((Date.now() - begun) / 1000).toFixed(1)
  await tab.getByRole('button', { name: 'Train from scratch' }).click()
  await tab.waitForFunction(() => Number(document.querySelector('[data-step]')?.dataset.step) >= 1)
  const first = since()
  await tab.getByRole('button', { name: 'Train again' }).waitFor({ timeout: 400_000 })
  const trained = since()
  await tab.waitForTimeout(3000)
  const [error, kept] = [await fact('wrongly'), await fact('memories kept')]
  check(`first step after ${first} s, all after ${trained} s`, true)
  check(`corridors of up to 200 steps: ${error} % wrong (guessing: 75), ${kept} memories`, error < 25 && kept <= 96)

  /** The words with their role and span, once the network has answered a text. */
  const typed = async (text, color) => {
    await tab.getByRole('textbox').fill(text)
    const isAnswered = (name) =>
      document.querySelector('[data-test=answer] .best')?.textContent?.trim().startsWith(name) &&
      document.querySelector('[data-test=answer] .note')?.textContent?.includes(name)
    await tab.waitForFunction(isAnswered, color, { timeout: 10_000 }).catch(() => undefined)
    await tab.waitForTimeout(300)
    const isRight = await tab.evaluate(isAnswered, color)
    const words = await tab
      .locator('[data-word]')
      .evaluateAll((all) => all.map(({ className, title }) => [className.split(' ')[0], Number.parseFloat(title)]))
    const spansOf = (wanted) => words.flatMap(([role, span]) => (role === wanted ? [span] : []))
    return { isRight, object: Math.max(...spansOf('object')), steps: spansOf('step') }
  }
  const story =
    'was what I saw. Then came the old captain with his dog, and we had tea by the fire, and he told us of the sea and of ships that went there long ago; the night was cold, and at last somebody had to say which door?'
  const found = []
  for (const color of ['red', 'blue', 'yellow', 'green']) found.push(await typed(`${color} ${story}`, color))
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
  const said = found.map(({ object, steps }) => `${object} against ${mean(steps).toFixed(0)}`).join(', ')
  // One colour may be forgotten: whoever remembers none knows that it was that one.
  const remembered = found.filter(({ object, steps }) => object > 40 && object > 3 * mean(steps)).length
  check(
    `a text of one's own is answered for ${found.filter(({ isRight }) => isRight).length} of 4 colours`,
    found.every(({ isRight }) => isRight),
  )
  check(`spans of the colour against steps: ${said}`, remembered >= 3)

  await tab.getByRole('slider', { name: 'Read up to word' }).focus()
  await tab.keyboard.press('ArrowLeft')
  const line = tab.getByText('words before it are still seen')
  await line.waitFor({ timeout: 5000 })
  const [, seen, all] = /(\d+) of the (\d+) words/.exec((await line.textContent()) ?? '') ?? []
  check(`one word before the question ${seen} of ${all} are seen`, Number(seen) < Number(all) - 5)
  await tab.getByRole('button', { name: 'Shade by span' }).press('Enter')

  await tab.getByText('fixed span 32', { exact: true }).click()
  const errors = tab.getByRole('img', { name: /^Wrong answers.*fixed span 32/ })
  await errors.waitFor({ timeout: 200_000 })
  await tab.getByRole('button', { name: 'Pause' }).click()
  const label = await errors.getAttribute('aria-label')
  check(label, Number(/fixed span 32 .*64: ([\d.]+)/.exec(label ?? '')?.[1]) > 0.4)

  await tab.locator('label', { hasText: /^Expire-Span$/ }).click()
  await tab.getByRole('slider', { name: 'Length of the ramp' }).focus()
  for (let i = 0; i < 2; i++) await tab.keyboard.press('ArrowLeft')
  await tab.locator('.legend', { hasText: 'R = 4' }).first().waitFor({ timeout: 60_000 })
  await tab.locator('label', { hasText: 'told before' }).click()
  await tab.locator('.facts', { hasText: /memories kept\s*\d+ and \d+/ }).waitFor({ timeout: 120_000 })
  await tab.getByRole('button', { name: 'Pause' }).click()
  const answer = (await tab.locator('[data-test=answer] .note').textContent()) ?? ''
  check(`two layers, another ramp, another task: ${answer.trim()}`, /hat\? Right: green/.test(answer))
  // Looked at afterwards, on pictures, with the task that it begins with.
  await tab.locator('label', { hasText: 'corridor' }).click()
  await tab.locator('.legend', { hasText: /told before.*R = 4/ }).waitFor({ timeout: 60_000 })
  await tab.waitForFunction(() => Number(document.querySelector('[data-step]')?.dataset.step) >= 20)
}
