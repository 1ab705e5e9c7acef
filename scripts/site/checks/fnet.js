/** Trains FNet until the hidden pronoun is guessed, hides another word, types one that is not there, measures a length. */
export async function use(tab, check) {
  await tab.getByRole('button', { name: 'Train from scratch' }).click()
  await tab.waitForFunction(
    () => {
      const steps = Number(document.querySelector('[data-step]')?.dataset.step)
      const best = document.querySelector('[data-test=guesses] .best')?.textContent ?? ''
      return (/^\s*she\s+[6-9]/.test(best) && steps > 50) || steps >= 300
    },
    undefined,
    { timeout: 400_000 },
  )
  await tab.getByRole('button', { name: 'Pause' }).click()
  const best = await tab.locator('[data-test=guesses] .best').textContent()
  check(`"the old queen ... but ____ smiles": ${best?.trim().replace(/\s+/g, ' ')}`, /^\s*she/.test(best ?? ''))
  await tab.getByRole('button', { name: 'drinks' }).click()
  await tab.getByText('It was "drinks"').waitFor({ timeout: 5000 })
  await tab.getByRole('textbox').fill('the king eats a zebra')
  await tab.getByText('not in the vocabulary: a, zebra').waitFor({ timeout: 5000 })
  check('a word that is not in the vocabulary is named', true)
  await tab.getByRole('slider').focus()
  await tab.keyboard.press('ArrowRight')
  await tab.getByRole('button', { name: 'Measure' }).click()
  await tab.waitForFunction(
    () => /256 tokens/.test(document.querySelector('[data-test=timing]')?.textContent ?? ''),
    undefined,
    { timeout: 60_000 },
  )
  const times = (await tab.locator('[data-test=timing]').textContent())?.trim()
  const [, fourier, attention] = /transform ([\d.]+) ms, attention ([\d.]+) ms/.exec(times ?? '') ?? []
  check(times, Number(fourier) > 0 && Number(attention) > 0)
}
