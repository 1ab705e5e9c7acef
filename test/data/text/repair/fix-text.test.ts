import { expect, test } from 'vitest'
import { unescapeHtml } from '../../../../src/data/text/repair/entities.ts'
import { fixText } from '../../../../src/data/text/repair/fix-text.ts'

// What ftfy 6.3.1 answers.
test.each([
  ['ﬁne ﬂuﬃ', 'fine fluffi'],
  ['ＦＵＬＬ　ｗｉｄｔｈ', 'FULL width'],
  ['“curly” ‘quotes’', '"curly" \'quotes\''],
  ['a\r\nb\rc\u2028d', 'a\nb\nc\nd'],
  ['\u001b[31mred\u001b[0m\u0007', 'red'],
  ['lone \ud800 half', 'lone \ufffd half'],
  ['cafe\u0301', 'café'],
  ['&NTILDE;&eacute;&#233;&amp;&nope;', 'Ñéé&&nope;'],
  ['&amp;\n<b>&amp;', '&\n<b>&amp;'],
  ['schÃ¶n', 'schön'],
  ['NESCAFÉ® and BEYONCÉ™', 'NESCAFÉ® and BEYONCÉ™'],
  ['10 Fuß², Maß³, Fuß½', '10 Fuß², Maß³, Fuß½'],
  ['ÎµÎ»Î»Î·Î½Î¹ÎºÎ¬', 'ελληνικά'],
  ['itâ€™s', "it's"],
  ['ðŸ˜€ and naïve – schÃ¶n', '😀 and naïve – schön'],
  ['Ð¿Ñ€Ð¸Ð²ÐµÑ‚', 'привет'],
  ['РїСЂРёРІРµС‚', 'привет'],
  ['na√Øve caf√©', 'naïve café'],
  ['it‚Äôs', "it's"],
  ['√2 and ‚low quotes’', "√2 and 'low quotes'"],
  ['\u0093quoted\u0094', '"quoted"'],
  ['voilÃ le travail', 'voilà le travail'],
  ['Ã la carte', 'à la carte'],
  ['naïve Ã sure', 'naïve à sure'],
  ['a.Â b', 'a.\u00a0b'],
  ['Â Hello', '\u00a0Hello'],
  ['prix : 5Â €', 'prix : 5Â €'],
  ['Brandâ„¢ x', 'Brandâ"¢ x'],
])('%j', (text, fixed) => {
  expect(fixText(text)).toBe(fixed)
})

test.each([
  'Straße STRASSE ẞ',
  'Ça va ? Déjà vu – œuvre…',
  '¿Qué? ½ cup, 5 €, £3, 20 °C ± 1',
  'Україна Річ всё Я… №5',
  'ΣΊΣΥΦΟΣ',
  'Über «Ü»',
  '你好 こんにちは 안녕 مرحبا',
  '',
])('%j stays', (text) => {
  expect(fixText(text)).toBe(text)
})

// What Python's html.unescape answers.
test.each([
  ['&copy &copyright &notit; &notin;', '© ©right ¬it; ∉'],
  ['&#x80;&#150;&#0;&#1;&#xD800;&#x110000;', '€–\ufffd\ufffd\ufffd'],
  ['fish &chips & &;', 'fish &chips & &;'],
])('entities: %s', (text, unescaped) => {
  expect(unescapeHtml(text)).toBe(unescaped)
})
