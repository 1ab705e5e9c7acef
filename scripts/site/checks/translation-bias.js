/** 60 % become 100 % where the most probable is shown; with two words at a time all occupations get one share; at temperature 1 the data come out. */
export async function use(tab, check) {
  const row = async (place) =>
    (await tab.locator('[data-test=shares] tbody tr').nth(place).locator('td').allTextContents()).map((text) =>
      text.trim(),
    )
  check(`doctor: ${await row(0)}`, (await row(0)).join() === '60 % he,60 % he,100 % he')
  await tab.getByText('2', { exact: true }).first().click()
  const [, doctor] = await row(0)
  const [, nurse] = await row(1)
  const difference = Math.abs(Number.parseFloat(doctor) - Number.parseFloat(nurse))
  check(`with two words at a time doctor ${doctor}, nurse ${nurse}`, difference <= 2)
  await tab.getByText('5: the whole sentence').click()
  const temperature = tab.locator('label', { hasText: 'temperature' }).locator('input')
  await temperature.focus()
  for (let i = 0; i < 10; i++) await tab.keyboard.press('ArrowRight')
  check(`at temperature 1: ${await row(0)}`, (await row(0)).join() === '60 % he,60 % he,60 % he')
  await temperature.press('Home')
  const share = tab.locator('label', { hasText: 'doctor' }).locator('input')
  await share.focus()
  for (let i = 0; i < 4; i++) await tab.keyboard.press('ArrowLeft')
  check(`doctors 40 %: ${await row(0)}`, (await row(0)).join() === '40 % he,40 % he,0 % he')
  const said = await tab.locator('[data-test=translation]').textContent()
  check(said, /is always "she is a doctor"/.test(said ?? ''))
}
