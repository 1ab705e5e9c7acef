"""Tensors to try: random, extreme, empty, scalar, broadcasting, of every dtype."""

import itertools

import torch

INF, NAN = float("inf"), float("nan")
FLOAT = torch.float32
INTEGERS = [torch.int32, torch.int64, torch.uint8]
DTYPES = [FLOAT, *INTEGERS, torch.bool]
SHAPES = [[], [1], [5], [0], [2, 3], [2, 0, 3], [2, 1, 4]]
PAIRS = [
    ([], []), ([4], []), ([], [2, 3]), ([2, 3], [3]), ([2, 1, 3], [4, 1]), ([1], [0]),
    ([2, 0], [1, 1]), ([0, 3], [3]), ([3], [3]), ([1, 3], [2, 1]),
]  # fmt: skip
# Around the ends of exp, tanh, sigmoid and erf, at float32's limits, subnormal, and where steps and kinks lie.
EXTREME = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.0, -3.0, 6.0, 1e-3, -1e-3, 1e-5, 1e-8, -1e-8, 1e-20, -1e-20,
    1e-30, 1e-38, -1e-38, 1e-40, -1e-40, 1.4e-45, 4.0, -4.0, 9.0, -9.0, 12.0, -13.0, 16.5, -17.0, 18.0, -18.0, 20.5,
    -20.5, 30.0, -30.0, 50.0, -50.0, 87.0, -87.0, 88.7, -88.7, 89.0, -89.0, 100.0, -100.0, 104.0, -104.0, 1e3, -1e3,
    8388609.0, 16777216.0, -16777217.0, 1e10, -1e10, 1e19, -1e19, 1e20, 1e30, -1e30, 3.4e38, -3.4e38,
]  # fmt: skip
NON_FINITE = [INF, -INF, NAN]
LIMITS = {
    torch.int32: [0, 1, -1, 2, -2, 7, -7, 2**31 - 1, -(2**31), 2**24 + 1],
    torch.int64: [0, 1, -1, 2, -2, 7, -7, 2**63 - 1, -(2**63), 2**53 + 1, 2**32, 2**31, 2**32 + 2**31, -(2**31) - 1],
    torch.uint8: [0, 1, 2, 7, 127, 128, 254, 255],
    torch.bool: [False, True],
}


