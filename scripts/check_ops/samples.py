"""PyTorch's own table of op samples (its test suite's `op_db`), as calls of tenfold's ops."""

import torch
from torch.testing._internal.common_methods_invocations import op_db
from torch.utils._pytree import tree_map

from cases import DTYPES, Case, encode_argument, tensors_in


def options(**values):
    return {key: value for key, value in values.items() if value is not None}


def same(*args):
    """PyTorch's arguments are tenfold's."""
    return list(args)


def unary(x):
    return [x]


def binary(x, other):
    return [x, other]


def one_axis(x, dim):
    return [x, dim]


def reduced(x, dim=None, keepdim=False):
    return [x, list(dim) if isinstance(dim, tuple) else dim, {"keepDims": keepdim}]


def reduced_to_two(x, dim, keepdim=False):
    return None if isinstance(dim, torch.Tensor) else [x, dim, {"keepDims": keepdim}]


def spread(x, dim=None, unbiased=None, keepdim=False, correction=None):
    if isinstance(dim, bool):
        return None
    by = correction if correction is not None else 1 if unbiased is None or unbiased else 0
    axes = list(dim) if isinstance(dim, tuple) else dim
    return [x, None if axes == [] else axes, {"keepDims": keepdim, "correction": by}]


def loss(*names):
    """A loss whose options have the given names: PyTorch's to tenfold's where they differ."""
    renamed = {
        "pos_weight": "posWeight",
        "ignore_index": "ignoreIndex",
        "label_smoothing": "labelSmoothing",
        "log_target": "logTarget",
        "log_input": "logInput",
    }
    allowed = {"reduction", *names}

    def convert(*args, **kwargs):
        if not set(kwargs) <= allowed:
            return None
        return [*args, options(**{renamed.get(key, key): value for key, value in kwargs.items()})]

    return convert


def listed(sequence):
    return list(sequence) if isinstance(sequence, (tuple, list, torch.Size)) else sequence


def per_axis(sizes):
    """A list of one number counts for all axes, as a number does."""
    sizes = listed(sizes)
    return sizes[0] if isinstance(sizes, list) and len(sizes) == 1 else sizes


def sizes(x, *shape):
    shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
    return [x, list(shape)]


def sampled(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False):
    if x.dim() != 4:
        return None
    return [x, grid, {"mode": mode, "paddingMode": padding_mode, "alignCorners": align_corners}]


