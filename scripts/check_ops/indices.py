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


def unique_index(make, index, axis, size, dtype=torch.int64):
    """An index of which no element occurs twice along the axis: of several, PyTorch does not say which one counts."""
    count = 1
    for n in index:
        count *= n
    rows = count // index[axis] if index and index[axis] else 0
    orders = [torch.randperm(size, generator=make.generator)[: index[axis]] for _ in range(rows)]
    shape = [n for i, n in enumerate(index) if i != axis]
    flat = torch.stack(orders).reshape(*shape, index[axis]) if rows else torch.zeros(*shape, index[axis] if index else 1)
    return flat.movedim(-1, axis).contiguous().to(dtype) if index else torch.zeros([], dtype=dtype)


def overwritten(make):
    for dtype in (torch.int32, torch.int64):
        for x, index, axis in [([5, 3], [4, 3], 0), ([5, 3], [2, 2], 0), ([2, 5], [2, 4], 1), ([5], [3], 0), ([2, 5, 3], [2, 2, 3], -2), ([3, 4], [0, 4], 0), ([2, 3], [2, 0], 1)]:
            places = unique_index(make, index, axis % len(x), x[axis], dtype)
            yield [make.normal(*x), places, make.normal(*index), axis], {}
            yield [make.normal(*x), places, make.normal(*[n + 1 for n in index]), axis], {}
            yield [make.normal(*x), places, 0.5, axis], {}
    for dtype in DTYPES[1:]:
        yield [make.any([5, 2], dtype), unique_index(make, [3, 2], 0, 5), make.any([3, 2], dtype), 0], {"optional": True}
        yield [make.any([5, 2], dtype), unique_index(make, [3, 2], 0, 5), 1, 0], {"optional": True}


def reduced_at_places(make):
    for reduce in ("sum", "prod", "mean", "amax", "amin"):
        for own in ({}, {"includeSelf": False}):
            for args, more in scattered(make):
                x, index, source, axis = args
                if x.dim() > 0:
                    yield [x, index, source, axis, reduce, own], more
            index = torch.tensor([0, 1, 2, 2, 3, 3, 3])
            yield [vector([1, NAN, 2, 0, 5]), index, vector([NAN, 5, NAN, 3, -1, -1, 2]), 0, reduce, own], {}
            yield [vector([1, INF, 2, -INF, 5]), index, vector([INF, 5, -INF, INF, -1, -1, 2]), 0, reduce, own], {}
            yield [vector([0, 3, 2, 0, 5]), index, vector([4, 0, 0, 3, 0, 0, 2]), 0, reduce, own], {}
            yield [vector([1, 5, 3, 2, 5]), index, vector([1, 5, 3, 3, 2, 2, 1]), 0, reduce, own], {}
            for dtype in (torch.int32, torch.int64):
                most = torch.iinfo(dtype).max
                x = torch.tensor([most, -most, 7, -7, 0], dtype=dtype)
                yield [x, index, torch.tensor([-most, most, -5, 2, 3, -8, 2], dtype=dtype), 0, reduce, own], {"optional": True}


def scatter_reduce(x, index, source, axis, reduce, o={}):
    return torch.scatter_reduce(x, axis, index.long(), source, reduce, include_self=o.get("includeSelf", True))


def copied(make):
    for dtype in (torch.int32, torch.int64):
        for x, count, axis in [([5, 3], 3, 0), ([5, 3], 0, 0), ([2, 5], 5, 1), ([5], 2, 0), ([2, 5, 3], 4, -2), ([3, 0], 2, 0)]:
            places = torch.randperm(x[axis], generator=make.generator)[:count].to(dtype)
            source = [count if i == axis % len(x) else n for i, n in enumerate(x)]
            yield [make.normal(*x), places, make.normal(*source), axis], {}
    for dtype in DTYPES[1:]:
        yield [make.any([5, 2], dtype), torch.tensor([4, 0]), make.any([2, 2], dtype), 0], {"optional": True}


# Shape of x; shape and sign of the index of each axis (None: all of the axis).
SEVERAL = [
    ([5, 4], [[3], [3]]), ([5, 4], [[2, 1], [3]]), ([5, 4], [[3], []]), ([5, 4], [[], []]), ([5, 4, 3], [[2], None, [2]]),
    ([5, 4, 3], [None, [2], [2]]), ([5, 4, 3], [None, [2, 2]]), ([5, 4, 3], [[2], [2], [2]]), ([2, 5, 4, 3], [None, [3], None, [2, 1]]),
    ([5, 4], [[0], [0]]), ([5, 0], [[2], None]), ([5, 4], [None, [3]]), ([5], [[2, 2]]), ([3, 4, 2], [[2, 1], [1, 3]]),
]  # fmt: skip


def several(make, unique=False):
    for x, given in SEVERAL:
        for dtype in (torch.int32, torch.int64):
            indices = [i if i is None else make.integers(*i, low=-n, high=n, dtype=dtype) for i, n in zip(given, x)]
            if unique:
                yield x, [i if i is None else torch.arange(i.numel(), dtype=dtype).reshape(i.shape) - int(i.numel() > 1) for i in indices]
            else:
                yield x, indices


def subscript(indices):
    return tuple(slice(None) if index is None else index.long() for index in indices)


def read_by_several(make):
    for x, indices in several(make):
        yield [make.normal(*x), indices], {}
    for dtype in DTYPES[1:]:
        yield [make.any([5, 2], dtype), [torch.tensor([-1, 3]), torch.tensor([0, -2])]], {"optional": True}


