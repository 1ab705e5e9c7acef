"""Movements and creation beside PyTorch's."""

import torch
import torch.nn.functional as F

from inputs import DTYPES, INF, NAN, listed, shapes
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


def index_select(x, index, axis):
    """The axis is replaced by the axes of the index."""
    axis %= x.dim()
    rows = x.index_select(axis, index.reshape(-1))
    return rows.reshape(*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])


def repeat_interleave(x, repeats, axis=None):
    return torch.repeat_interleave(x, torch.tensor(repeats) if isinstance(repeats, list) else repeats, axis)


MATRICES = [[3, 3], [2, 4], [4, 2], [2, 3, 4], [0, 3], [3, 0], [1, 1], [2, 0, 3]]

OPS = [
    Op(
        "arange",
        lambda a, b=None, o={}: torch.arange(
            *((0, a) if b is None else (a, b)), o.get("step", 1), dtype=getattr(torch, o.get("dtype", "int64"))
        ),
        listed(
            lambda m: [5],
            lambda m: [0],
            lambda m: [2, 9],
            lambda m: [9, 2, {"step": -2}],
            lambda m: [0, 1, {"step": 0.1, "dtype": "float32"}],
            lambda m: [1, 8, {"step": 3, "dtype": "int32"}],
            lambda m: [3, 3],
            lambda m: [-2.5, 4, {"dtype": "float32"}],
        ),
    ),
    Op(
        "broadcastTo",
        torch.broadcast_to,
        shapes(([3], [2, 3]), ([], [2, 2]), ([2, 1], [2, 4]), ([1], [0]), ([1, 3], [0, 3]), ([2, 0], [3, 2, 0])),
    ),
    Op(
        "chunk",
        lambda x, n, axis=0: list(torch.chunk(x, n, axis)),
        shapes(([6, 2], 3), ([7], 3), ([2, 5], 2, 1), ([2], 5), ([3], 1), ([0, 2], 3), ([2, 0], 2, 1)),
    ),
    Op(
        "concat",
        lambda xs, axis=0: torch.cat(xs, axis),
        listed(
            *(lambda m, d=d: [[m.any([2, 3], d), m.any([1, 3], d), m.any([0, 3], d)]] for d in DTYPES),
            lambda m: [[m.normal(2, 3), m.normal(2, 1)], -1],
            lambda m: [[m.normal(3)]],
            lambda m: [[m.normal(0), m.normal(0)]],
        ),
    ),
    Op(
        "diagEmbed",
        diagonal(torch.diag_embed, -2, -1),
        shapes(
            *(([*s], o) for s in ([3], [2, 3], [0], [2, 0], [1]) for o in ({}, {"offset": 1}, {"offset": -2})),
            ([2, 3], {"axis1": 0, "axis2": 1}),
            ([2, 3], {"axis1": -1, "axis2": 0, "offset": 1}),
        ),
    ),
    Op(
        "diagonal",
        diagonal(torch.diagonal, 0, 1),
        shapes(
            *((s, o) for s in MATRICES for o in ({}, {"offset": 1}, {"offset": -1})),
            ([2, 3, 4], {"axis1": 0, "axis2": 2}),
            ([2, 3, 4], {"axis1": -1, "axis2": 1}),
            ([3, 3], {"offset": 3}),
            ([3, 3], {"offset": -3}),
        ),
    ),
    Op("expand", lambda x, shape: x.expand(shape), shapes(([3], [2, 3]), ([], [2, 2]), ([2, 1], [2, 4]), ([1], [0]), ([1, 3], [0, 3]))),
    Op(
        "eye",
        lambda n, m=None, dtype="float32": torch.eye(n, n if m is None else m, dtype=getattr(torch, dtype)),
        listed(lambda m: [3], lambda m: [2, 4], lambda m: [4, 2, "int64"], lambda m: [0], lambda m: [3, 0], lambda m: [2, 2, "bool"]),
    ),
    Op(
        "flatten",
        lambda x, start=0, end=-1: torch.flatten(x, start, end),
        shapes(([2, 3, 4],), ([2, 3, 4], 1), ([2, 3, 4], 0, 1), ([],), ([0, 3],), ([2, 0, 3], 1), ([5],)),
    ),
    Op(
        "flip",
        lambda x, axes: torch.flip(x, axes if isinstance(axes, list) else [axes]),
        shapes(([5], 0), ([2, 3], [0, 1]), ([2, 3], -1), ([0, 2], 0), ([2, 3, 4], [0, 2])),
    ),
    Op(
        "full",
        lambda shape, value, dtype="float32": torch.full(shape, value, dtype=getattr(torch, dtype)),
        listed(
            lambda m: [[2, 3], 1.5],
            lambda m: [[], 2, "int64"],
            lambda m: [[0, 2], 1],
            lambda m: [[2], NAN],
            lambda m: [[2], -INF],
            lambda m: [[3], 255, "uint8"],
            lambda m: [[3], 1, "bool"],
            lambda m: [[1], 2**31 - 1, "int32"],
            lambda m: [[1], 2**53 - 1, "int64"],
        ),
    ),
    Op(
        "linspace",
        lambda a, b, n: torch.linspace(a, b, n),
        listed(
            lambda m: [0, 1, 5],
            lambda m: [-3, 7, 11],
            lambda m: [2, 2, 3],
            lambda m: [5, -5, 4],
            lambda m: [0, 1, 1],
            lambda m: [0, 1, 0],
            lambda m: [0, 1, 2],
        ),
    ),
    Op(
        "meshgrid",
        lambda xs, o={}: list(torch.meshgrid(*xs, indexing=o.get("indexing", "ij"))),
        listed(
            lambda m: [[m.normal(2), m.normal(3)]],
            lambda m: [[m.normal(2), m.normal(3), m.normal(4)], {"indexing": "xy"}],
            lambda m: [[m.normal(2)]],
            lambda m: [[m.normal(0), m.normal(3)]],
            lambda m: [[m.normal(), m.normal(3)]],
        ),
    ),
    Op(
        "moveAxis",
        lambda x, a, b: torch.movedim(x, a, b),
        shapes(([2, 3, 4], 0, 2), ([2, 3, 4], -1, 0), ([2, 3, 4], [0, 1], [2, 0]), ([2, 0], 0, 1)),
    ),
    Op(
        "ones",
        lambda shape, dtype="float32": torch.ones(shape, dtype=getattr(torch, dtype)),
        listed(lambda m: [[2, 3]], lambda m: [[]], lambda m: [[0, 2], "int64"], lambda m: [[2], "bool"]),
    ),
    Op(
        "pad",
        pad,
        shapes(
            *(
                (s, p, o)
                for s, p in (([5], [1, 2]), ([2, 5], [2, 1]), ([4, 5], [1, 2, 3, 0]), ([2, 4, 5], [1, 1, 2, 2]))
                for o in ({}, {"value": 1}, {"mode": "reflect"}, {"mode": "replicate"}, {"mode": "circular"})
            ),
            ([5], [-1, -2]),
            ([5], [-1, 2]),
            ([0], [1, 2]),
            ([2, 0], [1, 1]),
            ([2, 3], [-1, 1, 1, -1]),
        ),
    ),
    Op("permute", torch.permute, shapes(([2, 3], [1, 0]), ([2, 3, 4], [2, 0, 1]), ([], []), ([0, 2], [1, 0]), ([2, 3, 4], [-1, 0, -2]))),
    Op(
        "repeatInterleave",
        repeat_interleave,
        shapes(
            ([3], 2),
            ([2, 3], 2),
            ([2, 3], 2, 1),
            ([2, 3], [1, 2], 0),
            ([3], [0, 2, 1], 0),
            ([], 3),
            ([0], 2),
            ([2, 3], 0, 1),
            ([2, 3], 1, -1),
        ),
    ),
    Op(
        "reshape",
        torch.reshape,
        shapes(([2, 3], [3, 2]), ([6], [-1, 2]), ([], [1]), ([1], []), ([0, 2], [0]), ([2, 0], [0, 5]), ([2, 3], [-1])),
    ),
    Op(
        "roll",
        lambda x, shifts, axes=None: torch.roll(x, shifts, axes),
        shapes(([5], 2), ([2, 3], 1), ([2, 3], 4, 1), ([2, 3], [1, -1], [0, 1]), ([0], 1), ([2, 0], 1, 1), ([5], -7, 0)),
    ),
    Op(
        "slice",
        lambda x, r, axis: slice_along(x, *[*r, None, None][:2], r[2] if len(r) > 2 else 1, axis),
        shapes(
            ([6], [1, 4], 0),
            ([6], [-3], 0),
            ([6], [None, None, 2], 0),
            ([6], [None, None, -1], 0),
            ([2, 6], [4, 1, -2], 1),
            ([6], [3, 3], 0),
            ([6], [4, 2], 0),
            ([6], [-100, 100], 0),
            ([0], [0, 3], 0),
            ([2, 0], [0, 1], 0),
        ),
    ),
    Op(
        "split",
        lambda x, sizes, axis=0: list(torch.split(x, sizes, axis)),
        shapes(([7], 3), ([5, 2], [2, 3]), ([2, 5], 2, 1), ([2, 5], [0, 5], -1), ([0], 2), ([3], 5), ([2, 0], 1, 1)),
    ),
    Op(
        "squeeze",
        lambda x, axes=None: torch.squeeze(x) if axes is None else torch.squeeze(x, axes),
        shapes(([1, 3, 1],), ([1, 3, 1], 0), ([1, 3, 1], [0, -1]), ([],), ([1, 0],), ([1], 0)),
    ),
    Op(
        "stack",
        lambda xs, axis=0: torch.stack(xs, axis),
        listed(
            *(lambda m, d=d: [[m.any([2, 3], d), m.any([2, 3], d)]] for d in DTYPES),
            lambda m: [[m.normal(2, 3), m.normal(2, 3)], -1],
            lambda m: [[m.normal(), m.normal()]],
            lambda m: [[m.normal(0), m.normal(0)], 1],
        ),
    ),
    Op(
        "sumTo",
        lambda x, shape: x.sum_to_size(shape) if shape else x.sum(),
        shapes(([2, 3], [3]), ([2, 3], [2, 1]), ([2, 3], []), ([4, 2, 3], [1, 3]), ([0, 3], [3]), ([0, 3], [1, 3]), dtypes=DTYPES[:1]),
    ),
    Op(
        "tile",
        lambda x, repeats: torch.tile(x, repeats if isinstance(repeats, list) else [repeats]),
        shapes(([3], 2), ([2, 3], [2, 1]), ([3], [2, 2]), ([2, 3], 2), ([], 3), ([0], 2), ([3], 0), ([2, 3], [1, 0])),
    ),
    Op(
        "transpose",
        lambda x, a=-2, b=-1: torch.transpose(x, a, b),
        shapes(([2, 3],), ([2, 3, 4], 0, 2), ([2, 3, 4], -1, -3), ([0, 2],), ([2, 0, 3], 0, 1)),
    ),
    Op("tril", lambda x, d=0: torch.tril(x, d), shapes(*((s, d) for s in MATRICES for d in (0, 1, -1, 5, -5)))),
    Op("triu", lambda x, d=0: torch.triu(x, d), shapes(*((s, d) for s in MATRICES for d in (0, 1, -1, 5, -5)))),
    Op(
        "unfoldAxis",
        lambda x, axis, size, step: x.unfold(axis, size, step),
        shapes(
            ([7], 0, 3, 1),
            ([7], -1, 3, 2),
            ([7], 0, 2, 3),
            ([7], 0, 7, 1),
            ([7], 0, 1, 1),
            ([2, 8], 1, 4, 2),
            ([6, 3], 0, 4, 1),
            ([2, 9, 2], 1, 3, 4),
            ([2, 9, 2], 1, 5, 3),
            ([0, 5], 1, 2, 1),
            ([], 0, 1, 1),
            ([150], 0, 70, 1),
            ([2, 150], 1, 130, 2),
        ),
    ),
    Op("unsqueeze", torch.unsqueeze, shapes(([2, 3], 0), ([2, 3], -1), ([2, 3], 1), ([], 0), ([0], 1))),
    Op(
        "zeros",
        lambda shape, dtype="float32": torch.zeros(shape, dtype=getattr(torch, dtype)),
        listed(lambda m: [[2, 3]], lambda m: [[]], lambda m: [[0, 2], "int64"], lambda m: [[2], "bool"]),
    ),
]
