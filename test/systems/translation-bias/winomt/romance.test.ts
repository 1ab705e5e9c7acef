import { expect, test } from 'vitest'
import { romanceGender } from '../../../../src/systems/translation-bias/winomt/romance.ts'

test.each([
  ['pt', 'O médico disse à enfermeira que ela estava ocupada.', [0, 1], 'male'],
  ['pt', 'O médico disse à enfermeira que ela estava ocupada.', [3, 4], 'female'],
  ['pt', 'A gerente demitiu o padeiro.', [1], 'female'],
  ['pt', 'Perguntou ao "padeiro", que dormia.', [2], 'male'],
  ['pt', 'Falou com gerentes.', [2], 'unknown'],
  ['pt', 'Falou com enfermeiras.', [2], 'female'],
  ['pt', 'Foi para a casa do padeiro e a ajudou.', [5, 7], 'male'],
  ['pt', 'Alguém dormia.', [0], 'neutral'],
  ['pt', 'Nada.', [], 'unknown'],
  ['es', 'El desarrollador discutió con la diseñadora.', [4, 5], 'female'],
  ['fr', 'L’infirmière a appelé l’avocat.', [0], 'female'],
  ['fr', 'L’infirmière a appelé l’avocat.', [3], 'male'],
  ['it', "L'infermiera parlò con un'assistente.", [3, 4], 'female'],
  ['it', 'Lo chef gridò.', [0, 1], 'male'],
] as const)('%s: %s %j is %s', (language, target, indices, expected) => {
  expect(romanceGender(language, target, indices)).toBe(expected)
})
