"""Movements, indices, creation and products beside PyTorch's."""

import torch
import torch.nn.functional as F

from inputs import DTYPES, INF, NAN, listed, shapes, together, vector
from table import Op


def slice_along(x, start, stop, step, axis):
    places = list(range(x.shape[axis]))[slice(start, stop, step)]
    return x.index_select(axis, torch.tensor(places, dtype=torch.int64))


def pad(x, padding, o={}):
    mode = {"edge": "replicate", "wrap": "circular"}.get(o.get("mode", "constant"), o.get("mode", "constant"))
    if mode == "constant":
        return F.pad(x, padding, value=o.get("value", 0))
    # PyTorch mirrors the last axes of batches only.
    return F.pad(x[None, None], padding, mode=mode)[0, 0] if x.dim() <= len(padding) // 2 else F.pad(x[None], padding, mode=mode)[0]


def diagonal(function, axis1, axis2):
    return lambda x, o={}: function(x, o.get("offset", 0), o.get("axis1", axis1), o.get("axis2", axis2))


def take(x, index, axis=None):
    return torch.take_along_dim(x, index, axis)


def one_hot(index, classes, dtype="int64"):
    rows = F.one_hot(index.long(), classes)
    return rows.to(getattr(torch, dtype))


def segment_sum(source, index, size, axis):
    shape = list(source.shape)
    shape[axis] = size
    return torch.zeros(shape, dtype=source.dtype).index_add(axis, index, source)


def index_select(x, index, axis):
    """The axis is replaced by the axes of the index."""
    axis %= x.dim()
    rows = x.index_select(axis, index.reshape(-1))
    return rows.reshape(*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])


def repeat_interleave(x, repeats, axis=None):
    return torch.repeat_interleave(x, torch.tensor(repeats) if isinstance(repeats, list) else repeats, axis)


def addmm(x, a, b, o={}):
    return torch.addmm(x, a, b, alpha=o.get("alpha", 1), beta=o.get("beta", 1))


def baddbmm(x, a, b, o={}):
    return torch.baddbmm(x, a, b, alpha=o.get("alpha", 1), beta=o.get("beta", 1))


def linear(x, weight, bias=None, o={}):
    axis = o.get("axis", -1)
    return F.linear(x.movedim(axis, -1), weight, bias).movedim(-1, axis)


def indexed(make):
    for index_dtype in (torch.int32, torch.int64):
        for x, index, axis in [([5, 3], [4], 0), ([5, 3], [0], 0), ([2, 5], [2, 3], 1), ([5], [], 0), ([2, 5, 3], [4], -2), ([3, 0], [2], 0)]:
            yield [make.normal(*x), make.integers(*index, low=0, high=x[axis] or 1, dtype=index_dtype), axis], {}
    for dtype in DTYPES[1:]:
        yield [make.any([5, 2], dtype), make.integers(3, low=0, high=5), 0], {"optional": True}


def segments(make):
    for dtype in (torch.int32, torch.int64):
        for source, size, axis in [([6], 3, 0), ([6, 2], 4, 0), ([2, 6], 4, 1), ([0, 2], 3, 0), ([3, 0], 2, 0), ([50, 20], 30, 0), ([2, 6, 3], 2, -2)]:
            yield [make.normal(*source), make.integers(source[axis], low=0, high=size, dtype=dtype), size, axis], {}
    for dtype in DTYPES[1:4]:
        yield [make.any([6], dtype), make.integers(6, low=0, high=3), 3, 0], {"optional": True}
    yield [vector([INF, NAN, 1.0, 2.0]), torch.tensor([0, 1, 2, 2]), 4, 0], {}


def gathered(make):
    for dtype in (torch.int32, torch.int64):
        for x, index, axis in [([5, 3], [4, 3], 0), ([5, 3], [2, 2], 0), ([2, 5], [2, 7], 1), ([5], [3], 0), ([2, 5, 3], [2, 2, 3], -2), ([3, 4], [0, 4], 0), ([2, 3], [2, 0], 1), ([], [], 0)]:
            high = x[axis] if x else 1
            index = make.integers(*index, low=0, high=high, dtype=dtype)
            yield [make.normal(*x), index, axis], {}
    for dtype in DTYPES[1:]:
        yield [make.any([5, 2], dtype), make.integers(3, 2, low=0, high=5), 0], {"optional": True}


