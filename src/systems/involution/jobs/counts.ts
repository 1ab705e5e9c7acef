/** The job `involution/counts`: the published networks by name, with their sizes and costs. Nothing is trained or computed. */
import { z } from 'zod'
import { ResNet, resnetVariants } from '../../../models/resnet.ts'
import { skipInit } from '../../../nn/init.ts'
import type { Report, Table } from '../../../report/figures.ts'
import { whole } from '../../../train/settings.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { depths, variants } from '../config.ts'
import { type Counts, countsOf } from '../count.ts'
import { ImageClassifier, RedNet } from '../model.ts'

const config = z.strictObject({
  image_size: whole.multipleOf(32).default(224).describe('side of the picture (published: 224), a multiple of 32'),
  classes: whole.default(1000).describe('classes of the linear layer (published: 1000)'),
})
type CountSettings = z.infer<typeof config>

/** The networks of Table 1: RedNet with both stems, and ResNet with the same blocks. */
function publishedNetworks(): { name: string; backbone: () => RedNet | ResNet }[] {
  return depths.flatMap((depth) => [
    {
      name: `RedNet-${depth}, stem with K = 7`,
      backbone: () => new RedNet(variants[`rednet${depth}-det`] ?? { depth }),
    },
    { name: `RedNet-${depth}, stem with K = 3`, backbone: () => new RedNet(variants[`rednet${depth}`] ?? { depth }) },
    {
      name: `ResNet-${depth}`,
      backbone: () => new ResNet({ ...resnetVariants[`resnet${depth}`], numClasses: 0 }),
    },
  ])
}

interface Counted {
  readonly name: string
  readonly counts: Counts
}

async function run({ image_size: side, classes }: CountSettings, context: JobContext): Promise<Report> {
  const counted: Counted[] = publishedNetworks().map(({ name, backbone }) => {
    context.signal?.throwIfAborted()
    const counts = countsOf(
      skipInit(() => new ImageClassifier(backbone(), classes)),
      [1, 3, side, side],
    )
    const { params, macs, mmcls_flops: flops } = counts
    const [told, cost, published] = [params, macs, flops].map((value) => value.toLocaleString('en'))
    context.progress(`${name.padEnd(28)} ${told} parameters, ${cost} multiply-adds, ${published} FLOPs as published`, {
      name,
      params,
      macs,
      flops,
    })
    return { name, counts }
  })
  return countsReport(counted, side, classes)
}

function countsReport(counted: readonly Counted[], side: number, classes: number): Report {
  const rows: Table = {
    kind: 'table',
    title: 'Sizes and costs',
    caption:
      'Multiply-adds: of convolutions, involutions and the linear layer. FLOPs as published: without the linear layer, with 2 for each normalised and 1 for each rectified or pooled element.',
    columns: ['network', 'parameters', 'multiply-adds', 'FLOPs as published'],
    rows: counted.map(({ name, counts }) => [name, counts.params, counts.macs, counts.mmcls_flops]),
  }
  return {
    title: 'involution / counts',
    subtitle: `The published networks, for one picture of ${side} x ${side} and ${classes.toLocaleString('en')} classes`,
    summary: [{ label: 'networks', value: String(counted.length) }],
    sections: [{ title: 'Exact counts', figures: [rows] }],
    footer: 'Counted from the traced graph; nothing is computed. Written by tenfold.',
  }
}

export const counts = defineJob({
  name: 'counts',
  summary: 'parameters, multiply-adds and FLOPs of the published RedNets and ResNets, to the last digit',
  config,
  run,
})
