"""Products of vectors and matrices beside PyTorch's."""

import torch
import torch.nn.functional as F

from inputs import INF, NAN, listed, shapes
from table import Op


def addmm(x, a, b, o={}):
    return torch.addmm(x, a, b, alpha=o.get("alpha", 1), beta=o.get("beta", 1))


def baddbmm(x, a, b, o={}):
    return torch.baddbmm(x, a, b, alpha=o.get("alpha", 1), beta=o.get("beta", 1))


def linear(x, weight, bias=None, o={}):
    axis = o.get("axis", -1)
    return F.linear(x.movedim(axis, -1), weight, bias).movedim(-1, axis)


def products(*pairs):
    def generate(make):
        for a, b in pairs:
            yield [make.normal(*a), make.normal(*b)], {}
            for dtype in (torch.int32, torch.int64):
                yield [make.any(a, dtype), make.any(b, dtype)], {"optional": True}
        a, b = pairs[0]
        yield [make.normal(*a, scale=1e20), make.normal(*b, scale=1e-20)], {}
        yield [make.normal(*a).fill_(INF), make.normal(*b)], {}
        yield [make.normal(*a).fill_(NAN), make.normal(*b)], {}

    return generate


def sums_of_products(batch):
    def generate(make):
        for options in ({}, {"alpha": 0.5, "beta": 2}, {"beta": 0}, {"alpha": 0}, {"alpha": -1.5, "beta": 0.5}):
            for x, a, b in [
                ([2, 4], [2, 3], [3, 4]),
                ([4], [2, 3], [3, 4]),
                ([2, 1], [2, 3], [3, 4]),
                ([], [2, 3], [3, 4]),
                ([2, 4], [2, 0], [0, 4]),
                ([0, 4], [0, 3], [3, 4]),
                ([2, 0], [2, 3], [3, 0]),
            ]:
                lead = [3] if batch else []
                yield [make.normal(*(lead * (len(x) == 2)), *x), make.normal(*lead, *a), make.normal(*lead, *b), options], {}
            if options.get("beta") == 0:
                yield (
                    [make.normal(*([3] if batch else []), 2, 4).fill_(NAN), make.normal(*lead, 2, 3), make.normal(*lead, 3, 4), options],
                    {},
                )
        yield (
            [make.any([*lead, 2, 4], torch.int64), make.any([*lead, 2, 3], torch.int64), make.any([*lead, 3, 4], torch.int64)],
            {"optional": True},
        )

    return generate


PRODUCTS = [
    ([3], [3]), ([2, 3], [3]), ([3], [3, 4]), ([2, 3], [3, 4]), ([5, 2, 3], [3, 4]), ([5, 2, 3], [5, 3, 4]), ([2, 3], [5, 3, 4]),
    ([1, 5, 2, 3], [4, 1, 3, 2]), ([2, 0], [0, 3]), ([0, 2], [2, 3]), ([2, 3], [3, 0]), ([0], [0]), ([0, 2, 3], [3, 4]), ([1, 1], [1, 1]),
    ([0, 2, 3], [0, 3, 4]), ([5, 2, 0], [5, 0, 4]), ([64, 64], [64, 64]),
]  # fmt: skip
EQUATIONS = [
    ("ij,jk->ik", [2, 3], [3, 4]),
    ("ij->ji", [2, 3]),
    ("ii->i", [3, 3]),
    ("ii->", [3, 3]),
    ("bij,bjk->bik", [2, 3, 4], [2, 4, 5]),
    ("i,j->ij", [3], [4]),
    ("ij->", [2, 3]),
    ("...ij,...jk->...ik", [2, 3, 4], [4, 5]),
    ("ij,ij->ij", [2, 3], [2, 3]),
    ("ij,jk,kl->il", [2, 3], [3, 4], [4, 2]),
    ("ij,kj", [2, 3], [4, 3]),
    ("i,i->", [0], [0]),
    ("ij,jk->ik", [2, 0], [0, 3]),
    ("bhqd,bhkd->bhqk", [2, 3, 4, 5], [2, 3, 6, 5]),
    (",i->i", [], [3]),
    ("iij,jk->ik", [3, 3, 2], [2, 4]),
]

