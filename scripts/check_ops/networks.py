"""Norms, attention, recurrence and gates beside PyTorch's."""

import torch
import torch.nn.functional as F

from inputs import INF, NAN, listed, shapes, vector
from table import Op


def get(o, **names):
    """PyTorch's keyword arguments from tenfold's options."""
    return {name: o[option] for name, option in names.items() if option in o}


def norm_inputs(make, *shape):
    yield make.normal(*shape)
    yield make.normal(*shape, scale=1e3)
    yield make.normal(*shape, scale=1e-6)
    yield make.uniform(*shape, low=1000, high=1001)
    yield torch.full(shape, 3.0)


def layer_norms(names):
    def generate(make):
        for shape, normalized in [([4, 8], [8]), ([2, 3, 4], [3, 4]), ([5], [5]), ([0, 4], [4]), ([2, 1], [1]), ([3, 64], [64])]:
            for x in norm_inputs(make, *shape):
                yield [x, normalized], {}
                yield [x, normalized, {name: make.normal(*normalized) for name in names}], {}
            yield [make.normal(*shape), normalized, {"weight": make.normal(*normalized), "eps": 1e-2}], {}
        yield [vector([[1, 2, NAN], [INF, 1, 2], [1e30, 1, -1e30]]), [3]], {}

    return generate


def per_channel_norms(first):
    """Cases of norms of [N, C, ...] with a weight per channel; `first` stands before the options."""

    def generate(make):
        for shape in ([4, 6], [2, 6, 5], [2, 6, 3, 4], [1, 6, 8]):
            for x in norm_inputs(make, *shape):
                for rest in first(make, shape):
                    yield [x, *rest], {}
                    yield [x, *rest, {"weight": make.normal(6), "bias": make.normal(6), "eps": 1e-3}], {}
        for rest in first(make, [0, 6, 4]):
            yield [make.normal(0, 6, 4), *rest], {}

    return generate


def running(make, shape):
    return [[make.normal(shape[1]), make.uniform(shape[1], low=0.5, high=2)]]


def rms_norm(x, shape, o={}):
    return F.rms_norm(x, shape, o.get("weight"), o.get("eps", 2.0**-23))


def batch_norm(x, mean, var, o={}):
    """PyTorch's own knows no gradient of the statistics."""
    channels = [1, -1, *[1] * (x.dim() - 2)]
    weight, bias = (1 if t is None else t.reshape(channels) for t in affine(o))
    scale = (var + o.get("eps", 1e-5)).rsqrt().reshape(channels)
    return (x - mean.reshape(channels)) * scale * weight + (bias if "bias" in o else 0)


def batch_norm_train(x, mean, var, o={}):
    """By the formula: PyTorch's own changes the statistics in place, without a gradient."""
    axes = [0, *range(2, x.dim())]
    batch_var, batch_mean = torch.var_mean(x, axes, correction=0)
    momentum, count = o.get("momentum", 0.1), x.numel() / max(x.shape[1], 1)
    unbiased = batch_var * count / (count - 1)
    moved = [(1 - momentum) * old + momentum * new for old, new in ((mean, batch_mean), (var, unbiased))]
    return [batch_norm(x, batch_mean, batch_var, o), *moved]


def affine(o):
    return [o.get("weight"), o.get("bias")]