def convolution(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    padding = padding if isinstance(padding, str) else listed(padding)
    return [x, weight, bias, {"stride": listed(stride), "padding": padding, "dilation": listed(dilation), "groups": groups}]


def transposed(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    more = {"outputPadding": listed(output_padding), "groups": groups, "dilation": listed(dilation)}
    return [x, weight, bias, {"stride": listed(stride), "padding": listed(padding), **more}]


def max_pooled(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    more = options(stride=listed(stride or None), padding=listed(padding), dilation=listed(dilation), ceilMode=ceil_mode)
    return None if return_indices else [x, listed(kernel_size), more]


def averaged(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
    more = options(padding=per_axis(padding), ceilMode=ceil_mode, countIncludePad=count_include_pad)
    return [x, per_axis(kernel_size), {**more, **options(stride=per_axis(stride or None), divisorOverride=divisor_override)}]


def resized(x, size=None, scale_factor=None, mode="nearest", align_corners=None, antialias=False, recompute_scale_factor=None):
    size = [size] * (x.dim() - 2) if isinstance(size, int) else listed(size)
    more = options(scaleFactor=listed(scale_factor), recomputeScaleFactor=recompute_scale_factor)
    return [x, size, options(mode=mode, alignCorners=align_corners, antialias=antialias, **more)]


def attended(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    if dropout_p:
        return None
    return [q, k, v, options(mask=attn_mask, causal=is_causal, scale=scale, enableGqa=enable_gqa)]


def padded(x, pad, mode="constant", value=None):
    if mode != "constant":
        return None
    return [x, list(pad), options(mode=mode, value=value)]


def repeated(x, repeats, dim=None):
    return None if isinstance(repeats, torch.Tensor) else [x, listed(repeats), dim]


def clamped(x, min=None, max=None):
    bounds = [bound for bound in (min, max) if isinstance(bound, torch.Tensor)]
    return [x, min, max] if all(bound.dtype == x.dtype for bound in bounds) else None


def matrix_norm(x, ord="fro", dim=(-2, -1), keepdim=False):
    return None if ord in (2, -2, "nuc") else [x, ord, {"axes": list(dim), "keepDims": keepdim}]


def joined(xs, dim=0):
    """PyTorch still skips empty vectors among tensors of more axes."""
    return [list(xs), dim] if len({x.dim() for x in xs}) == 1 else None


def scattered(x, dim, index, source, reduce=None):
    return [x, index, source, dim] if reduce is None else None


def scattered_together(x, dim, index, source, reduce=None):
    names = {"add": "sum", "multiply": "prod"}
    return [x, index, source, dim, names[reduce]] if reduce in names else None


def put_at(x, indices, values, accumulate=False):
    if any(index is None or index.dtype == torch.bool for index in indices):
        return None
    return [x, list(indices), values, {"accumulate": accumulate}]


def bagged(weight, index, offsets=None, max_norm=None, mode="mean", per_sample_weights=None, padding_idx=None, include_last_offset=False, **ways):
    if max_norm is not None or ways.get("sparse") or ways.get("scale_grad_by_freq"):
        return None
    more = options(offsets=offsets, perSampleWeights=per_sample_weights, paddingIndex=padding_idx)
    return [index, weight, {"mode": mode, "includeLastOffset": include_last_offset, **more}]


# PyTorch's name, tenfold's, arguments of the one from those of the other (None: cannot be said).
UNARY = {
    "abs": "abs", "acos": "acos", "acosh": "acosh", "asin": "asin", "asinh": "asinh", "atan": "atan", "atanh": "atanh", "ceil": "ceil",
    "cos": "cos", "cosh": "cosh", "erf": "erf", "erfc": "erfc", "erfinv": "erfinv", "exp": "exp", "exp2": "exp2", "expm1": "expm1",
    "floor": "floor", "frac": "frac", "isfinite": "isFinite", "isinf": "isInf", "isnan": "isNan", "log": "log", "log10": "log10",
    "log1p": "log1p", "log2": "log2", "logical_not": "logicalNot", "neg": "neg", "reciprocal": "reciprocal", "round": "round",
    "rsqrt": "rsqrt", "sigmoid": "sigmoid", "sign": "sign", "sin": "sin", "sinc": "sinc", "sinh": "sinh", "sqrt": "sqrt",
    "square": "square", "tan": "tan", "tanh": "tanh", "trunc": "trunc", "nn.functional.silu": "silu", "nn.functional.mish": "mish",
    "nn.functional.softsign": "softsign", "nn.functional.tanhshrink": "tanhshrink", "nn.functional.relu": "relu",
    "nn.functional.relu6": "relu6", "nn.functional.hardswish": "hardswish", "nn.functional.hardsigmoid": "hardsigmoid",
    "nn.functional.selu": "selu", "nn.functional.logsigmoid": "logSigmoid", "trace": "trace", "zeros_like": "zerosLike",
    "ones_like": "onesLike", "median": "median", "lgamma": "lgamma", "i0": "i0", "special.i0e": "i0e",
    "special.i1": "i1", "special.i1e": "i1e", "special.entr": "entr", "special.erfcx": "erfcx", "special.log_ndtr": "logNdtr",
    "special.ndtri": "ndtri",
    "bitwise_not": "bitwiseNot", "corrcoef": "corrcoef",
}  # fmt: skip
BINARY = {
    "add": "add", "sub": "sub", "mul": "mul", "div": "div", "pow": "pow", "maximum": "maximum", "minimum": "minimum", "fmod": "fmod",
    "remainder": "remainder", "floor_divide": "floorDivide", "atan2": "atan2", "hypot": "hypot", "logaddexp": "logAddExp",
    "bitwise_and": "bitwiseAnd", "bitwise_or": "bitwiseOr", "bitwise_xor": "bitwiseXor", "bitwise_left_shift": "bitwiseLeftShift",
    "bitwise_right_shift": "bitwiseRightShift", "heaviside": "heaviside", "logaddexp2": "logAddExp2", "xlogy": "xlogy", "eq": "equal", "ne": "notEqual", "lt": "less", "le": "lessOrEqual", "gt": "greater",
    "ge": "greaterOrEqual", "logical_and": "logicalAnd", "logical_or": "logicalOr", "logical_xor": "logicalXor", "dot": "dot",
    "mv": "mv", "bmm": "bmm", "matmul": "matmul", "outer": "outer", "kron": "kron", "mm": "matmul", "nn.functional.prelu": "prelu",
}  # fmt: skip
OTHER = [
    ("addcmul", "addcmul", lambda x, a, b, value=1: [x, a, b, {"value": value}]),
    ("addcdiv", "addcdiv", lambda x, a, b, value=1: [x, a, b, {"value": value}]),
    ("addmm", "addmm", lambda x, a, b, alpha=1, beta=1: [x, a, b, {"alpha": alpha, "beta": beta}]),
    ("baddbmm", "baddbmm", lambda x, a, b, alpha=1, beta=1: [x, a, b, {"alpha": alpha, "beta": beta}]),
    ("all", "all", reduced),
    ("any", "any", reduced),
    ("amax", "max", reduced),
    ("amin", "min", reduced),
    ("argmax", "argmax", reduced),
    ("argmin", "argmin", reduced),
    ("broadcast_to", "broadcastTo", sizes),
    ("cat", "concat", joined),
    ("cdist", "cdist", lambda a, b, p=2.0, compute_mode=None: [a, b, {"order": float(p)}]),
    ("chunk", "chunk", lambda x, chunks, dim=0: [x, chunks, dim]),
    ("clamp", "clamp", clamped),
    ("cov", "cov", lambda x, correction=1, fweights=None, aweights=None: [x, options(correction=correction, fweights=fweights, aweights=aweights)]),
    ("count_nonzero", "countNonzero", lambda x, dim=None: [x, listed(dim)]),
    ("cummax", "cummax", one_axis),
    ("cummin", "cummin", one_axis),
    ("cumprod", "cumprod", one_axis),
    ("cumsum", "cumsum", one_axis),
    ("diag_embed", "diagEmbed", lambda x, offset=0, dim1=-2, dim2=-1: [x, {"offset": offset, "axis1": dim1, "axis2": dim2}]),
    ("diagonal", "diagonal", lambda x, offset=0, dim1=0, dim2=1: [x, {"offset": offset, "axis1": dim1, "axis2": dim2}]),
    ("diff", "diff", lambda x, n=1, dim=-1, prepend=None, append=None: [x, options(n=n, axis=dim, prepend=prepend, append=append)]),
    ("einsum", "einsum", lambda xs, equation: [equation, *xs]),
    ("expand", "expand", sizes),
    ("flatten", "flatten", lambda x, start_dim=0, end_dim=-1: [x, start_dim, end_dim]),
    ("flip", "flip", lambda x, dims: [x, listed(dims)]),
    ("gather", "gather", lambda x, dim, index: [x, index, dim]),
    ("index_add", "indexAdd", lambda x, dim, index, source, alpha=1: [x, index, source, dim, {"alpha": alpha}]),
    ("index_copy", "indexCopy", lambda x, dim, index, source: [x, index, source, dim]),
    ("index_put", "indexPut", put_at),
    ("index_select", "indexSelect", lambda x, dim, index: [x, index, dim]),
    ("lerp", "lerp", lambda a, b, weight: [a, b, weight]),
    ("linspace", "linspace", lambda a, b, steps: [a, b, steps]),
    ("linalg.cholesky", "cholesky", lambda x, upper=False: None if upper else [x]),
    ("linalg.det", "det", same),
    ("linalg.inv", "inverse", same),
    ("linalg.matrix_norm", "matrixNorm", matrix_norm),
    ("linalg.matrix_power", "matrixPower", lambda x, n: [x, n]),
    ("linalg.slogdet", "slogdet", same),
    ("linalg.solve", "solve", lambda a, b, left=True: [a, b] if left else None),
    ("linalg.solve_triangular", "solveTriangular", lambda a, b, upper, left=True, unitriangular=False: [a, b, {"upper": upper, "left": left, "unitriangular": unitriangular}]),
    ("linalg.vector_norm", "vectorNorm", lambda x, ord=2, dim=None, keepdim=False: [x, ord, listed(dim), {"keepDims": keepdim}]),
    ("log_softmax", "logSoftmax", one_axis),
    ("logcumsumexp", "logCumsumExp", one_axis),
    ("logit", "logit", lambda x, eps=None: [x, options(eps=eps)]),
    ("logsumexp", "logSumExp", reduced),
    ("masked_fill", "maskedFill", lambda x, mask, value: [x, mask, value]),
    ("masked_scatter", "maskedScatter", same),
    ("max", "maxWithIndices", reduced_to_two),
    ("min", "minWithIndices", reduced_to_two),
    ("median", "medianWithIndices", reduced_to_two),
    ("mean", "mean", reduced),
    ("movedim", "moveAxis", lambda x, a, b: [x, listed(a), listed(b)]),
    ("nan_to_num", "nanToNum", lambda x, nan=0.0, posinf=None, neginf=None: [x, options(nan=nan, positiveInfinity=posinf, negativeInfinity=neginf)]),
    ("nanmean", "nanmean", reduced),
    ("nansum", "nansum", reduced),
    ("permute", "permute", sizes),
    ("prod", "prod", reduced),
    ("quantile", "quantile", lambda x, q, dim=None, keepdim=False, interpolation="linear": None if isinstance(q, torch.Tensor) else [x, q, dim, {"keepDims": keepdim, "interpolation": interpolation}]),
    ("repeat_interleave", "repeatInterleave", repeated),
    ("reshape", "reshape", sizes),
    ("roll", "roll", lambda x, shifts, dims=None: [x, listed(shifts), listed(dims)]),
    ("scatter", "scatter", scattered),
    ("scatter", "scatterReduce", scattered_together),
    ("scatter_reduce", "scatterReduce", lambda x, dim, index, source, reduce, include_self=True: [x, index, source, dim, reduce, {"includeSelf": include_self}]),
    ("scatter_add", "scatterAdd", lambda x, dim, index, source: [x, index, source, dim]),
    ("searchsorted", "searchsorted", lambda rows, x, right=False, side=None: [rows, x, {"right": right}] if side is None else None),
    ("select", "select", lambda x, dim, index: [x, index, dim]),
    ("softmax", "softmax", one_axis),
    ("nn.functional.softmin", "softmin", one_axis),
    ("split", "split", lambda x, sizes, dim=0: [x, listed(sizes), dim]),
    ("split_with_sizes", "split", lambda x, sizes, dim=0: [x, listed(sizes), dim]),
    ("squeeze", "squeeze", lambda x, dim=None: [x, listed(dim)]),
    ("stack", "stack", lambda xs, dim=0: [list(xs), dim]),
    ("std", "std", spread),
    ("var", "variance", spread),
    ("sum", "sum", reduced),
    ("take_along_dim", "takeAlongAxis", lambda x, index, dim=None: [x, index, dim]),
    ("tensordot", "tensordot", lambda a, b, dims=2: [a, b, listed(dims)]),
    ("tile", "tile", lambda x, dims: [x, listed(dims)]),
    ("transpose", "transpose", lambda x, a, b: [x, a, b]),
    ("tril", "tril", lambda x, diagonal=0: [x, diagonal]),
    ("triu", "triu", lambda x, diagonal=0: [x, diagonal]),
    ("unfold", "unfoldAxis", lambda x, dim, size, step: [x, dim, size, step] if size > 0 else None),
    ("unsqueeze", "unsqueeze", lambda x, dim: [x, dim]),
    ("where", "where", lambda a, condition, b: [condition, a, b]),
    *(
        (f"nn.functional.adaptive_{kind.lower()}_pool{n}d", f"adaptive{kind}Pool{n}d", lambda x, size: [x, listed(size)])
        for kind in ("Avg", "Max")
        for n in (1, 2, 3)
    ),
    ("nn.functional.avg_pool1d", "avgPool1d", averaged),
    ("nn.functional.avg_pool2d", "avgPool2d", averaged),
    ("nn.functional.avg_pool3d", "avgPool3d", averaged),
    ("nn.functional.max_pool1d", "maxPool1d", max_pooled),
    ("nn.functional.max_pool2d", "maxPool2d", max_pooled),
    ("nn.functional.max_pool3d", "maxPool3d", max_pooled),
    ("nn.functional.bilinear", "bilinear", lambda a, b, weight, bias=None: [a, b, weight, bias]),
    ("nn.functional.binary_cross_entropy", "binaryCrossEntropy", loss("weight")),
    ("nn.functional.binary_cross_entropy_with_logits", "bceWithLogits", loss("weight", "pos_weight")),
    ("nn.functional.celu", "celu", lambda x, alpha=1.0: [x, {"alpha": alpha}]),
    ("nn.functional.elu", "elu", lambda x, alpha=1.0: [x, {"alpha": alpha}]),
    ("nn.functional.conv1d", "conv1d", convolution),
    ("nn.functional.conv2d", "conv2d", convolution),
    ("nn.functional.conv3d", "conv3d", convolution),
    ("nn.functional.conv_transpose1d", "convTranspose1d", transposed),
    ("nn.functional.conv_transpose2d", "convTranspose2d", transposed),
    ("nn.functional.conv_transpose3d", "convTranspose3d", transposed),
    ("nn.functional.cosine_embedding_loss", "cosineEmbeddingLoss", loss("margin")),
    ("nn.functional.cosine_similarity", "cosineSimilarity", lambda a, b, dim=1, eps=1e-8: [a, b, {"axis": dim, "eps": eps}]),
    ("nn.functional.cross_entropy", "crossEntropy", loss("weight", "ignore_index", "label_smoothing")),
    ("nn.functional.embedding_bag", "embeddingBag", bagged),
    ("nn.functional.embedding", "embedding", lambda weight, index, padding_idx=None: [index, weight, options(paddingIndex=padding_idx)]),
    ("nn.functional.gaussian_nll_loss", "gaussianNllLoss", loss("full", "eps")),
    ("nn.functional.gelu", "gelu", lambda x, approximate="none": [x, {"approximate": approximate}]),
    ("nn.functional.glu", "glu", lambda x, dim=-1: [x, dim]),
    ("nn.functional.grid_sample", "gridSample", sampled),
    ("nn.functional.group_norm", "groupNorm", lambda x, groups, weight=None, bias=None, eps=1e-5: [x, groups, options(weight=weight, bias=bias, eps=eps)]),
    ("nn.functional.hardshrink", "hardshrink", lambda x, lambd=0.5: [x, {"lambda": lambd}]),
    ("nn.functional.hardtanh", "hardtanh", lambda x, min_val=-1.0, max_val=1.0: [x, {"min": min_val, "max": max_val}]),
    ("nn.functional.hinge_embedding_loss", "hingeEmbeddingLoss", loss("margin")),
    ("nn.functional.huber_loss", "huberLoss", loss("delta")),
    ("nn.functional.interpolate", "interpolate", resized),
    ("nn.functional.kl_div", "klDiv", loss("log_target")),
    ("nn.functional.l1_loss", "l1Loss", loss()),
    ("nn.functional.layer_norm", "layerNorm", lambda x, shape, weight=None, bias=None, eps=1e-5: [x, list(shape), options(weight=weight, bias=bias, eps=eps)]),
    ("nn.functional.leaky_relu", "leakyRelu", lambda x, negative_slope=0.01: [x, {"negativeSlope": negative_slope}]),
    ("nn.functional.linear", "linear", lambda x, weight, bias=None: [x, weight, bias]),
    ("nn.functional.local_response_norm", "localResponseNorm", lambda x, size, alpha=1e-4, beta=0.75, k=1.0: [x, size, {"alpha": alpha, "beta": beta, "k": k}]),
    ("nn.functional.margin_ranking_loss", "marginRankingLoss", loss("margin")),
    ("nn.functional.mse_loss", "mseLoss", loss()),
    ("nn.functional.multilabel_soft_margin_loss", "multilabelSoftMarginLoss", loss("weight")),
    ("nn.functional.nll_loss", "nllLoss", loss("weight", "ignore_index")),
    ("nn.functional.normalize", "normalize", lambda x, p=2, dim=1, eps=1e-12: [x, {"p": p, "axis": dim, "eps": eps}]),
    ("nn.functional.one_hot", "oneHot", lambda x, num_classes=-1: [x, num_classes] if num_classes > 0 else None),
    ("nn.functional.pad", "pad", padded),
    ("nn.functional.pairwise_distance", "pairwiseDistance", lambda a, b, p=2.0, eps=1e-6, keepdim=False: [a, b, {"p": p, "eps": eps, "keepDims": keepdim}]),
    ("nn.functional.pixel_shuffle", "pixelShuffle", same),
    ("nn.functional.pixel_unshuffle", "pixelUnshuffle", same),
    ("nn.functional.poisson_nll_loss", "poissonNllLoss", loss("log_input", "full", "eps")),
    ("nn.functional.rms_norm", "rmsNorm", lambda x, shape, weight=None, eps=None: None if eps is None else [x, list(shape), options(weight=weight, eps=eps)]),
    ("nn.functional.scaled_dot_product_attention", "scaledDotProductAttention", attended),
    ("nn.functional.smooth_l1_loss", "smoothL1Loss", loss("beta")),
    ("nn.functional.soft_margin_loss", "softMarginLoss", loss()),
    ("nn.functional.softplus", "softplus", lambda x, beta=1, threshold=20: [x, {"beta": beta, "threshold": threshold}]),
    ("nn.functional.softshrink", "softshrink", lambda x, lambd=0.5: [x, {"lambda": lambd}]),
    ("nn.functional.threshold", "threshold", lambda x, threshold, value: [x, threshold, value]),
    ("nn.functional.triplet_margin_loss", "tripletMarginLoss", loss("margin", "p", "eps", "swap")),
    ("nn.functional.unfold", "unfold", lambda x, kernel_size, dilation=1, padding=0, stride=1: [x, listed(kernel_size), {"dilation": listed(dilation), "padding": listed(padding), "stride": listed(stride)}]),
]  # fmt: skip
CONVERTERS = [(theirs, ours, unary) for theirs, ours in UNARY.items()] + [(theirs, ours, binary) for theirs, ours in BINARY.items()] + OTHER
EXACT = {"floor", "ceil", "round", "trunc", "sign"}
# Axes of the tensor at an index that tenfold wants to be there, where PyTorch takes one without a batch, too.
AXES = {
    **{f"{name}{axes}d": (0, axes + 2) for axes in (1, 2, 3) for name in ("adaptiveAvgPool", "adaptiveMaxPool", "avgPool", "maxPool", "conv", "convTranspose")},
    "linear": (1, 2), "unfold": (0, 4),
}  # fmt: skip
ELEMENTWISE = set(UNARY.values()) - {"trace", "median"}


def converted(info, sample, ours, convert):
    """The sample as a case of a tenfold op, or None where tenfold cannot say it."""
    plain = {}

    def detached(leaf):
        if isinstance(leaf, torch.Tensor):
            return plain.setdefault(id(leaf), leaf.detach().clone(memory_format=torch.contiguous_format))
        return leaf

    x, args, kwargs = tree_map(detached, (sample.input, tuple(sample.args), dict(sample.kwargs)))
    try:
        given = convert(x, *args, **kwargs)
    except TypeError:
        return None
    tensors = tensors_in([x, args, kwargs])
    unique = list({id(tensor): tensor for tensor in tensors}.values())
    if given is None or any(tensor.dtype not in DTYPES for tensor in unique):
        return None
    try:
        for value in given:
            encode_argument(value, unique)
    except StopIteration:
        return None

    def reference(replaced):
        by_id = {id(old): new for old, new in zip(unique, replaced)}
        swapped = tree_map(lambda leaf: by_id.get(id(leaf), leaf) if isinstance(leaf, torch.Tensor) else leaf, (x, args, kwargs))
        return info.op(swapped[0], *swapped[1], **swapped[2])

    index, axes = AXES.get(ours, (0, 0))
    marks = {"fewer axes"} if axes and given[index].dim() < axes else set()
    return Case(
        ours, given, reference, unique, marks=marks, exact=ours in EXACT, elementwise=ours in ELEMENTWISE, source=f"op_db {info.name}"
    )


def sample_cases(names, seed):
    """tenfold's op -> cases of PyTorch's samples of it."""
    infos = {}
    for info in op_db:
        infos.setdefault(info.name, []).append(info)
    cases = {}
    for theirs, ours, convert in CONVERTERS:
        if ours not in names:
            continue
        for info in infos[theirs]:
            for dtype in DTYPES:
                if dtype not in info.supported_dtypes("cpu"):
                    continue
                torch.manual_seed(seed)
                for sample in info.sample_inputs("cpu", dtype, requires_grad=False):
                    case = converted(info, sample, ours, convert)
                    if case is not None:
                        case.optional = dtype != torch.float32
                        cases.setdefault(ours, []).append(case)
    return cases
