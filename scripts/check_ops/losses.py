"""Losses and distances beside PyTorch's."""

import torch
import torch.nn.functional as F

from inputs import INF, NAN, listed, together, vector
from table import Op

REDUCTIONS = [{}, {"reduction": "sum"}, {"reduction": "none"}]
NAMES = {
    "posWeight": "pos_weight", "ignoreIndex": "ignore_index", "labelSmoothing": "label_smoothing", "logTarget": "log_target",
    "logInput": "log_input", "full": "full", "keepDims": "keepdim", "axis": "dim",
}  # fmt: skip


def named(o, drop=()):
    return {NAMES.get(key, key): value for key, value in o.items() if key not in drop}


def loss(function):
    return lambda *args: function(*args[:-1], **named(args[-1])) if isinstance(args[-1], dict) else function(*args)


def classes(function):
    def call(x, target, o={}):
        target = target if target.is_floating_point() else target.long()
        return function(x, target, **named(o))

    return call


SHAPES = [[3], [2, 3], [], [0], [2, 0], [4, 1, 2]]


def pairs(low=-2.0, high=2.0, target=(-2.0, 2.0), more=({},), extreme=True):
    """x, target, options."""

    def generate(make):
        for option in more:
            for reduction in REDUCTIONS:
                for shape in SHAPES:
                    yield (
                        [
                            make.uniform(*shape, low=low, high=high),
                            make.uniform(*shape, low=target[0], high=target[1]),
                            {**option, **reduction},
                        ],
                        {},
                    )
            if extreme:
                x = vector([0.0, 1.0, -1.0, 30.0, -30.0, 100.0, -100.0, 1e10, -1e10, INF, -INF, NAN])
                yield [x, make.uniform(12, low=target[0], high=target[1]), {**option, "reduction": "none"}], {}

    return generate


def signs(make, *shape):
    return make.integers(*shape, low=0, high=2).float() * 2 - 1


def signed(more):
    """x, target of 1 and -1, options."""

    def generate(make):
        for option in more:
            for reduction in REDUCTIONS:
                for shape in SHAPES:
                    yield [make.normal(*shape), signs(make, *shape), {**option, **reduction}], {}
        yield [vector([100.0, -100.0, 0.0, INF, -INF, NAN]), vector([1, 1, -1, 1, -1, 1]), {"reduction": "none"}], {}

    return generate


def labels(log=False):
    """Scores, class indices, options."""

    def scores(make, *shape):
        x = make.normal(*shape)
        return F.log_softmax(x, 1 if len(shape) > 1 else 0) if log else x

    def generate(make):
        for reduction in REDUCTIONS:
            for shape, target in [([4, 5], [4]), ([5], []), ([2, 5, 3], [2, 3]), ([2, 5, 3, 2], [2, 3, 2]), ([0, 5], [0]), ([3, 1], [3])]:
                for dtype in (torch.int64, torch.int32):
                    count = shape[1] if len(shape) > 1 else shape[0]
                    index = make.integers(*target, low=0, high=count, dtype=dtype)
                    yield [scores(make, *shape), index, reduction], {}
                yield [scores(make, *shape), index, {**reduction, "weight": make.uniform(count, low=0.2, high=2)}], {}
                ignored = index.clone()
                if ignored.numel() > 1:
                    ignored.view(-1)[0] = -100
                yield [scores(make, *shape), ignored, reduction], {}
                yield [scores(make, *shape), index, {**reduction, "ignoreIndex": 0}], {}
                if not log:
                    yield [scores(make, *shape), ignored, {**reduction, "labelSmoothing": 0.1}], {}
                    yield [scores(make, *shape), index, {**reduction, "labelSmoothing": 0.2, "weight": make.uniform(count)}], {}
                    yield [scores(make, *shape), torch.softmax(make.normal(*shape), 1 if len(shape) > 1 else 0), reduction], {}
        yield [scores(make, 3, 4) * 1e4, make.integers(3, low=0, high=4)], {}

    return generate


def vectors(generate_options, count=2, with_target=False):
    def generate(make):
        for option in generate_options:
            for shape in ([4, 3], [2, 5], [0, 3], [3]):
                target = [signs(make, *shape[:-1])] if with_target else []
                yield [*(make.normal(*shape) for _ in range(count)), *target, option], {}

    return generate


def with_reductions(*options):
    return [{**option, **reduction} for option in options for reduction in REDUCTIONS]


