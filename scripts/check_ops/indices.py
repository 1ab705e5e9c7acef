"""Indices beside PyTorch's: gathering, scattering, embedding, counting."""

import torch
import torch.nn.functional as F

from inputs import DTYPES, INF, NAN, listed, shapes, together, vector
from table import Op


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


def indexed(make):
    for index_dtype in (torch.int32, torch.int64):
        for x, index, axis in [
            ([5, 3], [4], 0),
            ([5, 3], [0], 0),
            ([2, 5], [2, 3], 1),
            ([5], [], 0),
            ([2, 5, 3], [4], -2),
            ([3, 0], [2], 0),
        ]:
            yield [make.normal(*x), make.integers(*index, low=0, high=x[axis] or 1, dtype=index_dtype), axis], {}
    for dtype in DTYPES[1:]:
        yield [make.any([5, 2], dtype), make.integers(3, low=0, high=5), 0], {"optional": True}


def segments(make):
    for dtype in (torch.int32, torch.int64):
        for source, size, axis in [
            ([6], 3, 0),
            ([6, 2], 4, 0),
            ([2, 6], 4, 1),
            ([0, 2], 3, 0),
            ([3, 0], 2, 0),
            ([50, 20], 30, 0),
            ([2, 6, 3], 2, -2),
        ]:
            yield [make.normal(*source), make.integers(source[axis], low=0, high=size, dtype=dtype), size, axis], {}
    for dtype in DTYPES[1:4]:
        yield [make.any([6], dtype), make.integers(6, low=0, high=3), 3, 0], {"optional": True}
    yield [vector([INF, NAN, 1.0, 2.0]), torch.tensor([0, 1, 2, 2]), 4, 0], {}


def gathered(make):
    for dtype in (torch.int32, torch.int64):
        for x, index, axis in [
            ([5, 3], [4, 3], 0),
            ([5, 3], [2, 2], 0),
            ([2, 5], [2, 7], 1),
            ([5], [3], 0),
            ([2, 5, 3], [2, 2, 3], -2),
            ([3, 4], [0, 4], 0),
            ([2, 3], [2, 0], 1),
            ([], [], 0),
        ]:
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


OPS = [
    Op(
        "bincount",
        lambda x, length, o={}: torch.bincount(x, o.get("weights"), length),
        together(
            listed(*(lambda m, d=d: [m.integers(9, low=0, high=5, dtype=d), 6] for d in DTYPES[1:3])),
            listed(lambda m: [m.integers(0, low=0, high=5), 3], lambda m: [m.integers(50, low=0, high=5), 5]),
        ),
    ),
    Op(
        "embedding",
        lambda index, weight, o={}: F.embedding(index, weight, o.get("paddingIndex")),
        listed(
            *(
                lambda m, s=s, d=d, o=o: [m.integers(*s, low=0, high=5, dtype=d), m.normal(5, 3), o]
                for s in ([4], [2, 3], [], [0])
                for d in (torch.int64, torch.int32)
                for o in ({}, {"paddingIndex": 1}, {"paddingIndex": -1})
            )
        ),
    ),
    Op("gather", long(lambda x, index, axis: torch.gather(x, axis, index)), gathered),
    Op("indexAdd", long(lambda x, index, source, axis, o={}: torch.index_add(x, axis, index, source, **o)), added),
    Op("indexSelect", index_select, indexed),
    Op(
        "oneHot",
        one_hot,
        listed(
            *(
                lambda m, s=s, d=d: [m.integers(*s, low=0, high=4, dtype=d), 4]
                for s in ([5], [2, 3], [], [0])
                for d in (torch.int64, torch.int32)
            ),
            lambda m: [m.integers(3, low=0, high=4), 4, "float32"],
        ),
    ),
    Op("scatterAdd", long(lambda x, index, source, axis: torch.scatter_add(x, axis, index, source)), scattered),
    Op("searchsorted", lambda rows, x, o={}: torch.searchsorted(rows, x, **o), searched),
    Op("segmentSum", segment_sum, segments),
    Op(
        "select", lambda x, index, axis: torch.select(x, axis, index), shapes(([5], 2, 0), ([2, 3], -1, 1), ([2, 3], 0, -2), ([3, 0], 1, 0))
    ),
    Op(
        "selectPlaces",
        lambda x, places, axis: x.index_select(axis, torch.tensor(places, dtype=torch.int64)),
        shapes(([5], [0, 3, 3], 0), ([2, 3], [2, 0], 1), ([2, 3], [0, 1, 2], 1), ([2, 3], [], 1)),
    ),
    Op(
        "takeAlongAxis",
        long(take),
        together(
            gathered,
            listed(
                lambda m: [m.normal(2, 3), m.integers(4, low=0, high=6)],
                lambda m: [m.normal(2, 3), m.integers(1, 2, low=0, high=3), 1],
                lambda m: [m.normal(1, 3), m.integers(4, 2, low=0, high=3), 1],
            ),
        ),
    ),
]
