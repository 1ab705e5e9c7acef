export * from './accumulation.ts'
export * from './adagrad.ts'
export { Adam, type AdamOptions, type AdamSettings, AdamW } from './adam.ts'
export * from './average.ts'
export { type ClipOptions, clipGradNorm, clipGradValue, totalNorm } from './clipping.ts'
export { LAMB, type LAMBOptions, type LAMBSettings } from './lamb.ts'
export * from './lars.ts'
export {
  type HostScalar,
  type LossWeight,
  Optimizer,
  type OptimizerSettings,
  type ParameterGroup,
  type ParameterList,
  type ParameterUpdate,
  type UpdateResult,
  type UpdateRule,
  type UpdateTime,
} from './optimizer.ts'
export * from './rmsprop.ts'
export * from './schedule.ts'
export * from './schedules.ts'
export * from './sgd.ts'
export * from './warmup-schedules.ts'
