"""Reductions, scans and orders beside PyTorch's."""

import torch
import torch.nn.functional as F

from inputs import DTYPES, INF, NAN, listed, reduction, scan, together, vector
from table import Op


def over(function):
    """A reduction over axes, in tenfold's arguments; all axes by default."""

    def call(x, axes=None, o={}):
        axes = list(range(x.dim())) if axes is None else axes
        if axes == []:
            return function(x.reshape(1), 0, False)
        return function(x, axes, o.get("keepDims", False))

    return call


def axis_by_axis(function):
    """A reduction of several axes that PyTorch does one at a time."""

    def call(x, axes=None, o={}):
        axes = list(range(x.dim())) if axes is None else axes if isinstance(axes, list) else [axes]
        if x.dim() == 0:
            return function(x.reshape(1), 0, False)
        for axis in axes:
            x = function(x, axis, True)
        return x if o.get("keepDims") else x.squeeze(axes)

    return call


def along(function):
    """A reduction of one axis, or of all elements."""

    def call(x, axis=None, o={}):
        return function(x, axis, o.get("keepDims", False))

    return call


def pair(result):
    return [result[0], result[1]]


def values(result):
    return [result[0]]


def quantile(x, q, axis=None, o={}):
    share = torch.tensor(q, dtype=torch.float32).to(x.dtype)
    return torch.quantile(x, share, axis, o.get("keepDims", False), interpolation=o.get("interpolation", "linear"))


def quantiles(make):
    for q in (0.0, 0.3, 1.0, [0.25, 0.5, 0.9]):
        for shape, axis in [([7], None), ([], None), ([2, 5], 1), ([2, 5], 0), ([2, 3, 4], None), ([3, 4], -1)]:
            yield [make.distinct(*shape), q, axis], {}
        yield [make.distinct(2, 5), q, 1, {"keepDims": True}], {}
    for interpolation in ("linear", "lower", "higher", "nearest", "midpoint"):
        yield [make.distinct(3, 8), 0.4, 1, {"interpolation": interpolation}], {}
    yield [vector([[1, NAN, 2], [NAN, 1, 2], [1, 2, NAN], [INF, 1, 2], [-INF, -INF, 3]]), 0.5, 1], {}


def sorted_by(make):
    for descending in ({}, {"descending": True}):
        for shape, axis in [
            ([7], -1),
            ([], 0),
            ([], -1),
            ([3, 4], 0),
            ([3, 4], 1),
            ([0], 0),
            ([2, 0], 1),
            ([0, 2], 1),
            ([2, 3, 4], 1),
            ([1], 0),
        ]:
            yield [make.distinct(*shape), axis, descending], {}
        yield [vector([[1, NAN, 2], [NAN, 1, 2], [1, 2, NAN], [INF, 1, 2], [-INF, NAN, 3], [NAN, NAN, 0]]), 1, descending], {}
        for dtype in DTYPES[1:]:
            yield [make.any([8], dtype), 0, descending], {"optional": True}
            yield [make.any([0], dtype), 0, descending], {"optional": True}


def largest(make):
    for largest in ({}, {"largest": False}):
        for shape, k, axis in [
            ([7], 3, -1),
            ([7], 0, 0),
            ([7], 7, 0),
            ([3, 4], 2, 0),
            ([3, 4], 2, 1),
            ([], 1, 0),
            ([], 1, -1),
            ([2, 0], 0, 1),
            ([0, 3], 2, 1),
        ]:
            yield [make.distinct(*shape), k, axis, largest], {}
        yield [vector([[1, NAN, 2], [NAN, 1, 2], [1, 2, NAN], [INF, 1, 2], [-INF, NAN, 3]]), 2, 1, largest], {}
        for dtype in DTYPES[1:4]:
            yield [torch.randperm(8, generator=make.generator).to(dtype), 3, 0, largest], {"optional": True}


