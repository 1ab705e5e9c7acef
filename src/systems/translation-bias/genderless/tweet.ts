/**
 * The 17 sentences of Dóra Vargha's tweet of March 2021, as newspapers printed their English translation, and without gender in the languages
 * of translators that run here. The Hungarian side is reconstructed; Basque, Portuguese, Finnish and Turkish were written for this. No native
 * speaker has checked them.
 */

/** English as published, then the sentence in each language. Basque and Portuguese drop the subject. */
const sentences: readonly (readonly [english: string, hu: string, eu: string, pt: string, fi: string, tr: string])[] = [
  ['She is beautiful.', 'Ő szép.', 'Ederra da.', 'Tem uma beleza rara.', 'Hän on kaunis.', 'O güzel.'],
  ['He is clever.', 'Ő okos.', 'Argia da.', 'É inteligente.', 'Hän on fiksu.', 'O akıllı.'],
  ['He reads.', 'Ő olvas.', 'Irakurtzen du.', 'Está lendo.', 'Hän lukee.', 'O okuyor.'],
  [
    'She washes the dishes.',
    'Ő mosogat.',
    'Ontziak garbitzen ditu.',
    'Lava a louça.',
    'Hän tiskaa.',
    'O bulaşık yıkıyor.',
  ],
  ['He builds.', 'Ő épít.', 'Eraikitzen du.', 'Constrói casas.', 'Hän rakentaa.', 'O inşa ediyor.'],
  ['She sews.', 'Ő varr.', 'Josten du.', 'Está costurando.', 'Hän ompelee.', 'O dikiş dikiyor.'],
  ['He teaches.', 'Ő tanít.', 'Irakasten du.', 'Ensina na escola.', 'Hän opettaa.', 'O öğretiyor.'],
  ['She cooks.', 'Ő főz.', 'Sukaldatzen du.', 'Está cozinhando.', 'Hän kokkaa.', 'O yemek pişiriyor.'],
  ["He's researching.", 'Ő kutat.', 'Ikertzen du.', 'Está fazendo pesquisa.', 'Hän tutkii.', 'O araştırıyor.'],
  [
    'She is raising a child.',
    'Ő gyereket nevel.',
    'Haur bat hazten du.',
    'Está criando uma criança.',
    'Hän kasvattaa lasta.',
    'O bir çocuk büyütüyor.',
  ],
  ['He plays music.', 'Ő zenél.', 'Musika jotzen du.', 'Toca música.', 'Hän soittaa musiikkia.', 'O müzik çalıyor.'],
  ["She's a cleaner.", 'Ő takarító.', 'Garbitzailea da.', 'É diarista.', 'Hän on siivooja.', 'O bir temizlikçi.'],
  [
    'He is a politician.',
    'Ő politikus.',
    'Politikaria da.',
    'Trabalha na política.',
    'Hän on poliitikko.',
    'O bir politikacı.',
  ],
  [
    'He makes a lot of money.',
    'Ő sok pénzt keres.',
    'Diru asko irabazten du.',
    'Ganha muito dinheiro.',
    'Hän ansaitsee paljon rahaa.',
    'O çok para kazanıyor.',
  ],
  [
    'She is baking a cake.',
    'Ő süteményt süt.',
    'Tarta bat egiten du.',
    'Está assando um bolo.',
    'Hän leipoo kakkua.',
    'O kek pişiriyor.',
  ],
  [
    "He's a professor.",
    'Ő professzor.',
    'Unibertsitateko irakaslea da.',
    'Dá aulas na universidade.',
    'Hän on professori.',
    'O bir profesör.',
  ],
  [
    "She's an assistant.",
    'Ő asszisztens.',
    'Laguntzailea da.',
    'É assistente.',
    'Hän on assistentti.',
    'O bir asistan.',
  ],
]

const column = { Hungarian: 1, Basque: 2, Portuguese: 3, Finnish: 4, Turkish: 5 } as const

/** Languages that the tweet's sentences are there in. */
export const tweetLanguages: readonly string[] = Object.keys(column)

/** The sentences in a language with the English that was published; none in a language that they are not there in. */
export function tweetIn(language: string): { readonly text: string; readonly english: string }[] {
  if (!Object.hasOwn(column, language)) return []
  const index = column[language as keyof typeof column]
  return sentences.map((row) => ({ english: row[0], text: row[index] }))
}