def margin_cases(make):
    for option in with_reductions({}, {"margin": 0.5}):
        for shape in SHAPES:
            yield [make.normal(*shape), make.normal(*shape), signs(make, *shape), option], {}


def variances(make):
    for option in with_reductions({}, {"full": True}, {"eps": 0.5}):
        for shape, spread in [([4, 3], [4, 3]), ([4, 3], [4, 1]), ([4, 3], [4]), ([3], [3]), ([0, 3], [0, 3]), ([3], [1])]:
            yield [make.normal(*shape), make.normal(*shape), make.uniform(*spread, low=0.1, high=2), option], {}


def similarities(make):
    for option in ({}, {"axis": -1}, {"axis": 0}, {"eps": 0.5}):
        for a, b in [([4, 3], [4, 3]), ([4, 3], [1, 3]), ([2, 3, 4], [2, 3, 4]), ([0, 3], [0, 3]), ([4, 0], [4, 0])]:
            yield [make.normal(*a), make.normal(*b), option], {}
    yield [torch.zeros(2, 3), make.normal(2, 3)], {}
    yield [make.normal(2, 3, scale=1e20), make.normal(2, 3, scale=1e-20)], {}


def normalized(make):
    for option in ({}, {"axis": -1}, {"axis": 0, "p": 1}, {"p": 3}, {"p": INF}, {"eps": 2.0}):
        for shape in ([4, 3], [2, 3, 4], [0, 3], [3, 0]):
            yield [make.normal(*shape), option], {}
        yield [vector([[1, NAN, 2], [INF, 1, 2], [0, 0, 0], [1e-30, 0, 0]]), option], {}


def ctc_loss(x, targets, input_lengths, target_lengths, o={}):
    """PyTorch's gradient takes x for the result of log_softmax: it has e^x beside the gradient by x itself."""
    options = {"blank": o.get("blank", 0), "zero_infinity": o.get("zeroInfinity", False)}
    batch = x if x.dim() == 3 else x.unsqueeze(1)
    lengths = [torch.as_tensor(given).reshape(-1) for given in (input_lengths, target_lengths)]
    losses = F.ctc_loss(batch, targets, *lengths, reduction="none", **options)
    counted = torch.arange(batch.shape[0])[:, None, None] < lengths[0][None, :, None]
    alone = torch.where(counted, batch.exp(), 0.0).sum((0, 2))
    finite = F.ctc_loss(batch, targets, *lengths, reduction="none", blank=options["blank"]).detach().isfinite()
    losses = losses - torch.where(finite, alone - alone.detach(), 0.0)
    reduction = o.get("reduction", "mean")
    if reduction == "mean":
        return (losses / lengths[1].clamp(min=1)).mean()
    return losses.sum() if reduction == "sum" else losses.reshape(x.shape[1:-1])


def alignments(make):
    for reduction in REDUCTIONS:
        for more in ({}, {"blank": 4}, {"zeroInfinity": True}):
            o = {**reduction, **more}
            low, high = (0, 4) if "blank" in more else (1, 5)
            scores = F.log_softmax(make.normal(12, 3, 5), 2)
            for dtype in (torch.int64, torch.int32):
                padded = make.integers(3, 4, low=low, high=high, dtype=dtype)
                yield [scores, padded, [12, 10, 7], [4, 2, 3], o], {}
                yield [scores, padded, torch.tensor([12, 1, 7], dtype=dtype), torch.tensor([4, 0, 3], dtype=dtype), o], {}
                yield [scores, make.integers(9, low=low, high=high, dtype=dtype), [12, 10, 7], [4, 2, 3], o], {}
            yield [scores, make.integers(9, low=low, high=high), torch.tensor([12, 10, 7]), torch.tensor([4, 2, 3]), o], {}
            yield [scores, torch.full((3, 4), low), [12, 12, 9], [4, 1, 0], o], {}
            # As long as it must be for labels that repeat, and too short.
            yield [scores, torch.full((3, 4), low), [7, 6, 2], [4, 3, 3], o], {"marks": {"no path"}}
            yield [F.log_softmax(make.normal(6, 5), 1), make.integers(3, low=low, high=high), [6], [3], o], {}
            yield [scores * 1e4, make.integers(3, 4, low=low, high=high), [12, 10, 7], [4, 2, 3], o], {}
            yield [make.normal(12, 3, 5), make.integers(3, 4, low=low, high=high), [12, 10, 7], [4, 2, 3], o], {}
    yield [F.log_softmax(make.normal(200, 2, 20), 2), make.integers(2, 60, low=1, high=20), [200, 150], [60, 35]], {}
    yield [F.log_softmax(make.normal(4, 2, 3), 2), torch.zeros(2, 0, dtype=torch.int64), [4, 4], [0, 0], {"reduction": "none"}], {}