def vector_norms(make):
    for order in (2, 1, 3, 0.5, INF, -INF, 0, -1):
        for shape, axes in [([5], None), ([2, 3], 1), ([2, 3], [0, 1]), ([], None), ([2, 1], 1)]:
            yield [make.normal(*shape), order, axes], {}
        yield [vector([[1, NAN, 2], [NAN, 1, 2], [1, 2, NAN], [INF, 1, 2], [-INF, 0, 3], [0, 0, 0]]), order, 1], {}
        yield [make.normal(2, 3), order, 1, {"keepDims": True}], {}
        if isinstance(order, int) and order > 0:
            yield [make.normal(2, 0), order, 1], {}
            yield [make.normal(0, 2), order, 1], {}


def vector_norm(x, order=2, axes=None, o={}):
    return torch.linalg.vector_norm(x, order, axes, o.get("keepDims", False))


def variances(function):
    return lambda x, axes=None, o={}: function(
        x, list(range(x.dim())) if axes is None else axes, correction=o.get("correction", 1), keepdim=o.get("keepDims", False)
    )


VARIANCE_OPTIONS = ({}, {"keepDims": True}, {"correction": 0}, {"correction": 0.5})


def softmaxes(make):
    yield from reduction(options=({},))(make)


def no_axes(make):
    """Cases of `reduction` without axes: all elements."""
    for args, more in reduction(options=({},), ties=False)(make):
        yield args[:1], more


def softmax_cases(make):
    for shape, axis in [([5], -1), ([2, 3], 0), ([2, 3, 4], 1), ([], 0), ([], -1), ([0], 0), ([2, 0], 1), ([0, 3], 1), ([1], 0)]:
        yield [make.normal(*shape), axis], {}
    for scale in (1e-3, 30, 1e4, 1e30):
        yield [make.normal(3, 5, scale=scale), -1], {}
    yield [make.normal(3, 5, shift=1000.0), -1], {}
    yield [vector([[1, NAN, 2], [INF, 1, 2], [-INF, 1, 2], [-INF, -INF, -INF], [3e38, -3e38, 0], [0, -100, -104]]), -1], {}
    for dtype in DTYPES[1:]:
        yield [make.any([2, 3], dtype), -1], {"optional": True}


def temperature(make):
    for args, more in softmax_cases(make):
        yield [args[0], 2.0, args[1]], more
        yield [args[0], 0.1, args[1]], more


def covariance(x, o={}):
    return torch.cov(x, correction=o.get("correction", 1), fweights=o.get("fweights"), aweights=o.get("aweights"))


def observations(options):
    def generate(make):
        for shape in ([3, 8], [8], [1, 5], [2, 2], [4, 1], [], [3, 0], [0, 4]):
            for option in options(make, shape[-1] if shape else 1):
                yield ([make.normal(*shape), option] if option else [make.normal(*shape)]), {}
        yield [make.normal(3, 50, shift=1000.0)], {}
        yield [make.normal(2, 6, scale=1e-3)], {}
        yield [vector([[1, 2, NAN], [3, 1, 2]])], {}
        yield [vector([[1, 2, 4], [2, 4, 8], [-1, -2, -4]])], {}
        for dtype in DTYPES[1:]:
            yield [make.any([2, 5], dtype)], {"optional": True}

    return generate


def weightings(make, count):
    frequencies, importances = make.integers(count, low=1, high=5), make.uniform(count, low=0.1)
    yield from ({}, {"correction": 0}, {"correction": 2}, {"fweights": frequencies}, {"aweights": importances})
    yield {"fweights": frequencies.int(), "aweights": importances, "correction": 0}
    yield {"fweights": frequencies, "aweights": importances}


def differenced(make):
    for shape, axis in [([6], -1), ([6], 0), ([3, 4], 0), ([3, 4], 1), ([2, 3, 4], -2), ([0], 0), ([2, 0], 1), ([1], 0)]:
        for n in (0, 1, 2, 5):
            yield [make.normal(*shape), {"axis": axis, "n": n}], {}
    yield [make.normal(3, 4)], {}
    yield [make.normal(3, 4), {"prepend": make.normal(3, 2), "append": make.normal(3, 1)}], {}
    yield [make.normal(3, 4), {"axis": 0, "n": 2, "append": make.normal(1, 4)}], {}
    for dtype in DTYPES[1:]:
        yield [make.any([2, 5], dtype)], {"optional": True}
        yield [make.any([2, 5], dtype), {"n": 2}], {"optional": True}