def scattered(make):
    for args, more in gathered(make):
        x, index, axis = args
        yield [x, index, make.any(list(index.shape), x.dtype), axis], more


def added(make):
    for args, more in segments(make):
        source, index, size, axis = args
        shape = list(source.shape)
        shape[axis] = size
        yield [make.any(shape, source.dtype), index, source, axis], more
    yield [make.normal(4, 2), make.integers(3, low=0, high=4), make.normal(3, 2), 0, {"alpha": 0.5}], {}


def long(function):
    """PyTorch's function, whose index must be int64."""
    return lambda x, index, *rest: function(x, index.long(), *rest)


def searched(make):
    for right in ({}, {"right": True}):
        yield [make.normal(5).sort()[0], make.normal(2, 3), right], {}
        yield [vector([1, 2, 2, 3]), vector([0, 1, 2, 2.5, 3, 4, INF, -INF]), right], {}
        yield [make.normal(2, 5).sort(-1)[0], make.normal(2, 3), right], {}
        yield [make.normal(0), make.normal(3), right], {}
        yield [make.normal(5).sort()[0], make.normal(0), right], {}
        for dtype in DTYPES[1:4]:
            yield [make.any([5], dtype).sort()[0], make.any([4], dtype), right], {"optional": True}


PRODUCTS = [
    ([3], [3]), ([2, 3], [3]), ([3], [3, 4]), ([2, 3], [3, 4]), ([5, 2, 3], [3, 4]), ([5, 2, 3], [5, 3, 4]), ([2, 3], [5, 3, 4]),
    ([1, 5, 2, 3], [4, 1, 3, 2]), ([2, 0], [0, 3]), ([0, 2], [2, 3]), ([2, 3], [3, 0]), ([0], [0]), ([0, 2, 3], [3, 4]), ([1, 1], [1, 1]),
    ([0, 2, 3], [0, 3, 4]), ([5, 2, 0], [5, 0, 4]), ([64, 64], [64, 64]),
]  # fmt: skip


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
            for x, a, b in [([2, 4], [2, 3], [3, 4]), ([4], [2, 3], [3, 4]), ([2, 1], [2, 3], [3, 4]), ([], [2, 3], [3, 4]), ([2, 4], [2, 0], [0, 4]), ([0, 4], [0, 3], [3, 4]), ([2, 0], [2, 3], [3, 0])]:
                lead = [3] if batch else []
                yield [make.normal(*(lead * (len(x) == 2)), *x), make.normal(*lead, *a), make.normal(*lead, *b), options], {}
            if options.get("beta") == 0:
                yield [make.normal(*([3] if batch else []), 2, 4).fill_(NAN), make.normal(*lead, 2, 3), make.normal(*lead, 3, 4), options], {}
        yield [make.any([*lead, 2, 4], torch.int64), make.any([*lead, 2, 3], torch.int64), make.any([*lead, 3, 4], torch.int64)], {"optional": True}

    return generate


EQUATIONS = [
    ("ij,jk->ik", [2, 3], [3, 4]), ("ij->ji", [2, 3]), ("ii->i", [3, 3]), ("ii->", [3, 3]), ("bij,bjk->bik", [2, 3, 4], [2, 4, 5]), ("i,j->ij", [3], [4]),
    ("ij->", [2, 3]), ("...ij,...jk->...ik", [2, 3, 4], [4, 5]), ("ij,ij->ij", [2, 3], [2, 3]), ("ij,jk,kl->il", [2, 3], [3, 4], [4, 2]), ("ij,kj", [2, 3], [4, 3]),
    ("i,i->", [0], [0]), ("ij,jk->ik", [2, 0], [0, 3]), ("bhqd,bhkd->bhqk", [2, 3, 4, 5], [2, 3, 6, 5]), (",i->i", [], [3]), ("iij,jk->ik", [3, 3, 2], [2, 4]),
]  # fmt: skip