LOGITS = ({}, {"weight": 1})


def weighted(base, *names):
    """`base`, and again with weights as options."""

    def generate(make):
        yield from base(make)
        for name in names:
            for shape, weight in [([4, 3], [3]), ([4, 3], [4, 3]), ([3], []), ([0, 3], [3])]:
                yield [make.uniform(*shape, low=0.05, high=0.95), make.uniform(*shape), {name: make.uniform(*weight, low=0.5, high=2)}], {}

    return generate


def multilabel(make):
    for reduction in REDUCTIONS:
        for shape in ([4, 3], [3], [0, 3], [2, 1]):
            yield [make.normal(*shape), make.integers(*shape, low=0, high=2).float(), reduction], {}
            yield [make.normal(*shape), make.uniform(*shape), {**reduction, "weight": make.uniform(shape[-1])}], {}


OPS = [
    Op("bceWithLogits", loss(F.binary_cross_entropy_with_logits), weighted(pairs(-4, 4, (0, 1)), "weight", "posWeight")),
    Op(
        "binaryCrossEntropy",
        loss(F.binary_cross_entropy),
        weighted(
            together(
                pairs(0.01, 0.99, (0, 1), extreme=False), listed(lambda m: [vector([0, 1, 0, 1, 0.5, 1e-30]), vector([0, 1, 1, 0, 0.5, 1])])
            ),
            "weight",
        ),
    ),
    Op("cosineEmbeddingLoss", loss(F.cosine_embedding_loss), vectors(with_reductions({}, {"margin": 0.3}), 2, True)),
    Op("cosineSimilarity", loss(F.cosine_similarity), similarities),
    Op("crossEntropy", classes(F.cross_entropy), labels()),
    Op("ctcLoss", ctc_loss, alignments),
    Op("gaussianNllLoss", loss(F.gaussian_nll_loss), variances),
    Op("hingeEmbeddingLoss", loss(F.hinge_embedding_loss), signed([{}, {"margin": 2.0}])),
    Op("huberLoss", loss(F.huber_loss), pairs(more=({}, {"delta": 0.5}))),
    Op(
        "klDiv",
        loss(F.kl_div),
        together(
            pairs(-4, 0, (0, 1)),
            pairs(-4, 0, (-4, 0), more=({"logTarget": True},)),
            listed(
                lambda m: [-m.uniform(4, 3), m.uniform(4, 3), {"reduction": "batchmean"}], lambda m: [-m.uniform(3), vector([0, 0.5, 1])]
            ),
        ),
    ),
    Op("l1Loss", loss(F.l1_loss), pairs()),
    Op("marginRankingLoss", loss(F.margin_ranking_loss), margin_cases),
    Op("mseLoss", loss(F.mse_loss), pairs()),
    Op("multilabelSoftMarginLoss", loss(F.multilabel_soft_margin_loss), multilabel),
    Op("nllLoss", classes(F.nll_loss), labels(log=True)),
    Op("normalize", loss(F.normalize), normalized),
    Op("pairwiseDistance", loss(F.pairwise_distance), vectors([{}, {"p": 1}, {"p": 3.0}, {"eps": 0.1, "keepDims": True}, {"p": INF}])),
    Op(
        "poissonNllLoss",
        loss(F.poisson_nll_loss),
        together(pairs(0.1, 3, (0, 4), more=({}, {"full": True}, {"logInput": False}, {"logInput": False, "full": True}), extreme=False)),
    ),
    Op(
        "reduceLosses",
        lambda x, reduction="mean": {"mean": torch.mean, "sum": torch.sum, "none": torch.clone}[reduction](x),
        listed(*(lambda m, s=s, r=r: [m.normal(*s), r] for s in SHAPES for r in ("mean", "sum", "none"))),
    ),
    Op("smoothL1Loss", loss(F.smooth_l1_loss), pairs(more=({}, {"beta": 0.5}, {"beta": 0.0}))),
    Op("softMarginLoss", loss(F.soft_margin_loss), signed([{}])),
    Op("tripletMarginLoss", loss(F.triplet_margin_loss), vectors(with_reductions({}, {"margin": 0.3, "swap": True}, {"p": 1}), 3)),
]
