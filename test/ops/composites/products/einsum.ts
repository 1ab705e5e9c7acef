import * as ops from '../../../../src/ops/kit.ts'

const sample = (equation: string, ...inputs: ops.SampleInput[]): ops.Sample => ({
  inputs,
  call: (...operands) => ops.einsum(equation, ...operands),
})

export const samples: Record<string, ops.Sample[]> = {
  einsum: [
    sample('ij,jk->ik', [2, 3], [3, 4]),
    sample('ij,kj', [2, 3], [4, 3]),
    sample('ji,jk->ki', [3, 2], [3, 4]),
    sample('bhid,bhjd->bhij', [2, 1, 3, 4], [2, 1, 2, 4]),
    sample('b...d,...dk->...bk', [2, 3, 4], [1, 4, 2]),
    sample('...,...', [2, 3], [3]),
    sample('ii->i', [3, 3]),
    sample('iij,jk->ki', [2, 2, 3], [3, 4]),
    sample('iii', [2, 2, 2]),
    sample('ba', [2, 3]),
    sample('Ab,bC', [2, 3], [3, 2]),
    sample('...i->i', [2, 3, 4]),
    sample(' i j , j ->', [2, 3], [3]),
    sample('bi,bj,bk->bijk', [2, 2], [2, 3], [2, 4]),
    sample('ij,jk,kl,l->i', [2, 3], [3, 4], [4, 2], [2]),
    sample('ij,ij->i', [2, 3], [1, 3]),
    sample('i,i->i', [1], [3]),
    sample('ij,j->', [2, 1], [3]),
    sample('bld,ld->bl', [2, 3, 4], [3, 4]),
    sample('ab,cd->', [2, 3], [2, 2]),
    sample('ij,jk->ik', [2, 0], [0, 3]),
    sample(',ij->ji', [], [2, 3]),
  ],
}

export const errors: Record<string, ops.Sample> = {
  'einsum: "ij,jk->ik" has 2 terms and 1 arrows, found 1 tensors': sample('ij,jk->ik', [2, 3]),
  'einsum: "i.j" must be letters with at most one ellipsis, in "i.j->i"': sample('i.j->i', [2, 3]),
  'einsum: "ijk" does not name the axes of operand 0 [2, 3]': sample('ijk->i', [2, 3]),
  'einsum: each axis of the output must be named once and occur in an operand, found "k" in "ij->ik"': sample(
    'ij->ik',
    [2, 3],
  ),
  'einsum: each axis of the output must be named once and occur in an operand, found "i" in "ij->ii"': sample(
    'ij->ii',
    [2, 3],
  ),
  'einsum: axes named "j" must have equal sizes, found 3 and 4': sample('ij,jk->ik', [2, 3], [4, 5]),
  'einsum: axes named "i" must have equal sizes, found [2, 3]': sample('ii->i', [2, 3]),
}
