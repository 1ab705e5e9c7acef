/** Trains the denoiser of points, asks for an arm, guides it, and goes through the steps. */
export async function use(tab, check) {
  const fact = (name) =>
    tab
      .locator('.facts div', { hasText: name })
      .locator('dd')
      .textContent()
      .then((text) => Number.parseFloat(text ?? ''))
  /** The fact once it has changed, or after some seconds. */
  const changed = async (name, before) => {
    for (let i = 0; i < 100 && (await fact(name)) === before; i++) await tab.waitForTimeout(100)
    return fact(name)
  }
  await tab.getByRole('button', { name: 'Train from scratch' }).click()
  await tab.getByRole('button', { name: 'Train again' }).waitFor({ timeout: 240_000 })
  await tab.waitForTimeout(3000)
  const all = await fact('spread')
  check(`any arm: a spread of ${all} % of that of the data`, all > 80 && all < 120)
  await tab.getByText('top', { exact: true }).click()
  const before = await changed('as asked', 100)
  check(`the top arm with guidance 1: ${before} % as asked`, before > 60)
  const varied = await fact('spread')
  await tab.getByRole('slider').nth(1).focus()
  for (let i = 0; i < 12; i++) await tab.keyboard.press('ArrowRight')
  await changed('spread', varied)
  await tab.waitForTimeout(3000)
  const [sure, narrow] = [await fact('as asked'), await fact('spread')]
  check(`with guidance 7: ${sure} % as asked, spread ${varied} -> ${narrow} %`, sure >= before && narrow < varied)
  await tab.getByRole('button', { name: 'Denoise' }).click()
  const shown = () => tab.locator('.slider output').first().textContent().then(Number)
  await tab.getByRole('button', { name: 'Stop' }).click()
  const paused = await shown()
  await tab.getByRole('button', { name: 'One step' }).press('Enter')
  check(`stopped at step ${paused}, one more is ${await shown()}`, (await shown()) === paused + 1)
  const left = await tab.locator('.tiles.pictures li').first().textContent()
  check(`the picture at this time: ${left?.trim()}`, /\d % left/.test(left ?? ''))
}
