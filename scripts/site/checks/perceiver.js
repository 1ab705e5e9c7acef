/** Trains the Perceiver a little, and looks at what its latents read of the drawing, in both orders of the pixels. */
export async function use(tab, check) {
  await tab.getByRole('button', { name: 'Train from scratch' }).click()
  await tab.waitForFunction(() => Number(document.querySelector('[data-step]')?.dataset.step) >= 120, undefined, {
    timeout: 300_000,
  })
  await tab.getByRole('button', { name: 'Pause' }).click()
  await tab.getByRole('button', { name: 'Go on' }).waitFor({ timeout: 20_000 })
  const loss = Number(
    /now ([\d.]+)/.exec((await tab.getByRole('img', { name: /loss over/ }).getAttribute('aria-label')) ?? '')?.[1],
  )
  check(`the loss after some 120 steps, ${loss}, is less than that of guessing, 2.303`, loss < Math.log(10))
  const difference = Number(await tab.locator('[data-test=shuffled] b').textContent())
  check(`shuffled pixels change no probability by more than ${difference}`, difference < 1e-4)
  const tiles = () => tab.locator('.tiles li').count()
  check(`${await tiles()} tiles show what is read`, (await tiles()) >= 16)
  await tab.getByText('the second time').click()
  await tab.getByText('The same latents when they read again').waitFor({ timeout: 5000 })
  await tab.getByRole('button', { name: 'Clear' }).click()
  check('the second reading is shown', true)
}