def index_put(x, indices, values, o={}):
    values = values if isinstance(values, torch.Tensor) else torch.tensor(values).to(x.dtype)
    if o.get("accumulate"):
        # Gradients of index_put by values that broadcast are wrong in some releases: these are whole.
        values = values.expand(x[subscript(indices)].shape)
    result = x.clone()
    if any(index is None for index in indices):
        places = torch.arange(x.numel()).reshape(x.shape)[subscript(indices)]
        values = values.expand(places.shape).reshape(-1)
        return result.reshape(-1).index_put((places.reshape(-1),), values, o.get("accumulate", False)).reshape(x.shape)
    return result.index_put(subscript(indices), values, o.get("accumulate", False))


def written_by_several(make):
    for accumulate in ({}, {"accumulate": True}):
        for x, indices in several(make, unique=not accumulate):
            tensor = make.normal(*x)
            region = list(tensor[subscript(indices)].shape)
            yield [tensor, indices, make.normal(*region), accumulate], {}
            yield [tensor, indices, make.normal(*region[-1:]), accumulate], {}
            yield [tensor, indices, 0.5, accumulate], {}
    for dtype in DTYPES[1:]:
        for accumulate in ({}, {"accumulate": True}):
            indices = [torch.tensor([-1, 3]), torch.tensor([0, -2])]
            yield [make.any([5, 2], dtype), indices, make.any([2], dtype), accumulate], {"optional": True}


def masked(make):
    for x, mask, source in [([5, 3], [5, 3], [15]), ([5, 3], [3], [4, 5]), ([4], [2, 4], [8]), ([], [], [1]), ([3], [], [3]), ([0], [0], [2]), ([2, 3], [2, 1], [9])]:
        yield [make.normal(*x), make.any(mask, torch.bool), make.normal(*source)], {}
    yield [make.normal(3), torch.tensor([False, False, False]), make.normal(1)], {}
    for dtype in DTYPES[1:]:
        yield [make.any([5, 2], dtype), make.any([5, 2], torch.bool), make.any([10], dtype)], {"optional": True}


def masked_scatter(x, mask, source):
    x, mask = torch.broadcast_tensors(x, mask)
    return x.masked_scatter(mask, source)


def bags(make):
    for mode in ("sum", "mean", "max"):
        for padding in ({}, {"paddingIndex": 1}, {"paddingIndex": -1}):
            own = {"mode": mode, **padding}
            for dtype in (torch.int32, torch.int64):
                weight = make.normal(6, 3)
                yield [make.integers(4, 5, low=0, high=6, dtype=dtype), weight, own], {}
                yield [make.integers(0, 5, low=0, high=6, dtype=dtype), weight, own], {}
                flat = make.integers(9, low=0, high=6, dtype=dtype)
                yield [flat, weight, {**own, "offsets": torch.tensor([0, 2, 2, 7], dtype=dtype)}], {}
                yield [flat, weight, {**own, "offsets": torch.tensor([0], dtype=dtype)}], {}
                yield [flat, weight, {**own, "offsets": torch.tensor([0, 9, 9], dtype=dtype)}], {}
                yield [flat, weight, {**own, "offsets": torch.tensor([0, 4, 9], dtype=dtype), "includeLastOffset": True}], {}
                yield [flat[:0], weight, {**own, "offsets": torch.tensor([0, 0], dtype=dtype)}], {}
                if mode == "sum":
                    yield [flat, weight, {**own, "offsets": torch.tensor([0, 4], dtype=dtype), "perSampleWeights": make.normal(9)}], {}
                    yield [flat.reshape(3, 3), weight, {**own, "perSampleWeights": make.normal(3, 3)}], {}
        yield [torch.tensor([[1, 1], [2, 1]]), make.normal(3, 2), {"mode": mode, "paddingIndex": 1}], {}


def embedding_bag(index, weight, o={}):
    return F.embedding_bag(
        index,
        weight,
        o.get("offsets"),
        mode=o.get("mode", "mean"),
        per_sample_weights=o.get("perSampleWeights"),
        padding_idx=o.get("paddingIndex"),
        include_last_offset=o.get("includeLastOffset", False),
    )


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
        for length in (17, 32, 33, 100):
            rows = make.any([3, length], torch.int64).float().sort(-1)[0]
            yield [rows, make.any([3, 20], torch.int64).float(), right], {}
            yield [rows[0], vector([-INF, -6, -5, 0, 0.5, 5, 6, INF]).reshape(2, 4), right], {}
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
    Op("embeddingBag", embedding_bag, bags),
    Op("gather", long(lambda x, index, axis: torch.gather(x, axis, index)), gathered),
    Op("index", lambda x, indices: x[subscript(indices)], read_by_several),
    Op("indexAdd", long(lambda x, index, source, axis, o={}: torch.index_add(x, axis, index, source, **o)), added),
    Op("indexCopy", long(lambda x, index, source, axis: torch.index_copy(x, axis, index, source)), copied),
    Op("indexPut", index_put, written_by_several),
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
    Op("maskedScatter", masked_scatter, masked),
    Op("scatter", long(lambda x, index, source, axis: torch.scatter(x, axis, index, source)), overwritten),
    Op("scatterAdd", long(lambda x, index, source, axis: torch.scatter_add(x, axis, index, source)), scattered),
    Op("scatterReduce", scatter_reduce, reduced_at_places),
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