def recurrent(kind, gates):
    def call(x, weights, o={}):
        hidden = weights["weightHh"].shape[1]
        options = {"nonlinearity": o["nonlinearity"]} if "nonlinearity" in o else {}
        module = kind(x.shape[2], hidden, bias="biasIh" in weights, batch_first=True, dtype=x.dtype, **options)
        named = {"weight_ih_l0": weights["weightIh"], "weight_hh_l0": weights["weightHh"]}
        if "biasIh" in weights:
            named |= {"bias_ih_l0": weights["biasIh"], "bias_hh_l0": weights["biasHh"]}
        zeros = torch.zeros(1, x.shape[0], hidden, dtype=x.dtype)
        state = o["h"][None] if "h" in o else zeros
        if kind is torch.nn.LSTM:
            state = (state, o["c"][None] if "c" in o else zeros)
        run = x.flip(1) if o.get("reverse") else x
        output, last = torch.func.functional_call(module, named, (run, state))
        output = output.flip(1) if o.get("reverse") else output
        return [output, last[0][0], last[1][0]] if kind is torch.nn.LSTM else [output, last[0]]

    def generate(make):
        for batch, steps in [(2, 4), (1, 1), (3, 2)]:
            for biased in (False, True):
                weights = {"weightIh": make.normal(gates * 3, 5), "weightHh": make.normal(gates * 3, 3)}
                if biased:
                    weights |= {"biasIh": make.normal(gates * 3), "biasHh": make.normal(gates * 3)}
                yield [make.normal(batch, steps, 5), weights], {}
                yield [make.normal(batch, steps, 5), weights, {"h": make.normal(batch, 3), "reverse": True}], {}
                yield [make.normal(batch, steps, 5, scale=20), weights], {}
                if kind is torch.nn.LSTM:
                    yield [make.normal(batch, steps, 5), weights, {"c": make.normal(batch, 3), "h": make.normal(batch, 3)}], {}
                if kind is torch.nn.RNN:
                    yield [make.normal(batch, steps, 5), weights, {"nonlinearity": "relu"}], {}

    return call, generate


def attention(q, k, v, o={}):
    return F.scaled_dot_product_attention(
        q, k, v, o.get("mask"), is_causal=o.get("causal", False), scale=o.get("scale"), enable_gqa=o.get("enableGqa", False)
    )


