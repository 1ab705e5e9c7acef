/** Channels of BigGAN-deep's two networks for each resolution of pictures (ajbrock/BigGAN-PyTorch), in multiples of their widths. */

/** Channels of the stages, entering and leaving. */
export interface Architecture {
  readonly from: readonly number[]
  readonly to: readonly number[]
}

/** Each stage doubles the resolution, from 4 on. */
export const generatorArchitectures = {
  256: { from: [16, 16, 8, 8, 4, 2], to: [16, 8, 8, 4, 2, 1] },
  128: { from: [16, 16, 8, 4, 2], to: [16, 8, 4, 2, 1] },
  64: { from: [16, 16, 8, 4], to: [16, 8, 4, 2] },
  32: { from: [4, 4, 4], to: [4, 4, 4] },
} as const satisfies Readonly<Record<number, Architecture>>

/** Each stage but those without `halves` halves the resolution; `resolution`: after it. */
export const discriminatorArchitectures = {
  256: {
    from: [1, 2, 4, 8, 8, 16],
    to: [2, 4, 8, 8, 16, 16],
    halves: [true, true, true, true, true, true],
    resolution: [128, 64, 32, 16, 8, 4],
  },
  128: {
    from: [1, 2, 4, 8, 16],
    to: [2, 4, 8, 16, 16],
    halves: [true, true, true, true, true],
    resolution: [64, 32, 16, 8, 4],
  },
  64: { from: [1, 2, 4, 8], to: [2, 4, 8, 16], halves: [true, true, true, true], resolution: [32, 16, 8, 4] },
  32: { from: [4, 4, 4], to: [4, 4, 4], halves: [true, true, false], resolution: [16, 16, 16] },
} as const satisfies Readonly<
  Record<number, Architecture & { readonly halves: readonly boolean[]; readonly resolution: readonly number[] }>
>

/** Resolutions that both networks are described for. */
export type ArchitectureName = keyof typeof generatorArchitectures

/** Whether a setting such as "32_64" names a resolution. */
export function attentionAt(setting: string, resolution: number): boolean {
  return setting.split('_').map(Number).includes(resolution)
}
