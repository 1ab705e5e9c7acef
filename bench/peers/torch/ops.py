"""The single ops of bench/workloads/ops.ts in PyTorch: functions of inputs and indices, and the shapes of both."""

import torch
import torch.nn.functional as F
from torch import nn

X3, ROWS = (64, 128, 256), (64, 64, 256)


def roi_align(x, corner):
    from torchvision.ops import roi_align as align

    start = corner.float()
    half = len(corner) // 2
    example = torch.cat([torch.zeros(half, 1), torch.ones(half, 1)])
    return align(x, torch.cat([example, start, start + 10], 1), 7, sampling_ratio=2, aligned=True)


def ctc_loss(x, i):
    steps, batch, _ = x.shape
    lengths = torch.full((batch,), steps), torch.full((batch,), i.shape[1])
    return F.ctc_loss(F.log_softmax(x, -1), i + 1, *lengths, reduction="none")


OPS = {
    "embedding": ([(10_000, 128)], [(64, 128)], lambda w, i: F.embedding(i, w)),
    "embedding-bag": ([(10_000, 128)], [(512, 20)], lambda w, i: F.embedding_bag(i, w)),
    "gather": ([X3], [ROWS], lambda x, i: x.gather(1, i)),
    "scatter-add": ([X3, ROWS], [ROWS], lambda x, y, i: x.scatter_add(1, i, y)),
    "scatter-add-last": ([X3, (64, 128, 64)], [(64, 128, 64)], lambda x, y, i: x.scatter_add(2, i, y)),
    "index-put": ([(512, 512), (4096,)], [(4096,), (4096,)], lambda x, y, i, j: x.index_put((i, j), y, accumulate=True)),
    "unfold-axis": ([(32, 64, 1024)], [], lambda x: x.unfold(2, 16, 8)),
    "cumsum": ([X3], [], lambda x: x.cumsum(1)),
    "sort": ([(512, 1000)], [], lambda x: x.sort().values),
    "softmax": ([(64, 8, 128, 128)], [], lambda x: x.softmax(-1)),
    "log-sum-exp": ([X3], [], lambda x: x.logsumexp(1)),
    "gelu": ([(64, 196, 512)], [], F.gelu),
    "lgamma": ([X3], [], lambda x: torch.lgamma(x.square() + 1)),
    "layer-norm": ([(64, 196, 256), (256,), (256,)], [], lambda x, w, b: F.layer_norm(x, (256,), w, b)),
    "group-norm": ([(16, 64, 56, 56), (64,), (64,)], [], lambda x, w, b: F.group_norm(x, 8, w, b)),
    "attention-causal": ([(8, 8, 256, 32)] * 3, [], lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True)),
    "attention-grouped": (
        [(8, 8, 256, 32), (8, 2, 256, 32), (8, 2, 256, 32)],
        [],
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True),
    ),
    "conv1d": ([(16, 64, 2048), (128, 64, 5)], [], lambda x, w: F.conv1d(x, w, padding=2)),
    "conv3d": ([(2, 16, 16, 32, 32), (32, 16, 3, 3, 3)], [], lambda x, w: F.conv3d(x, w, padding=1)),
    "conv-depthwise": ([(16, 128, 32, 32), (128, 1, 3, 3)], [], lambda x, w: F.conv2d(x, w, padding=1, groups=128)),
    "conv-transpose": ([(16, 128, 16, 16), (128, 64, 4, 4)], [], lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=1)),
    "max-pool": ([(32, 64, 56, 56)], [], lambda x: F.max_pool2d(x, 3, 2, 1)),
    "avg-pool3d": ([(2, 32, 16, 32, 32)], [], lambda x: F.avg_pool3d(x, 2)),
    "adaptive-pool1d": ([(32, 128, 500)], [], lambda x: F.adaptive_avg_pool1d(x, 7)),
    "bilinear-resize": ([(8, 64, 28, 28)], [], lambda x: F.interpolate(x, 56, mode="bilinear")),
    "roi-align": ([(2, 64, 50, 50)], [(128, 2)], roi_align),
    "ctc-loss": ([(100, 16, 40)], [(16, 20)], ctc_loss),
    "cholesky": ([(16, 64, 64)], [], lambda x: torch.linalg.cholesky(x @ x.mT / 64 + torch.eye(64))),
    "solve": ([(16, 64, 64), (16, 64, 8)], [], lambda a, b: torch.linalg.solve(a + 8 * torch.eye(64), b)),
    "cdist": ([(512, 64), (512, 64)], [], torch.cdist),
}


class Op(nn.Module):
    """One of OPS: its inputs are parameters, `shift` [1] is added to the first."""

    def __init__(self, name):
        super().__init__()
        inputs, indices, self.call = OPS[name]
        self.inputs = nn.ParameterList(nn.Parameter(torch.empty(shape)) for shape in inputs)
        self.indices = nn.Module()
        for i, shape in enumerate(indices):
            self.indices.register_buffer(str(i), torch.zeros(shape, dtype=torch.int64))

    def forward(self, shift):
        first, *others = self.inputs
        return self.call(first + shift, *others, *self.indices.buffers())
