/** Trains the Mixer, draws a one, and picks a patch with the keys. */
export async function use(tab, check) {
  await tab.getByRole('button', { name: 'Train from scratch' }).click()
  await tab.waitForFunction(() => Number(document.querySelector('[data-step]')?.dataset.step) >= 60, undefined, {
    timeout: 300_000,
  })
  await tab.getByRole('button', { name: 'Clear' }).click()
  const pad = tab.getByRole('application')
  await pad.scrollIntoViewIfNeeded()
  const box = await pad.boundingBox()
  await tab.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.2)
  await tab.mouse.down()
  await tab.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.8, { steps: 8 })
  await tab.mouse.up()
  await tab.getByRole('button', { name: 'Pause' }).click()
  await tab
    .waitForFunction(() => document.querySelector('.bars .best .name')?.textContent === '1', undefined, {
      timeout: 10_000,
    })
    .catch(() => undefined)
  const best = await tab.locator('.bars .best').textContent()
  check(`after some 60 steps a drawn 1 is named: ${best?.trim()}`, best?.trim().startsWith('1'))
  const patches = tab.getByRole('button', { name: /pick a cell/ })
  await patches.focus()
  await tab.keyboard.press('ArrowUp')
  await tab.getByText('row 3, column 4').waitFor({ timeout: 5000 })
  check('the picked patch follows the arrow keys', true)
}
