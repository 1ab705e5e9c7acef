/** Trains the involution: the kernel of a blue pixel looks to the right, of a pink one upwards. */
export async function use(tab, check) {
  await tab.getByRole('button', { name: 'Train from scratch' }).click()
  const most = () => tab.locator('[data-test=kernel]').getAttribute('data-most').then(Number)
  await tab.waitForFunction(() => Number(document.querySelector('[data-step]')?.dataset.step) >= 200, undefined, {
    timeout: 300_000,
  })
  await tab.getByRole('button', { name: 'Pause' }).click()
  await tab.getByRole('button', { name: 'Go on' }).waitFor({ timeout: 20_000 })
  // Places in a kernel of 5 x 5: the middle is 12, two to the right 14, two above 2.
  for (const [color, place] of [
    ['blue', 14],
    ['pink', 2],
  ]) {
    await tab.getByText(color, { exact: true }).click()
    await tab
      .waitForFunction(
        (wanted) => Number(document.querySelector('[data-test=kernel]')?.dataset.most) === wanted,
        place,
        { timeout: 15_000 },
      )
      .catch(() => undefined)
    check(
      `the kernel of a ${color} pixel is largest at place ${await most()}, wanted ${place}`,
      (await most()) === place,
    )
  }
  const mark = () => tab.locator('button .mark').getAttribute('style')
  const before = await mark()
  await tab.getByRole('button', { name: /pick a cell/ }).focus()
  for (let i = 0; i < 4; i++) await tab.keyboard.press('ArrowRight')
  check('another pixel is picked with the arrow keys', before !== (await mark()))
}
