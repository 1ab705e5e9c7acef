/** Architectures and blocks that more than one system or benchmark uses. */
export * from './convnet.ts'
export * from './gpt2.ts'
export * from './patches.ts'
export * from './positions.ts'
export * from './resnet.ts'
export * from './transformer.ts'
export * from './vit.ts'
