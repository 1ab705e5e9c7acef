"""What is compared: a case is one call of a tenfold op, and the PyTorch function that must give the same."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.utils._pytree import tree_flatten, tree_map

DTYPES = {
    torch.float32: "float32",
    torch.int32: "int32",
    torch.int64: "int64",
    torch.uint8: "uint8",
    torch.bool: "bool",
}


@dataclass
class Case:
    op: str
    # Arguments in tenfold's order; tensors stand where they belong, options are a dict.
    args: list
    # Called with tensors in the place of `tensors`; gives a tensor or a list of them.
    reference: Callable
    # The tensors that `reference` takes: those of `args`, unless the sample had them in another order.
    tensors: list = field(default_factory=list)
    # Which of an op's outputs are compared: keys of its result. None: all.
    pick: list | None = None
    # Tried for its dtypes: an op may refuse it.
    optional: bool = False
    # Results must be equal, whatever rounding would excuse.
    exact: bool = False
    # Each element of the result depends on one element of each input: no sums whose rounding must be excused.
    elementwise: bool = False
    # Indices of the tensors whose gradients are compared. None: of all float32 ones.
    followed: set | None = None
    source: str = "own"
    # Properties of the inputs that their numbers do not show.
    marks: set = field(default_factory=set)

    def targets(self):
        floats = [i for i, tensor in enumerate(self.tensors) if tensor.dtype == torch.float32]
        return [i for i in floats if self.followed is None or i in self.followed]

    def tags(self):
        tags = {DTYPES[t.dtype] for t in self.tensors} | self.marks
        if any(t.dtype != torch.float32 for t in self.tensors):
            tags.add("integer")
        if any(bool((t < 0).any()) for t in self.tensors if t.dtype in (torch.int32, torch.int64)):
            tags.add("negative integer")
        floats = [t.detach() for t in self.tensors if t.dtype == torch.float32]
        sizes = [t.abs() for t in floats]
        if any(t.numel() == 0 for t in self.tensors):
            tags.add("empty")
        if any(t.dim() == 0 for t in self.tensors):
            tags.add("scalar")
        if any(not bool(torch.isfinite(t).all()) for t in floats):
            tags.add("non-finite")
        if any(bool(torch.isnan(t).any()) for t in floats):
            tags.add("nan")
        if any(bool(((s > 1e10) & torch.isfinite(s)).any()) for s in sizes):
            tags.add("huge")
        if any(bool(((s > 0) & (s < 1e-10)).any()) for s in sizes):
            tags.add("tiny")
        if any(isinstance(arg, (int, float)) and not isinstance(arg, bool) for arg in self.args):
            tags.add("number")
        numbers = [n for arg in self.args if isinstance(arg, dict) for n in arg.values() if isinstance(n, (int, float))]
        if any(number < 0 for number in numbers):
            tags.add("negative option")
        return tags


def tensors_in(value):
    return [leaf for leaf in tree_flatten(value)[0] if isinstance(leaf, torch.Tensor)]


def own_case(op, args, function, **options):
    """`function` takes the same arguments as the op, options as a dict."""
    tensors = tensors_in(args)

    def reference(given):
        left = iter(given)
        return function(*tree_map(lambda leaf: next(left) if isinstance(leaf, torch.Tensor) else leaf, args))

    return Case(op, args, reference, tensors, **options)


def encode_tensor(tensor):
    data = tensor.detach().contiguous().numpy().tobytes()
    return {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data": base64.b64encode(data).decode()}


def decode_tensor(entry):
    data = np.frombuffer(bytearray(base64.b64decode(entry["data"])), dtype=entry["dtype"])
    return torch.from_numpy(data.reshape(entry["shape"]))


def encode_argument(value, tensors):
    if isinstance(value, torch.Tensor):
        return {"input": next(i for i, tensor in enumerate(tensors) if tensor is value)}
    if isinstance(value, dict):
        return {key: encode_argument(entry, tensors) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode_argument(entry, tensors) for entry in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return {"number": {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]}
    return value


def describe(value, limit=300):
    """A call as a reader would write it, tensors with their numbers as long as these are few."""
    if isinstance(value, Case):
        return f"{value.op}({', '.join(describe(arg) for arg in value.args)})"
    if isinstance(value, torch.Tensor):
        kind = f"{DTYPES.get(value.dtype, value.dtype)}{list(value.shape)}"
        text = str(value.detach().tolist())
        return f"{kind} {text if len(text) <= limit else text[:limit] + '...'}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {describe(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(describe(entry) for entry in value) + "]"
    return str(value)