def weights_of(q, k, o):
    scale = o.get("scale", q.shape[-1] ** -0.5)
    if o.get("enableGqa"):
        k = k.repeat_interleave(q.shape[-3] // k.shape[-3], -3)
    scores = q @ k.transpose(-2, -1) * scale
    if o.get("causal"):
        scores = scores.masked_fill(~torch.ones(scores.shape[-2:], dtype=torch.bool).tril(), -INF)
    mask = o.get("mask")
    if mask is not None:
        scores = scores.masked_fill(~mask, -INF) if mask.dtype == torch.bool else scores + mask
    return torch.softmax(scores, -1)


def attention_and_weights(q, k, v, o={}):
    weights = weights_of(q, k, o)
    if o.get("enableGqa"):
        v = v.repeat_interleave(q.shape[-3] // v.shape[-3], -3)
    return [weights @ v, weights]


def attention_over_parts(q, parts, o={}):
    """Of the joined keys and values, with one mask for all."""
    masks = []
    for part in parts:
        mask = torch.zeros(q.shape[-2], part["key"].shape[-2])
        if "mask" in part:
            given = part["mask"]
            mask = torch.zeros(given.shape).masked_fill(~given, -INF) if given.dtype == torch.bool else given
        if part.get("causal"):
            mask = mask.masked_fill(~torch.ones(q.shape[-2], part["key"].shape[-2], dtype=torch.bool).tril(), -INF)
        leading = part["key"].shape[:-2] if not o.get("enableGqa") else q.shape[:-2]
        masks.append(mask.expand(*leading, q.shape[-2], part["key"].shape[-2]))
    keys, values = (torch.cat([part[name] for part in parts], -2) for name in ("key", "value"))
    return attention_and_weights(q, keys, values, {**o, "mask": torch.cat(masks, -1)})


def attentions_over_parts(make):
    for lead, queries, sizes in [([2, 3], 4, (5, 4)), ([], 1, (7, 1)), ([2], 2, (3, 0, 2)), ([2], 3, (3,))]:

        def parts():
            return [{"key": make.normal(*lead, size, 6), "value": make.normal(*lead, size, 5)} for size in sizes]

        yield [make.normal(*lead, queries, 6), parts()], {}
        yield [make.normal(*lead, queries, 6), parts(), {"scale": 0.3}], {}
        masked = parts()
        masked[0]["mask"] = make.any([queries, sizes[0]], torch.bool)
        masked[0]["mask"][:, 0] = True
        masked[-1]["causal"] = True
        yield [make.normal(*lead, queries, 6), masked], {}
        added = parts()
        added[0]["mask"] = make.normal(sizes[0])
        yield [make.normal(*lead, queries, 6), added], {}
    grouped = [{"key": make.normal(2, 2, size, 6), "value": make.normal(2, 2, size, 5)} for size in (4, 1)]
    yield [make.normal(2, 4, 1, 6), grouped, {"enableGqa": True}], {}


def attentions(make):
    for lead, queries, keys, width, values in [
        ([2, 3], 4, 5, 6, 7),
        ([], 3, 3, 4, 4),
        ([1], 1, 1, 1, 1),
        ([2, 2], 6, 6, 8, 8),
        ([0], 3, 3, 4, 4),
        ([2], 3, 4, 2, 3),
    ]:

        def tensors(scale=1.0):
            return [
                make.normal(*lead, queries, width, scale=scale),
                make.normal(*lead, keys, width, scale=scale),
                make.normal(*lead, keys, values),
            ]

        yield tensors(), {}
        yield tensors(10.0), {}
        yield [*tensors(), {"scale": 0.3}], {}
        yield [*tensors(), {"mask": make.normal(queries, keys)}], {}
        mask = make.any([queries, keys], torch.bool)
        mask[:, 0] = True
        yield [*tensors(), {"mask": mask}], {}
        if queries == keys:
            yield [*tensors(), {"causal": True}], {}
    # Everything that broadcasts to the scores.
    for shape in ([1, 5], [4, 1], [1, 1], [3, 1, 5], [2, 1, 1, 5], [2, 3, 4, 5], [1, 3, 4, 1]):
        for mask in (make.normal(*shape), make.any(shape, torch.bool)):
            if mask.dtype == torch.bool:
                mask[..., 0] = True
            yield [make.normal(2, 3, 4, 6), make.normal(2, 3, 5, 6), make.normal(2, 3, 5, 7), {"mask": mask}], {}
    # Grouped queries.
    for queries, keys, values in [(4, 2, 2), (6, 3, 3), (4, 1, 1), (4, 4, 4), (4, 2, 1)]:
        for more in ({}, {"causal": True}, {"mask": make.normal(2, queries, 5, 5)}, {"mask": make.normal(1, 5), "scale": 0.4}):
            lists = [make.normal(2, queries, 5, 6), make.normal(2, keys, 5, 6), make.normal(2, values, 5, 3)]
            yield [*lists, {"enableGqa": True, **more}], {}


def torch_multi_head(q, k, v, w, o):
    """PyTorch's own function, which knows one width, one batch axis (the second) and masks in which true means ignore."""
    heads, mask = o["heads"], o.get("mask")
    if o.get("causal"):
        mask = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool).tril()
    if mask is not None:
        mask = ~mask if mask.dtype == torch.bool else mask
        mask = mask.expand(q.shape[0], heads, q.shape[-2], k.shape[-2]).flatten(0, 1)
    separate = "inProjWeight" not in w
    output, weights = F.multi_head_attention_forward(
        *(x.transpose(0, 1) for x in (q, k, v)),
        q.shape[-1],
        heads,
        w.get("inProjWeight"),
        w.get("inProjBias"),
        w.get("biasK"),
        w.get("biasV"),
        o.get("addZeroAttn", False),
        0.0,
        w["outProjWeight"],
        w.get("outProjBias"),
        training=False,
        need_weights=True,
        attn_mask=mask,
        use_separate_proj_weight=separate,
        q_proj_weight=w.get("qProjWeight"),
        k_proj_weight=w.get("kProjWeight"),
        v_proj_weight=w.get("vProjWeight"),
        average_attn_weights=False,
    )
    return [output.transpose(0, 1), weights]


def multi_head(q, k, v, w, o):
    if q.dim() == 3:
        return torch_multi_head(q, k, v, w, o)
    return multi_head_of_any_rank(q, k, v, w, o)


def multi_head_of_any_rank(q, k, v, w, o):
    heads, width = o["heads"], q.shape[-1]
    projections = w["inProjWeight"].chunk(3)
    biases = w["inProjBias"].chunk(3) if "inProjBias" in w else [None] * 3
    parts = [F.linear(x, p, b) for x, p, b in zip((q, k, v), projections, biases)]
    parts = [p.reshape(*p.shape[:-1], heads, width // heads).transpose(-2, -3) for p in parts]
    output, weights = attention_and_weights(*parts, {key: value for key, value in o.items() if key != "heads"})
    merged = output.transpose(-2, -3).reshape(q.shape)
    return [F.linear(merged, w["outProjWeight"], w.get("outProjBias")), weights]


def multi_heads(make):
    for lead, queries, keys in [([2], 3, 5), ([], 4, 4), ([2, 2], 3, 3)]:
        for biased in (False, True):
            weights = {"inProjWeight": make.normal(24, 8), "outProjWeight": make.normal(8, 8)}
            if biased:
                weights |= {"inProjBias": make.normal(24), "outProjBias": make.normal(8)}
            for more in ({}, {"causal": True} if queries == keys else {"scale": 0.5}):
                yield (
                    [
                        make.normal(*lead, queries, 8),
                        make.normal(*lead, keys, 8),
                        make.normal(*lead, keys, 8),
                        weights,
                        {"heads": 2, **more},
                    ],
                    {},
                )
    for kdim, vdim in [(8, 8), (5, 8), (8, 3), (5, 3)]:
        for added in (False, True):
            for zero in (False, True):
                weights = {"qProjWeight": make.normal(8, 8), "kProjWeight": make.normal(8, kdim), "vProjWeight": make.normal(8, vdim)}
                weights |= {"inProjBias": make.normal(24), "outProjWeight": make.normal(8, 8), "outProjBias": make.normal(8)}
                if added:
                    weights |= {"biasK": make.normal(1, 1, 8), "biasV": make.normal(1, 1, 8)}
                for more in ({}, {"causal": True}, {"mask": make.normal(2, 1, 3, 5)}, {"mask": make.normal(2, 4, 3, 5)}):
                    tensors = [make.normal(2, 3, 8), make.normal(2, 5, kdim), make.normal(2, 5, vdim)]
                    yield [*tensors, weights, {"heads": 4, "addZeroAttn": zero, **more}], {}


def prelus(make):
    for shape in ([4, 3], [2, 3, 4], [5], [], [0, 3], [2, 0]):
        yield [make.normal(*shape), make.normal(1)], {}
    yield [make.normal(2, 3, 4), make.normal(3)], {}
    yield [make.normal(4, 3), make.normal(3)], {}
    yield [vector([[0.0, -INF, INF], [NAN, -1e30, 1e-40]]), vector([0.5])], {}


def gated(function):
    def generate(make):
        for shape, axis in [([4], -1), ([2, 6], 1), ([4, 3], 0), ([0, 4], -1), ([2, 3, 4], 2)]:
            yield [make.normal(*shape), axis], {}
        yield [vector([INF, 1.0, -30.0, NAN, 1.0, -200.0, 30.0, 0.0]), 0], {}

    return lambda x, axis=-1: function(*x.chunk(2, axis)), generate


def spectral_norm(weight, u, v, o={}):
    matrix = weight.reshape(weight.shape[0], -1)
    for _ in range(o.get("iterations", 1)):
        v = F.normalize(matrix.t() @ u, dim=0, eps=o.get("eps", 1e-12)).detach()
        u = F.normalize(matrix @ v, dim=0, eps=o.get("eps", 1e-12)).detach()
    sigma = u.detach() @ matrix @ v.detach()
    return [weight / sigma, sigma, u, v]


def fft2_real(x):
    y = torch.fft.fft2(x)
    return y.real


FLOAT = [torch.float32]
LSTM, LSTM_CASES = recurrent(torch.nn.LSTM, 4)
GRU, GRU_CASES = recurrent(torch.nn.GRU, 3)
RNN, RNN_CASES = recurrent(torch.nn.RNN, 1)
GLU, GLU_CASES = gated(lambda a, b: a * torch.sigmoid(b))

OPS = [
    Op("attentionWithWeights", attention_and_weights, attentions, pick=["output", "weights"]),
    Op("attentionOverParts", attention_over_parts, attentions_over_parts, pick=["output", "weights"]),
    Op("batchNorm", batch_norm, per_channel_norms(running)),
    Op("batchNormTrain", batch_norm_train, per_channel_norms(running), pick=["output", "runningMean", "runningVar"]),
    Op("fft2Real", fft2_real, shapes(([4, 6],), ([2, 3, 5],), ([1, 1],), ([0, 3, 4],), ([2, 12, 16],), dtypes=FLOAT)),
    Op("geglu", gated(lambda a, b: a * F.gelu(b))[0], GLU_CASES),
    Op("glu", lambda x, axis=-1: F.glu(x, axis), GLU_CASES),
    Op(
        "groupNorm",
        lambda x, groups, o={}: F.group_norm(x, groups, *affine(o), o.get("eps", 1e-5)),
        per_channel_norms(lambda make, shape: [[1], [2], [6]]),
    ),
    Op("gru", GRU, GRU_CASES, pick=["output", "h"]),
    Op(
        "instanceNorm",
        lambda x, o={}: F.instance_norm(x, None, None, *affine(o), eps=o.get("eps", 1e-5)),
        per_channel_norms(lambda make, shape: [[]]),
    ),
    Op("layerNorm", lambda x, shape, o={}: F.layer_norm(x, shape, *affine(o), o.get("eps", 1e-5)), layer_norms(["weight", "bias"])),
    Op(
        "localResponseNorm",
        lambda x, size, o={}: F.local_response_norm(x, size, **o),
        listed(
            *(
                lambda m, s=s, n=n, o=o: [m.normal(*s), n, o]
                for s in ([2, 5, 4], [1, 3, 2, 2], [0, 3, 4])
                for n in (1, 2, 3, 5)
                for o in ({}, {"alpha": 0.5, "beta": 0.3, "k": 2.0})
            )
        ),
    ),
    Op("lstm", LSTM, LSTM_CASES, pick=["output", "h", "c"]),
    Op("mergeHeads", lambda x: x.transpose(-2, -3).flatten(-2), shapes(([2, 3, 4, 5],), ([3, 4, 5],), ([0, 2, 3, 4],), dtypes=FLOAT)),
    Op("multiHeadAttention", multi_head, multi_heads, pick=["output", "weights"]),
    Op("prelu", F.prelu, prelus, elementwise=True),
    Op("rmsNorm", rms_norm, layer_norms(["weight"])),
    Op("rnn", RNN, RNN_CASES, pick=["output", "h"]),
    Op("scaledDotProductAttention", attention, attentions),
    Op(
        "spectralNorm",
        spectral_norm,
        listed(
            *(
                lambda m, s=s, n=n: [
                    m.normal(*s),
                    F.normalize(m.normal(s[0]), dim=0),
                    F.normalize(m.normal(s[1] * (s[2] if len(s) > 2 else 1)), dim=0),
                    {"iterations": n},
                ]
                for s in ([4, 3], [2, 3, 2], [1, 1])
                for n in (0, 1, 3)
            )
        ),
        pick=["weight", "sigma", "u", "v"],
    ),
    Op(
        "splitHeads",
        lambda x, heads: x.unflatten(-1, (heads, -1)).transpose(-2, -3),
        shapes(([2, 3, 8], 2), ([3, 4], 4), ([3, 4], 1), dtypes=FLOAT),
    ),
    Op("swiglu", gated(lambda a, b: a * F.silu(b))[0], GLU_CASES),
]
