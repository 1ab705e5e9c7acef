/** `tenfold/models`: architectures under their usual names: ViT, ResNet, GPT-2, transformer blocks, positions, patches. */
import '../compile/program.ts'

export * from '../models/index.ts'
