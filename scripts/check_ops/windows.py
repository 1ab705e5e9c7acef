"""Convolutions, pools, resizing and sampling of pictures beside PyTorch's."""

import torch
import torch.nn.functional as F

from inputs import INF, NAN, listed, shapes, vector
from table import Op


def get(o, **names):
    """PyTorch's keyword arguments from tenfold's options."""
    return {name: o[option] for name, option in names.items() if option in o}


def conv(function):
    return lambda x, w, b=None, o={}: function(x, w, b, **o)


def transposed(function):
    def call(x, w, b=None, o={}):
        names = get(o, stride="stride", padding="padding", output_padding="outputPadding", dilation="dilation", groups="groups")
        return function(x, w, b, **names)

    return call


def convolutions(axes, is_transposed=False):
    options = [
        {}, {"stride": 2}, {"padding": 1}, {"dilation": 2}, {"stride": 2, "padding": 1, "dilation": 2}, {"groups": 2},
        {"groups": 4, "padding": 2}, {"stride": 3},
    ]  # fmt: skip
    more = (
        [{"stride": 2, "outputPadding": 1}, {"stride": 3, "padding": 2, "outputPadding": 2}]
        if is_transposed
        else [{"padding": "same"}, {"padding": "valid"}, {"padding": "same", "dilation": 2}]
    )

    def generate(make):
        for option in options + more:
            groups = option.get("groups", 1)
            for batch, sizes, kernel in [
                (2, [7, 8, 6], [3, 3, 2]), (1, [9, 6, 5], [2, 1, 3]), (0, [7, 8, 5], [3, 3, 3]), (3, [5, 5, 5], [1, 1, 1]),
            ]:
                channels = [4, 4 // groups if is_transposed else 6 // groups * groups]
                weight = [4, 8 // groups] if is_transposed else [8, 4 // groups]
                x = make.normal(batch, channels[0], *sizes[:axes])
                yield [x, make.normal(*weight, *kernel[:axes]), make.normal(8), option], {}
                yield [x, make.normal(*weight, *kernel[:axes]), None, option], {}
        yield [make.normal(2, 4, *[6, 6, 4][:axes], scale=1e20), make.normal(4, 4, *[3, 3, 2][:axes], scale=1e-20)], {}

    return generate


def max_pool(function):
    def call(x, kernel, o={}):
        return function(x, kernel, **get(o, stride="stride", padding="padding", dilation="dilation", ceil_mode="ceilMode"))

    return call


def avg_pool(function):
    def call(x, kernel, o={}):
        names = get(o, stride="stride", padding="padding", ceil_mode="ceilMode", count_include_pad="countIncludePad")
        return function(x, kernel, **names, **get(o, divisor_override="divisorOverride"))

    return call


def pools(axes, *options):
    shared = [{}, {"stride": 1}, {"stride": 2, "padding": 1}, {"ceilMode": True}, {"stride": 3, "ceilMode": True, "padding": 1}]

    def generate(make):
        for option in [*shared, *options]:
            for shape in ([2, 3, 7, 8, 7], [1, 1, 6, 6, 6], [0, 3, 7, 8, 7]):
                for kernel in (2, 3, [3, 2, 3][:axes]):
                    if isinstance(option.get("dilation"), int) and kernel == 3 and shape[2] < 7:
                        continue
                    yield [make.distinct(*shape[: 2 + axes]), kernel, option], {}
        x = make.distinct(1, 1, *[6, 6, 4][:axes])
        for value in (NAN, INF, -INF):
            for place in (2, 3):  # first and second in its window
                with_one = x.clone()
                with_one.view(-1)[place] = value
                yield [with_one, 2], {}
        yield [torch.full([1, 1, *[4, 4, 4][:axes]], -INF), 2], {}
        yield [torch.zeros([1, 1, *[4, 4, 4][:axes]]), 3, {"stride": 1}], {}

    return generate


def adaptive(axes):
    def generate(make):
        for shape in ([2, 3, 7, 8, 5], [1, 2, 5, 3, 4], [0, 2, 5, 5, 5]):
            for size in (1, 2, [3, 5, 2], [None, 2, 3], [7, 8, 5]):
                # PyTorch has no null for one axis.
                kept = size[:axes] if isinstance(size, list) and axes > 1 else size[1] if isinstance(size, list) else size
                yield [make.distinct(*shape[: 2 + axes]), kept], {}

    return generate


def unfolds(make):
    for shape in ([2, 3, 6, 7], [0, 2, 5, 5]):
        for kernel, option in [
            (2, {}),
            ([3, 2], {"stride": 2}),
            (3, {"padding": 1}),
            (2, {"dilation": 2}),
            ([2, 3], {"stride": [1, 2], "padding": [0, 1]}),
        ]:
            yield [make.normal(*shape), kernel, option], {}


def folds(make):
    for args, more in unfolds(make):
        x, kernel, option = args
        columns = (
            F.unfold(x, kernel, **option)
            if x.shape[0]
            else torch.zeros(0, *F.unfold(torch.zeros(1, *x.shape[1:]), kernel, **option).shape[1:])
        )
        yield [make.normal(*columns.shape), list(x.shape[2:]), kernel, option], more


def interpolate(x, size, o={}):
    mode = o.get("mode", "nearest")
    align = {} if mode in ("nearest", "nearest-exact", "area") else {"align_corners": o.get("alignCorners", False)}
    more = get(o, scale_factor="scaleFactor", recompute_scale_factor="recomputeScaleFactor")
    return F.interpolate(x, size, mode=mode, antialias=o.get("antialias", False), **align, **more)


SMOOTH = {1: ["linear"], 2: ["bilinear", "bicubic"], 3: ["trilinear"]}


def resizes(make):
    for axes in (1, 2, 3):
        for mode in ["nearest", "nearest-exact", "area", *SMOOTH[axes]]:
            for shape, size in [
                ([2, 3, 5, 6, 4], [7, 4, 6]),
                ([1, 1, 4, 4, 3], [8, 8, 6]),
                ([1, 2, 8, 8, 7], [3, 3, 3]),
                ([1, 1, 1, 1, 1], [3, 2, 4]),
                ([0, 2, 4, 4, 4], [2, 2, 2]),
                ([1, 1, 5, 5, 5], [1, 1, 1]),
            ]:
                x = make.normal(*shape[: 2 + axes])
                yield [x, size[:axes], {"mode": mode}], {}
                if mode in SMOOTH[axes]:
                    yield [x, size[:axes], {"mode": mode, "alignCorners": True}], {}
                if axes == 2 and mode in SMOOTH[axes]:
                    yield [x, size[:axes], {"mode": mode, "antialias": True}], {}
            for factor in (2, 1.5, 0.6, [1.7, 0.7, 1.3][:axes], 1 / 3, 2.3):
                for recompute in (False, True):
                    x = make.normal(2, 2, *[7, 8, 6][:axes])  # PyTorch's antialiased result is wrong where another axis shrinks to 1
                    option = {"mode": mode, "scaleFactor": factor, "recomputeScaleFactor": recompute}
                    yield [x, None, option], {}
                    if mode in SMOOTH[axes] and not recompute:
                        yield [x, None, {**option, "alignCorners": True}], {}
                        if axes == 2:
                            yield [x, None, {**option, "antialias": True}], {}


def involution(x, weight, o={}):
    """The naive form of d-li14/involution, for all options."""
    stride, padding, dilation = ([n, n] if isinstance(n, int) else n for n in (o.get("stride", 1), o.get("padding", 0), o.get("dilation", 1)))
    n, channels = x.shape[:2]
    groups, kh, kw, height, width = weight.shape[1:]
    windows = F.unfold(x, (kh, kw), dilation=dilation, padding=padding, stride=stride)
    windows = windows.view(n, groups, channels // groups, kh * kw, height, width)
    y = (weight.reshape(n, groups, 1, kh * kw, height, width) * windows).sum(3).reshape(n, channels, height, width)
    return y if o.get("bias") is None else y + o["bias"][:, None, None]


def involutions(make):
    options = [
        {}, {"padding": 1}, {"padding": 3}, {"padding": [2, 0]}, {"stride": 2, "padding": 1}, {"stride": [1, 3]}, {"stride": 3, "padding": 2},
        {"dilation": 2, "padding": 2}, {"stride": 2, "dilation": [2, 1], "padding": 1}, {"dilation": [1, 3], "stride": [3, 2], "padding": [0, 3]},
    ]  # fmt: skip
    for option in options:
        for batch, groups, channels, size, kernel in [
            (2, 2, 6, [9, 10], [3, 3]), (1, 1, 3, [8, 7], [1, 2]), (2, 2, 16, [11, 13], [5, 5]), (1, 3, 24, [9, 19], [3, 7]), (1, 1, 8, [8, 8], [6, 4]),
        ]:  # fmt: skip
            x = make.normal(batch, channels, *size)
            pairs = [[n, n] if isinstance(n, int) else n for n in (option.get("stride", 1), option.get("padding", 0), option.get("dilation", 1))]
            after = [(size[i] + 2 * pairs[1][i] - pairs[2][i] * (kernel[i] - 1) - 1) // pairs[0][i] + 1 for i in range(2)]
            if min(after) < 1:
                continue
            weight = make.normal(batch, groups, *kernel, *after)
            yield [x, weight, {**option, "bias": make.normal(channels)} if kernel[0] == 3 else option], {}
    for value in (INF, NAN):
        for channels in (1, 8):
            x = make.normal(1, channels, 5, 20)
            x[0, 0, 2, 10] = value
            yield [x, make.normal(1, 1, 3, 3, 5, 20), {"padding": 1}], {}


def grid_sample(x, grid, o={}):
    return F.grid_sample(x, grid, o.get("mode", "bilinear"), o.get("paddingMode", "zeros"), o.get("alignCorners", False))


def grids(make):
    for mode in ("bilinear", "nearest", "bicubic"):
        for padding in ("zeros", "border", "reflection"):
            for align in (False, True):
                options = {"mode": mode, "paddingMode": padding, "alignCorners": align}
                yield [make.normal(2, 3, 5, 4), make.uniform(2, 3, 6, 2, low=-1.6, high=1.6), options], {}
                yield [make.normal(1, 1, 1, 3), make.uniform(1, 2, 2, 2, low=-1, high=1), options], {}
                yield [make.normal(1, 2, 3, 3), vector([[-1, -1], [1, 1], [0, 0], [-3.5, 5]]).reshape(1, 2, 2, 2), options], {}


FLOAT = [torch.float32]

OPS = [
    Op("adaptiveAvgPool1d", F.adaptive_avg_pool1d, adaptive(1)),
    Op("adaptiveAvgPool2d", F.adaptive_avg_pool2d, adaptive(2)),
    Op("adaptiveAvgPool3d", F.adaptive_avg_pool3d, adaptive(3)),
    Op("adaptiveMaxPool1d", F.adaptive_max_pool1d, adaptive(1)),
    Op("adaptiveMaxPool2d", F.adaptive_max_pool2d, adaptive(2)),
    Op("adaptiveMaxPool3d", F.adaptive_max_pool3d, adaptive(3)),
    Op(
        "affineGrid",
        lambda theta, size, o={}: F.affine_grid(theta, size, align_corners=o.get("alignCorners", False)),
        listed(
            *(
                lambda m, a=a, s=s: [m.normal(s[0], 2, 3), s, {"alignCorners": a}]
                for a in (False, True)
                for s in ([2, 3, 4, 5], [1, 1, 1, 3])
            )
        ),
    ),
    Op("avgPool1d", avg_pool(F.avg_pool1d), pools(1, {"padding": 1, "countIncludePad": False})),
    Op("avgPool2d", avg_pool(F.avg_pool2d), pools(2, {"padding": 1, "countIncludePad": False}, {"divisorOverride": 3})),
    Op("avgPool3d", avg_pool(F.avg_pool3d), pools(3, {"padding": 1, "countIncludePad": False}, {"divisorOverride": 3})),
    Op("conv1d", conv(F.conv1d), convolutions(1)),
    Op("conv2d", conv(F.conv2d), convolutions(2)),
    Op("conv3d", conv(F.conv3d), convolutions(3)),
    Op("convTranspose1d", transposed(F.conv_transpose1d), convolutions(1, True)),
    Op("convTranspose2d", transposed(F.conv_transpose2d), convolutions(2, True)),
    Op("convTranspose3d", transposed(F.conv_transpose3d), convolutions(3, True)),
    Op("fold", lambda x, size, kernel, o={}: F.fold(x, size, kernel, **o), folds),
    Op("gridSample", grid_sample, grids),
    Op("interpolate", interpolate, resizes),
    Op("involution", involution, involutions),
    Op("maxPool1d", max_pool(F.max_pool1d), pools(1, {"dilation": 2})),
    Op("maxPool2d", max_pool(F.max_pool2d), pools(2, {"dilation": 2})),
    Op("maxPool3d", max_pool(F.max_pool3d), pools(3, {"dilation": 2})),
    Op("pixelShuffle", F.pixel_shuffle, shapes(([2, 8, 3, 4], 2), ([1, 9, 1, 1], 3), ([0, 4, 2, 2], 2), ([2, 3, 4, 5], 1), dtypes=FLOAT)),
    Op("pixelUnshuffle", F.pixel_unshuffle, shapes(([2, 2, 6, 8], 2), ([1, 1, 3, 3], 3), ([2, 3, 4, 5], 1), dtypes=FLOAT)),
    Op("unfold", lambda x, kernel, o={}: F.unfold(x, kernel, **o), unfolds),
]