OPS = [
    Op("addmm", addmm, sums_of_products(False)),
    Op("baddbmm", baddbmm, sums_of_products(True)),
    Op(
        "bilinear",
        F.bilinear,
        listed(
            lambda m: [m.normal(4, 2), m.normal(4, 3), m.normal(5, 2, 3), m.normal(5)],
            lambda m: [m.normal(2, 4, 2), m.normal(2, 4, 3), m.normal(1, 2, 3)],
            lambda m: [m.normal(0, 2), m.normal(0, 3), m.normal(5, 2, 3)],
            lambda m: [m.normal(2), m.normal(3), m.normal(5, 2, 3)],
        ),
    ),
    Op("bmm", torch.bmm, products(([5, 2, 3], [5, 3, 4]), ([0, 2, 3], [0, 3, 4]), ([2, 0, 3], [2, 3, 4]), ([2, 3, 0], [2, 0, 4]))),
    Op(
        "cdist",
        lambda a, b, o={}: torch.cdist(a, b, o.get("order", 2.0)),
        listed(
            *(
                lambda m, s=s, o=o: [m.normal(*s[0]), m.normal(*s[1]), {"order": o}]
                for s in (([4, 3], [5, 3]), ([2, 4, 3], [2, 5, 3]), ([2, 4, 3], [5, 3]), ([0, 3], [4, 3]), ([4, 0], [5, 0]))
                for o in (2.0, 1.0, 3.0, 0.5, INF)
            ),
            lambda m: [m.normal(3, 2).repeat(2, 1), m.normal(3, 2)],
        ),
    ),
    Op("dot", torch.dot, products(([3], [3]), ([0], [0]), ([1], [1]))),
    Op(
        "einsum",
        lambda equation, *xs: torch.einsum(equation, *xs),
        listed(*(lambda m, e=e: [e[0], *(m.normal(*s) for s in e[1:])] for e in EQUATIONS)),
    ),
    Op(
        "kron",
        torch.kron,
        products(([2, 3], [3, 2]), ([3], [2]), ([2, 3], [2]), ([], [3]), ([0], [2]), ([2, 2, 2], [2, 3]), ([1, 1], [1, 1])),
    ),
    Op(
        "linear",
        linear,
        listed(
            *(
                lambda m, s=s, b=b: [m.normal(*s), m.normal(5, 3), *([m.normal(5)] if b else [])]
                for s in ([3], [2, 3], [4, 2, 3], [0, 3], [2, 0, 3])
                for b in (False, True)
            ),
            lambda m: [m.normal(2, 3, 4), m.normal(5, 3), m.normal(5), {"axis": 1}],
            lambda m: [m.normal(2, 0), m.normal(3, 0), m.normal(3)],
            lambda m: [m.normal(2, 3), m.normal(0, 3)],
        ),
    ),
    Op("matmul", torch.matmul, products(*PRODUCTS)),
    Op("mv", torch.mv, products(([2, 3], [3]), ([0, 3], [3]), ([2, 0], [0]))),
    Op("outer", torch.outer, products(([2], [3]), ([0], [3]), ([1], [1]))),
    Op(
        "tensordot",
        lambda a, b, axes=2: torch.tensordot(a, b, axes),
        listed(
            lambda m: [m.normal(2, 3, 4), m.normal(3, 4, 5)],
            lambda m: [m.normal(2, 3), m.normal(3, 4), 1],
            lambda m: [m.normal(2), m.normal(3), 0],
            lambda m: [m.normal(2, 3, 4), m.normal(4, 2), [[2, 0], [0, 1]]],
            lambda m: [m.normal(2, 0), m.normal(0, 3), 1],
            lambda m: [m.normal(), m.normal(3), 0],
        ),
    ),
    Op("trace", torch.trace, shapes(*(([*s],) for s in ([3, 3], [2, 4], [4, 2], [0, 3], [1, 1])))),
]
