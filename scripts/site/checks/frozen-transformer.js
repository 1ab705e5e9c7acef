/** Trains until XOR is there around the frozen body, turns a bit, and thaws attention. */
export async function use(tab, check) {
  await tab.getByRole('button', { name: 'Train from scratch' }).click()
  const isLearned = () => /pairs right\s*100\.0/.test(document.querySelector('.facts')?.textContent ?? '')
  await tab.waitForFunction(isLearned, undefined, { timeout: 300_000 }).catch(() => undefined)
  const facts = await tab.locator('.facts').textContent()
  check(`XOR around a frozen body: ${facts?.replace(/\s+/g, ' ').trim()}`, /100\.0 %/.test(facts ?? ''))
  const pause = tab.getByRole('button', { name: 'Pause' })
  if (await pause.isVisible()) await pause.click()
  const answers = async () =>
    (await tab.locator('[data-test=answers] span').allTextContents()).map((text) => text.trim()[0]).join('')
  check(`10110 xor 01101 is ${await answers()}`, (await answers()) === '11011')
  await tab.getByRole('button', { name: 'string 1, bit 1: 1' }).press('Enter')
  await tab
    .waitForFunction(
      () => document.querySelector('[data-test=answers] span')?.textContent?.trim()[0] === '0',
      undefined,
      { timeout: 15_000 },
    )
    .catch(() => undefined)
  check(`00110 xor 01101 is ${await answers()}`, (await answers()) === '01011')
  await tab.locator('label.switch', { hasText: 'attention' }).click()
  await tab.waitForFunction(() => document.querySelectorAll('.legend li').length === 2, undefined, { timeout: 60_000 })
  const attention = tab.locator('.train ~ .claims tr', { hasText: 'attention' })
  // The numbers of the run that goes on come with its first steps.
  await attention
    .filter({ hasText: /100(\.00)? %/ })
    .waitFor({ timeout: 60_000 })
    .catch(() => undefined)
  const row = await attention.textContent()
  check(`with attention thawed: ${row?.replace(/\s+/g, ' ')}`, /100(\.00)? %/.test(row ?? ''))
}
