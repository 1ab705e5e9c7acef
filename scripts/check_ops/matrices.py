"""Linear algebra beside PyTorch's."""

import torch

from inputs import INF, NAN, listed, vector
from table import Op

SQUARE = [[3, 3], [1, 1], [2, 4, 4], [2, 3, 2, 2], [0, 0], [0, 3, 3], [2, 0, 0], [20, 20]]
SYSTEMS = [
    ([3, 3], [3, 2]), ([3, 3], [3]), ([2, 3, 3], [2, 3]), ([2, 3, 3], [3, 2]), ([3, 3], [2, 3, 1]), ([2, 1, 2, 2], [3, 2, 2]),
    ([0, 0], [0, 2]), ([3, 3], [3, 0]), ([0, 2, 2], [0, 2, 1]), ([1, 1], [1, 1]), ([20, 20], [20, 3]),
]  # fmt: skip


def dominant(make, shape):
    """Regular, and not only by its diagonal."""
    return make.normal(*shape) + 2 * torch.eye(shape[-1])


def definite(make, shape):
    x = make.normal(*shape)
    return x @ x.transpose(-1, -2) + torch.eye(shape[-1])


def squares(*rest, shapes=SQUARE):
    def generate(make):
        for shape in shapes:
            for more in rest or ((),):
                yield [dominant(make, shape), *more], {}
        if shapes is SQUARE:
            for more in rest or ((),):
                yield [vector([[0, 1, 2], [3, 0, 1], [1, 4, 0]]), *more], {}
                yield [vector([[1e15, 2.0], [3.0, 1e-15]]), *more], {}
            yield [make.any([3, 3], torch.int64), *more], {"optional": True}

    return generate


def singular(make):
    yield [vector([[1.0, 2.0], [2.0, 4.0]])], {}


def systems(make):
    for a, b in SYSTEMS:
        yield [dominant(make, a), make.normal(*b)], {}
    yield [vector([[0, 1], [1, 0]]), make.normal(2, 2)], {}
    yield [make.normal(2, 2), vector([[INF, 1], [NAN, 2]])], {}


def triangular(make):
    for upper in (True, False):
        for more in ({}, {"left": False}, {"unitriangular": True}):
            for a, b in SYSTEMS:
                if len(b) < 2 or a == [2, 3, 3] and b == [2, 3]:
                    continue
                right = make.normal(*b) if more.get("left", True) else make.normal(*b).transpose(-1, -2).contiguous()
                x = dominant(make, a)
                yield [torch.tril(x) + 0.5 * torch.triu(x, 1), right, {"upper": upper, **more}], {}


def solve_triangular(a, b, o):
    return torch.linalg.solve_triangular(a, b, **o)


def definites(make):
    for shape in SQUARE:
        yield [definite(make, shape)], {}
    # The upper triangle is not read.
    yield [definite(make, [3, 3]) + torch.triu(torch.ones(3, 3), 1)], {}


def matrix_norm(x, order="fro", o={}):
    return torch.linalg.matrix_norm(x, order, o.get("axes", [-2, -1]), o.get("keepDims", False))


def determinant_of_logs(x):
    return list(torch.linalg.slogdet(x))


def norms(make):
    for order in ("fro", 1, -1, INF, -INF):
        for shape in ([3, 4], [2, 3, 4], [1, 1]):
            for o in ({}, {"keepDims": True}):
                yield [make.distinct(*shape), order, o], {}
        yield [make.distinct(2, 3, 4), order, {"axes": [0, 2]}], {}
        yield [make.distinct(2, 3, 4), order, {"axes": [2, 0], "keepDims": True}], {}
        yield [vector([[1, NAN], [2, 3]]), order], {}
        yield [vector([[1, INF], [2, 3]]), order], {}
    yield [make.normal(0, 3)], {}
    yield [torch.zeros(2, 2)], {}


OPS = [
    Op("cholesky", torch.linalg.cholesky, definites),
    Op("det", torch.linalg.det, squares()),
    Op("inverse", torch.linalg.inv, squares()),
    Op("matrixNorm", matrix_norm, norms),
    Op("matrixPower", torch.linalg.matrix_power, squares((0,), (1,), (2,), (5,), (-1,), (-3,), shapes=SQUARE[:7])),
    Op("slogdet", determinant_of_logs, lambda make: [*squares()(make), *singular(make)]),
    Op("solve", torch.linalg.solve, systems),
    Op("solveTriangular", solve_triangular, triangular),
]
