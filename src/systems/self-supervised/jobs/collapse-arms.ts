/** The arms of the study of collapse: each remedy, and each with a part of it taken away. */
import {
  barlowTwins,
  byol,
  deepcluster,
  dino,
  type methods,
  moco,
  pirl,
  simclr,
  simsiam,
  swav,
  vicreg,
} from '../recipes.ts'
import { briefly } from './embedding-arms.ts'

/** A method with changed settings. */
export interface CollapseArm {
  readonly name: string
  readonly title: string
  readonly method: (typeof methods)[number]
  readonly changes: Readonly<Record<string, unknown>>
  /** Whether it is expected to collapse, and who says so; undefined: it has its remedy. */
  readonly removed?: string
}

const without = (
  name: string,
  title: string,
  method: CollapseArm['method'],
  changes: CollapseArm['changes'],
  removed: string,
): CollapseArm => ({
  name,
  title,
  method,
  changes,
  removed,
})

const whole = (method: CollapseArm['method'], title: string): CollapseArm => ({
  name: method.name,
  title: `${method.title}: ${title}`,
  ...briefly(method),
})

export const collapseArms: readonly CollapseArm[] = [
  without('distance', 'no remedy: the squared distance alone', vicreg, { std_coeff: 0, cov_coeff: 0 }, 'everything'),
  without(
    'cosine',
    'no remedy: the cosine alone',
    simsiam,
    { without_stop_gradient: true, without_predictor: true },
    'everything',
  ),
  whole(simclr, 'negatives of the batch'),
  whole(moco, 'negatives from a queue'),
  whole(pirl, 'negatives from a memory'),
  whole(swav, 'clusters of equal size'),
  without('swav-softmax', 'SwAV without equal shares', swav, { without_equipartition: true }, 'equal shares'),
  whole(deepcluster, 'clusters by k-means'),
  whole(byol, 'a moving average as target, and a predictor'),
  without(
    'byol-tau-0',
    'BYOL, target = online network (tau 0)',
    byol,
    { base_target_ema: 0, constant_target_ema: true },
    'the average',
  ),
  without(
    'byol-tau-1',
    'BYOL, target stays random (tau 1)',
    byol,
    { base_target_ema: 1, constant_target_ema: true },
    'the moving target',
  ),
  without('byol-plain', 'BYOL without the predictor', byol, { without_predictor: true }, 'the predictor'),
  whole(simsiam, 'stop-gradient and a predictor'),
  without(
    'simsiam-gradient',
    'SimSiam without the stop-gradient',
    simsiam,
    { without_stop_gradient: true },
    'the stop-gradient',
  ),
  without('simsiam-plain', 'SimSiam without the predictor', simsiam, { without_predictor: true }, 'the predictor'),
  whole(dino, 'centring and sharpening'),
  without('dino-uncentred', 'DINO without centring', dino, { center_momentum: 1 }, 'centring'),
  without('dino-unsharpened', 'DINO without sharpening', dino, { teacher_temp: 1 }, 'sharpening'),
  whole(barlowTwins, 'invariance and redundancy'),
  without('barlow-invariance', 'Barlow Twins, invariance alone', barlowTwins, { lambd: 0 }, 'redundancy reduction'),
  without(
    'barlow-redundancy',
    'Barlow Twins, redundancy reduction alone',
    barlowTwins,
    { without_invariance: true },
    'invariance',
  ),
  whole(vicreg, 'variance, invariance, covariance'),
  without('vicreg-no-variance', 'VICReg without variance', vicreg, { std_coeff: 0 }, 'variance'),
  without('vicreg-no-covariance', 'VICReg without covariance', vicreg, { cov_coeff: 0 }, 'covariance'),
  without('vicreg-no-invariance', 'VICReg without invariance', vicreg, { sim_coeff: 0 }, 'invariance'),
]
