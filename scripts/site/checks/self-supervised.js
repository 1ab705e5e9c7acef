/** Lets the embedding collapse, switches the remedies on, and then digs a valley that a ball rolls into. */
export async function use(tab, check) {
  const joint = tab.locator('[data-part=embedding]')
  const fact = (part, name) =>
    part
      .locator('.facts div', { hasText: name })
      .locator('dd')
      .textContent()
      .then((text) => Number.parseFloat(text ?? ''))
  /** Waits for so many further steps. */
  const steps = async (part, count) => {
    const now = Number(await part.locator('[data-step]').getAttribute('data-step'))
    const end = Date.now() + 120_000
    while (Number(await part.locator('[data-step]').getAttribute('data-step')) < now + count && Date.now() < end)
      await tab.waitForTimeout(100)
  }
  await joint.getByRole('button', { name: 'Train from scratch' }).click()
  await steps(joint, 150)
  const collapsed = await fact(joint, 'spread')
  check(`invariance alone: a spread of ${collapsed}`, collapsed < 0.1)
  for (const term of ['variance: keep', 'covariance']) await joint.locator('label.switch', { hasText: term }).click()
  await steps(joint, 400)
  await joint.getByRole('button', { name: 'Pause' }).click()
  await joint.getByRole('button', { name: 'Go on' }).waitFor({ timeout: 20_000 })
  const [spread, nearest] = [await fact(joint, 'spread'), await fact(joint, 'nearest')]
  check(`all three terms: a spread of ${spread}`, spread > 0.5)
  check(`without labels ${nearest} % are beside their like`, nearest > 25)

  const energy = tab.locator('[data-part=energy]')
  await energy.getByText('hinge', { exact: true }).click()
  await energy.getByRole('button', { name: 'Train from scratch' }).click()
  await energy.getByRole('button', { name: 'Train again' }).waitFor({ timeout: 180_000 })
  const end = () => energy.locator('[data-test=plane]').getAttribute('data-end')
  await tab.waitForTimeout(500)
  const [data, anywhere] = [await fact(energy, 'energy of data'), await fact(energy, 'anywhere')]
  check(`hinge: data at ${data}, anywhere ${anywhere}`, data < anywhere - 0.3)
  const before = await end()
  const plane = energy.locator('[data-test=plane]')
  await plane.focus()
  for (let i = 0; i < 10; i++) await tab.keyboard.press('ArrowRight')
  await tab.waitForTimeout(1000)
  check(`the ball ends at ${before}, then with the arrow keys at ${await end()}`, before !== (await end()))
  const box = await plane.boundingBox()
  const keyed = await end()
  await tab.mouse.move(box.x + 0.5 * box.width, box.y + 0.5 * box.height)
  await tab.mouse.down()
  await tab.mouse.move(box.x + 0.8 * box.width, box.y + 0.2 * box.height, { steps: 4 })
  await tab.mouse.up()
  await tab.waitForTimeout(1000)
  check(`dragged, at ${await end()}`, keyed !== (await end()))
}