AXES = [([2, 3, 4], 0), ([2, 3, 4], -1), ([5], 0), ([2, 0, 3], 1), ([0], 0)]
MATRICES = [[3, 3], [2, 4], [4, 2], [2, 3, 4], [0, 3], [3, 0], [1, 1], [2, 0, 3]]

OPS = [
    Op("addmm", addmm, sums_of_products(False)),
    Op("arange", lambda a, b=None, o={}: torch.arange(*((0, a) if b is None else (a, b)), o.get("step", 1), dtype=getattr(torch, o.get("dtype", "int64"))), listed(lambda m: [5], lambda m: [0], lambda m: [2, 9], lambda m: [9, 2, {"step": -2}], lambda m: [0, 1, {"step": 0.1, "dtype": "float32"}], lambda m: [1, 8, {"step": 3, "dtype": "int32"}], lambda m: [3, 3], lambda m: [-2.5, 4, {"dtype": "float32"}])),
    Op("baddbmm", baddbmm, sums_of_products(True)),
    Op("bilinear", F.bilinear, listed(lambda m: [m.normal(4, 2), m.normal(4, 3), m.normal(5, 2, 3), m.normal(5)], lambda m: [m.normal(2, 4, 2), m.normal(2, 4, 3), m.normal(1, 2, 3)], lambda m: [m.normal(0, 2), m.normal(0, 3), m.normal(5, 2, 3)], lambda m: [m.normal(2), m.normal(3), m.normal(5, 2, 3)])),
    Op("bincount", lambda x, length, o={}: torch.bincount(x, o.get("weights"), length), together(listed(*(lambda m, d=d: [m.integers(9, low=0, high=5, dtype=d), 6] for d in DTYPES[1:3])), listed(lambda m: [m.integers(0, low=0, high=5), 3], lambda m: [m.integers(50, low=0, high=5), 5]))),
    Op("bmm", torch.bmm, products(([5, 2, 3], [5, 3, 4]), ([0, 2, 3], [0, 3, 4]), ([2, 0, 3], [2, 3, 4]), ([2, 3, 0], [2, 0, 4]))),
    Op("broadcastTo", torch.broadcast_to, shapes(([3], [2, 3]), ([], [2, 2]), ([2, 1], [2, 4]), ([1], [0]), ([1, 3], [0, 3]), ([2, 0], [3, 2, 0]))),
    Op("cdist", lambda a, b, o={}: torch.cdist(a, b, o.get("order", 2.0)), listed(*(lambda m, s=s, o=o: [m.normal(*s[0]), m.normal(*s[1]), {"order": o}] for s in (([4, 3], [5, 3]), ([2, 4, 3], [2, 5, 3]), ([2, 4, 3], [5, 3]), ([0, 3], [4, 3]), ([4, 0], [5, 0])) for o in (2.0, 1.0, 3.0, 0.5, INF)), lambda m: [m.normal(3, 2).repeat(2, 1), m.normal(3, 2)])),
    Op("chunk", lambda x, n, axis=0: list(torch.chunk(x, n, axis)), shapes(([6, 2], 3), ([7], 3), ([2, 5], 2, 1), ([2], 5), ([3], 1), ([0, 2], 3), ([2, 0], 2, 1))),
    Op("concat", lambda xs, axis=0: torch.cat(xs, axis), listed(*(lambda m, d=d: [[m.any([2, 3], d), m.any([1, 3], d), m.any([0, 3], d)]] for d in DTYPES), lambda m: [[m.normal(2, 3), m.normal(2, 1)], -1], lambda m: [[m.normal(3)]], lambda m: [[m.normal(0), m.normal(0)]])),
    Op("diagEmbed", diagonal(torch.diag_embed, -2, -1), shapes(*(([*s], o) for s in ([3], [2, 3], [0], [2, 0], [1]) for o in ({}, {"offset": 1}, {"offset": -2})), ([2, 3], {"axis1": 0, "axis2": 1}), ([2, 3], {"axis1": -1, "axis2": 0, "offset": 1}))),
    Op("diagonal", diagonal(torch.diagonal, 0, 1), shapes(*((s, o) for s in MATRICES for o in ({}, {"offset": 1}, {"offset": -1})), ([2, 3, 4], {"axis1": 0, "axis2": 2}), ([2, 3, 4], {"axis1": -1, "axis2": 1}), ([3, 3], {"offset": 3}), ([3, 3], {"offset": -3}))),
    Op("dot", torch.dot, products(([3], [3]), ([0], [0]), ([1], [1]))),
    Op("einsum", lambda equation, *xs: torch.einsum(equation, *xs), listed(*(lambda m, e=e: [e[0], *(m.normal(*s) for s in e[1:])] for e in EQUATIONS))),
    Op("embedding", lambda index, weight, o={}: F.embedding(index, weight, o.get("paddingIndex")), listed(*(lambda m, s=s, d=d, o=o: [m.integers(*s, low=0, high=5, dtype=d), m.normal(5, 3), o] for s in ([4], [2, 3], [], [0]) for d in (torch.int64, torch.int32) for o in ({}, {"paddingIndex": 1}, {"paddingIndex": -1})))),
    Op("expand", lambda x, shape: x.expand(shape), shapes(([3], [2, 3]), ([], [2, 2]), ([2, 1], [2, 4]), ([1], [0]), ([1, 3], [0, 3]))),
    Op("eye", lambda n, m=None, dtype="float32": torch.eye(n, n if m is None else m, dtype=getattr(torch, dtype)), listed(lambda m: [3], lambda m: [2, 4], lambda m: [4, 2, "int64"], lambda m: [0], lambda m: [3, 0], lambda m: [2, 2, "bool"])),
    Op("flatten", lambda x, start=0, end=-1: torch.flatten(x, start, end), shapes(([2, 3, 4],), ([2, 3, 4], 1), ([2, 3, 4], 0, 1), ([],), ([0, 3],), ([2, 0, 3], 1), ([5],))),
    Op("flip", lambda x, axes: torch.flip(x, axes if isinstance(axes, list) else [axes]), shapes(([5], 0), ([2, 3], [0, 1]), ([2, 3], -1), ([0, 2], 0), ([2, 3, 4], [0, 2]))),
    Op("full", lambda shape, value, dtype="float32": torch.full(shape, value, dtype=getattr(torch, dtype)), listed(lambda m: [[2, 3], 1.5], lambda m: [[], 2, "int64"], lambda m: [[0, 2], 1], lambda m: [[2], NAN], lambda m: [[2], -INF], lambda m: [[3], 255, "uint8"], lambda m: [[3], 1, "bool"], lambda m: [[1], 2**31 - 1, "int32"], lambda m: [[1], 2**53 - 1, "int64"])),
    Op("gather", long(lambda x, index, axis: torch.gather(x, axis, index)), gathered),
    Op("indexAdd", long(lambda x, index, source, axis, o={}: torch.index_add(x, axis, index, source, **o)), added),
    Op("indexSelect", index_select, indexed),
    Op("kron", torch.kron, products(([2, 3], [3, 2]), ([3], [2]), ([2, 3], [2]), ([], [3]), ([0], [2]), ([2, 2, 2], [2, 3]), ([1, 1], [1, 1]))),
    Op("linear", linear, listed(*(lambda m, s=s, b=b: [m.normal(*s), m.normal(5, 3), *([m.normal(5)] if b else [])] for s in ([3], [2, 3], [4, 2, 3], [0, 3], [2, 0, 3]) for b in (False, True)), lambda m: [m.normal(2, 3, 4), m.normal(5, 3), m.normal(5), {"axis": 1}], lambda m: [m.normal(2, 0), m.normal(3, 0), m.normal(3)], lambda m: [m.normal(2, 3), m.normal(0, 3)])),
    Op("linspace", lambda a, b, n: torch.linspace(a, b, n), listed(lambda m: [0, 1, 5], lambda m: [-3, 7, 11], lambda m: [2, 2, 3], lambda m: [5, -5, 4], lambda m: [0, 1, 1], lambda m: [0, 1, 0], lambda m: [0, 1, 2])),
    Op("matmul", torch.matmul, products(*PRODUCTS)),
    Op("meshgrid", lambda xs, o={}: list(torch.meshgrid(*xs, indexing=o.get("indexing", "ij"))), listed(lambda m: [[m.normal(2), m.normal(3)]], lambda m: [[m.normal(2), m.normal(3), m.normal(4)], {"indexing": "xy"}], lambda m: [[m.normal(2)]], lambda m: [[m.normal(0), m.normal(3)]], lambda m: [[m.normal(), m.normal(3)]])),
    Op("moveAxis", lambda x, a, b: torch.movedim(x, a, b), shapes(([2, 3, 4], 0, 2), ([2, 3, 4], -1, 0), ([2, 3, 4], [0, 1], [2, 0]), ([2, 0], 0, 1))),
    Op("mv", torch.mv, products(([2, 3], [3]), ([0, 3], [3]), ([2, 0], [0]))),
    Op("oneHot", one_hot, listed(*(lambda m, s=s, d=d: [m.integers(*s, low=0, high=4, dtype=d), 4] for s in ([5], [2, 3], [], [0]) for d in (torch.int64, torch.int32)), lambda m: [m.integers(3, low=0, high=4), 4, "float32"])),
    Op("ones", lambda shape, dtype="float32": torch.ones(shape, dtype=getattr(torch, dtype)), listed(lambda m: [[2, 3]], lambda m: [[]], lambda m: [[0, 2], "int64"], lambda m: [[2], "bool"])),
    Op("outer", torch.outer, products(([2], [3]), ([0], [3]), ([1], [1]))),
    Op("pad", pad, shapes(*((s, p, o) for s, p in (([5], [1, 2]), ([2, 5], [2, 1]), ([4, 5], [1, 2, 3, 0]), ([2, 4, 5], [1, 1, 2, 2])) for o in ({}, {"value": 1}, {"mode": "reflect"}, {"mode": "replicate"}, {"mode": "circular"})), ([5], [-1, -2]), ([5], [-1, 2]), ([0], [1, 2]), ([2, 0], [1, 1]), ([2, 3], [-1, 1, 1, -1]))),
    Op("permute", torch.permute, shapes(([2, 3], [1, 0]), ([2, 3, 4], [2, 0, 1]), ([], []), ([0, 2], [1, 0]), ([2, 3, 4], [-1, 0, -2]))),
    Op("repeatInterleave", repeat_interleave, shapes(([3], 2), ([2, 3], 2), ([2, 3], 2, 1), ([2, 3], [1, 2], 0), ([3], [0, 2, 1], 0), ([], 3), ([0], 2), ([2, 3], 0, 1), ([2, 3], 1, -1))),
    Op("reshape", torch.reshape, shapes(([2, 3], [3, 2]), ([6], [-1, 2]), ([], [1]), ([1], []), ([0, 2], [0]), ([2, 0], [0, 5]), ([2, 3], [-1]))),
    Op("roll", lambda x, shifts, axes=None: torch.roll(x, shifts, axes), shapes(([5], 2), ([2, 3], 1), ([2, 3], 4, 1), ([2, 3], [1, -1], [0, 1]), ([0], 1), ([2, 0], 1, 1), ([5], -7, 0))),
    Op("scatterAdd", long(lambda x, index, source, axis: torch.scatter_add(x, axis, index, source)), scattered),
    Op("searchsorted", lambda rows, x, o={}: torch.searchsorted(rows, x, **o), searched),
    Op("segmentSum", segment_sum, segments),
    Op("select", lambda x, index, axis: torch.select(x, axis, index), shapes(([5], 2, 0), ([2, 3], -1, 1), ([2, 3], 0, -2), ([3, 0], 1, 0))),
    Op("selectPlaces", lambda x, places, axis: x.index_select(axis, torch.tensor(places, dtype=torch.int64)), shapes(([5], [0, 3, 3], 0), ([2, 3], [2, 0], 1), ([2, 3], [0, 1, 2], 1), ([2, 3], [], 1))),
    Op("slice", lambda x, r, axis: slice_along(x, *[*r, None, None][:2], r[2] if len(r) > 2 else 1, axis), shapes(([6], [1, 4], 0), ([6], [-3], 0), ([6], [None, None, 2], 0), ([6], [None, None, -1], 0), ([2, 6], [4, 1, -2], 1), ([6], [3, 3], 0), ([6], [4, 2], 0), ([6], [-100, 100], 0), ([0], [0, 3], 0), ([2, 0], [0, 1], 0))),
    Op("split", lambda x, sizes, axis=0: list(torch.split(x, sizes, axis)), shapes(([7], 3), ([5, 2], [2, 3]), ([2, 5], 2, 1), ([2, 5], [0, 5], -1), ([0], 2), ([3], 5), ([2, 0], 1, 1))),
    Op("squeeze", lambda x, axes=None: torch.squeeze(x) if axes is None else torch.squeeze(x, axes), shapes(([1, 3, 1],), ([1, 3, 1], 0), ([1, 3, 1], [0, -1]), ([],), ([1, 0],), ([1], 0))),
    Op("stack", lambda xs, axis=0: torch.stack(xs, axis), listed(*(lambda m, d=d: [[m.any([2, 3], d), m.any([2, 3], d)]] for d in DTYPES), lambda m: [[m.normal(2, 3), m.normal(2, 3)], -1], lambda m: [[m.normal(), m.normal()]], lambda m: [[m.normal(0), m.normal(0)], 1])),
    Op("sumTo", lambda x, shape: x.sum_to_size(shape) if shape else x.sum(), shapes(([2, 3], [3]), ([2, 3], [2, 1]), ([2, 3], []), ([4, 2, 3], [1, 3]), ([0, 3], [3]), ([0, 3], [1, 3]), dtypes=DTYPES[:1])),
    Op("takeAlongAxis", long(take), together(gathered, listed(lambda m: [m.normal(2, 3), m.integers(4, low=0, high=6)], lambda m: [m.normal(2, 3), m.integers(1, 2, low=0, high=3), 1], lambda m: [m.normal(1, 3), m.integers(4, 2, low=0, high=3), 1]))),
    Op("tensordot", lambda a, b, axes=2: torch.tensordot(a, b, axes), listed(lambda m: [m.normal(2, 3, 4), m.normal(3, 4, 5)], lambda m: [m.normal(2, 3), m.normal(3, 4), 1], lambda m: [m.normal(2), m.normal(3), 0], lambda m: [m.normal(2, 3, 4), m.normal(4, 2), [[2, 0], [0, 1]]], lambda m: [m.normal(2, 0), m.normal(0, 3), 1], lambda m: [m.normal(), m.normal(3), 0])),
    Op("tile", lambda x, repeats: torch.tile(x, repeats if isinstance(repeats, list) else [repeats]), shapes(([3], 2), ([2, 3], [2, 1]), ([3], [2, 2]), ([2, 3], 2), ([], 3), ([0], 2), ([3], 0), ([2, 3], [1, 0]))),
    Op("trace", torch.trace, shapes(*(([*s],) for s in ([3, 3], [2, 4], [4, 2], [0, 3], [1, 1])))),
    Op("transpose", lambda x, a=-2, b=-1: torch.transpose(x, a, b), shapes(([2, 3],), ([2, 3, 4], 0, 2), ([2, 3, 4], -1, -3), ([0, 2],), ([2, 0, 3], 0, 1))),
    Op("tril", lambda x, d=0: torch.tril(x, d), shapes(*((s, d) for s in MATRICES for d in (0, 1, -1, 5, -5)))),
    Op("triu", lambda x, d=0: torch.triu(x, d), shapes(*((s, d) for s in MATRICES for d in (0, 1, -1, 5, -5)))),
    Op("unsqueeze", torch.unsqueeze, shapes(([2, 3], 0), ([2, 3], -1), ([2, 3], 1), ([], 0), ([0], 1))),
    Op("zeros", lambda shape, dtype="float32": torch.zeros(shape, dtype=getattr(torch, dtype)), listed(lambda m: [[2, 3]], lambda m: [[]], lambda m: [[0, 2], "int64"], lambda m: [[2], "bool"])),
]