class Inputs:
    """Random tensors from one seed."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)

    def normal(self, *shape, scale=1.0, shift=0.0):
        return torch.randn(list(shape), generator=self.generator) * scale + shift

    def uniform(self, *shape, low=0.0, high=1.0):
        return torch.rand(list(shape), generator=self.generator) * (high - low) + low

    def integers(self, *shape, low=-5, high=6, dtype=torch.int64):
        low = max(low, 0) if dtype in (torch.uint8, torch.bool) else low
        high = 2 if dtype == torch.bool else high
        return torch.randint(low, high, list(shape), generator=self.generator).to(dtype)

    def any(self, shape, dtype=FLOAT, low=-2.0, high=2.0):
        """Numbers of a dtype; few different ones among integers, so that equal ones occur."""
        if dtype == FLOAT:
            return self.uniform(*shape, low=low, high=high)
        return self.integers(*shape, dtype=dtype)

    def distinct(self, *shape):
        """Numbers without equal ones: where results would depend on which of two is taken."""
        count = 1
        for size in shape:
            count *= size
        order = torch.randperm(count, generator=self.generator).float()
        return ((order - count / 2) / 3).reshape(list(shape))


def vector(values, dtype=FLOAT):
    return torch.tensor(values, dtype=dtype)


def unary(low=-2.0, high=2.0, options=({},), extreme=True, optional=True):
    """One tensor, and options."""

    def generate(make):
        for option in options:
            tail = [option] if option else []
            for shape in SHAPES:
                yield [make.any(shape, low=low, high=high), *tail], {}
            if extreme:
                yield [vector([v for v in EXTREME]), *tail], {}
                yield [torch.linspace(-30, 30, 241), *tail], {}
                yield [vector(NON_FINITE), *tail], {}
            if optional:
                for dtype in (*INTEGERS, torch.bool):
                    yield [make.any([2, 3], dtype), *tail], {"optional": True}
                    yield [make.any([0], dtype), *tail], {"optional": True}
                    yield [make.any([], dtype), *tail], {"optional": True}
                    yield [vector(LIMITS[dtype], dtype), *tail], {"optional": True}

    return generate


def binary(low=-2.0, high=2.0, numbers=True):
    """Two tensors that broadcast, and a tensor with a number on either side."""

    def generate(make):
        for a, b in PAIRS:
            yield [make.any(a, low=low, high=high), make.any(b, low=low, high=high)], {}
        values = vector(EXTREME[:25:2] + EXTREME[25::3] + NON_FINITE)
        yield [values[:, None], values[None, :]], {}
        for dtype in (*INTEGERS, torch.bool):
            for a, b in PAIRS[:6]:
                yield [make.any(a, dtype), make.any(b, dtype)], {"optional": True}
            limits = vector(LIMITS[dtype], dtype)
            yield [limits[:, None].contiguous(), limits[None, :].contiguous()], {"optional": True}
            yield [limits[:, None].contiguous(), limits[limits != 0][None, :].contiguous()], {"optional": True}
            yield [make.any([3], dtype), make.any([3])], {"optional": True}
        if numbers:
            for number in (0, 1, 2, -1, 0.5, -2.5, 3, 1e10, 1e-10):
                yield [make.any([2, 3], low=low, high=high), number], {}
                yield [number, make.any([2, 3], low=low, high=high)], {}
            yield [vector(EXTREME), 2], {}
            yield [vector(EXTREME), 0.5], {}
            for dtype, number in itertools.product((*INTEGERS, torch.bool), (0, 1, 2, -1, 0.5, -2.5, 256, 300.7, 2**31)):
                yield [make.any([5], dtype), number], {"optional": True}
                yield [number, make.any([5], dtype)], {"optional": True}

    return generate


REDUCED = [
    ([], None), ([], 0), ([], -1), ([4], None), ([4], 0), ([4], [0]), ([2, 3], None), ([2, 3], 0), ([2, 3], -1),
    ([2, 3], [0, 1]), ([2, 3, 4], [0, -1]), ([2, 3, 4], 1), ([1, 1], 0), ([3, 1], 1),
]  # fmt: skip
EMPTY = [([0], None), ([0], 0), ([2, 0], 1), ([2, 0], 0), ([2, 0, 3], [0, 2]), ([2, 0, 3], None), ([0, 3], 1)]


def reduction(low=-2.0, high=2.0, one_axis=False, options=({}, {"keepDims": True}), empty=True, ties=True):
    """One tensor, axes, options."""

    def generate(make):
        cases = [(s, a) for s, a in REDUCED + (EMPTY if empty else []) if not (one_axis and isinstance(a, list))]
        for option in options:
            for shape, axes in cases:
                x = make.any(shape, low=low, high=high) if ties else make.distinct(*shape)
                yield [x, axes, option] if option else [x, axes], {}
        rows = vector([[1, NAN, 2], [NAN, 1, 2], [1, 2, NAN], [INF, 1, 2], [-INF, -INF, -INF], [INF, -INF, 0]])
        yield [rows, 1], {}
        yield [vector([3.4e38, 3.4e38, -3.4e38, 1.0]), 0], {}
        yield [vector([1e30, -1e30, 1e-30]), 0], {}
        yield [vector([1e-40, -3e-40, 1e-30]), 0], {}
        yield [vector([0.0, -0.0, 0.0]), 0], {}
        yield [make.normal(4, 50, shift=1000.0), 1], {}
        if ties:
            yield [vector([[1, 1, 0], [0, 2, 2], [0, 0, 0]]), 1], {}
        for dtype in (*INTEGERS, torch.bool):
            for shape, axes in cases:
                yield [make.any(shape, dtype), axes], {"optional": True}
            yield [vector(LIMITS[dtype], dtype), 0], {"optional": True}

    return generate


def scan():
    """One tensor and one axis."""

    def generate(make):
        for shape, axis in [
            ([], 0),
            ([5], 0),
            ([5], -1),
            ([2, 3], 0),
            ([2, 3], 1),
            ([2, 3, 4], -2),
            ([0], 0),
            ([2, 0], 1),
            ([2, 0], 0),
            ([1], 0),
        ]:
            yield [make.distinct(*shape), axis], {}
            for dtype in (*INTEGERS, torch.bool):
                yield [make.any(shape, dtype), axis], {"optional": True}
        yield [vector([[1, NAN, 2], [NAN, 1, 2], [1, 2, NAN], [INF, 1, 2], [-INF, -INF, 3], [INF, -INF, 0]]), 1], {}
        yield [vector([[0, 0, 2], [1, 0, 3], [1, 1, 1]]), 1], {}
        yield [vector([100, -100, 1e30, 1.0]), 0], {}

    return generate


def listed(*lists, optional=False):
    """Cases that are written out: functions of `make` that give the arguments."""

    def generate(make):
        for arguments in lists:
            yield arguments(make), {"optional": optional}

    return generate


def shapes(*cases, dtypes=DTYPES):
    """A tensor of each shape and dtype, then arguments: movements, which know no numbers."""

    def generate(make):
        for shape, *rest in cases:
            for dtype in dtypes:
                yield [make.any(shape, dtype), *rest], {}

    return generate


def together(*generators):
    def generate(make):
        for generator in generators:
            yield from generator(make)

    return generate