def diff(x, o={}):
    return torch.diff(x, o.get("n", 1), o.get("axis", -1), o.get("prepend"), o.get("append"))


def with_nan(make):
    yield from reduction()(make)
    x = make.normal(3, 4)
    x[0, 1] = x[2] = NAN
    for axes in (None, 0, 1, [0, 1]):
        yield [x, axes], {}


OPS = [
    Op("all", over(torch.all), reduction()),
    Op("any", over(torch.any), reduction()),
    Op("argmax", along(torch.argmax), reduction(one_axis=True)),
    Op("argmin", along(torch.argmin), reduction(one_axis=True)),
    Op("argsort", lambda x, axis=-1, o={}: torch.sort(x, dim=axis, stable=True, **o)[1], sorted_by),
    Op(
        "countNonzero",
        lambda x, axes=None: torch.count_nonzero(x) if axes is None else torch.count_nonzero(x, axes),
        reduction(options=({},)),
    ),
    Op("corrcoef", torch.corrcoef, observations(lambda make, count: [{}])),
    Op("cov", covariance, observations(weightings)),
    Op("cummax", lambda x, axis: pair(torch.cummax(x, axis)), scan()),
    Op("cummin", lambda x, axis: pair(torch.cummin(x, axis)), scan()),
    Op("cumprod", torch.cumprod, scan()),
    Op(
        "cumsum",
        lambda x, axis, o={}: torch.cumsum(x.flip(axis), axis).flip(axis) if o else torch.cumsum(x, axis),
        together(scan(), listed(lambda m: [m.normal(2, 4), 1, {"reverse": True}])),
    ),
    Op("diff", diff, differenced),
    Op("logCumsumExp", torch.logcumsumexp, scan()),
    Op("logSoftmax", lambda x, axis=-1: F.log_softmax(x, axis), softmax_cases),
    Op("logSumExp", over(torch.logsumexp), reduction()),
    Op("max", over(torch.amax), reduction()),
    Op("maxWithIndices", along(lambda x, axis, keep: pair(torch.max(x, axis, keep))), reduction(one_axis=True, empty=False, ties=False)),
    Op("mean", over(torch.mean), reduction()),
    Op("median", torch.median, no_axes),
    Op(
        "medianWithIndices",
        along(lambda x, axis, keep: pair(torch.median(x, axis, keep))),
        reduction(one_axis=True, empty=False, ties=False),
    ),
    Op("min", over(torch.amin), reduction()),
    Op("minWithIndices", along(lambda x, axis, keep: pair(torch.min(x, axis, keep))), reduction(one_axis=True, empty=False, ties=False)),
    Op("nanmean", over(torch.nanmean), with_nan),
    Op("nansum", over(torch.nansum), with_nan),
    Op("prod", axis_by_axis(torch.prod), reduction()),
    Op("quantile", quantile, quantiles),
    Op("softmax", lambda x, axis=-1: F.softmax(x, axis), softmax_cases),
    Op("softmaxWithTemperature", lambda x, t, axis=-1: F.softmax(x / t, axis), temperature),
    Op("softmin", lambda x, axis=-1: F.softmin(x, axis), softmax_cases),
    Op("sort", lambda x, axis=-1, o={}: pair(torch.sort(x, dim=axis, stable=True, **o)), sorted_by),
    Op("std", variances(torch.std), reduction(options=VARIANCE_OPTIONS)),
    Op("sum", over(torch.sum), reduction()),
    Op("topk", lambda x, k, axis=-1, o={}: pair(torch.topk(x, k, axis, **o)), largest),
    Op("variance", variances(torch.var), reduction(options=VARIANCE_OPTIONS)),
    Op("varMean", variances(lambda *args, **more: pair(torch.var_mean(*args, **more))), reduction(options=VARIANCE_OPTIONS)),
    Op("vectorNorm", vector_norm, vector_norms),
]
