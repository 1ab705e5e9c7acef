"""The truth of a case, by PyTorch in float64, and whether tenfold's numbers are as near to it as float32 allows."""

from dataclasses import dataclass

import torch

INFINITY = float("inf")
SMALLEST_NORMAL = torch.finfo(torch.float32).tiny
LARGEST = torch.finfo(torch.float32).max
# 25 units in the last place: what a formula of a few float32 operations is off by.
RELATIVE = 3e-6
EPSILON = torch.finfo(torch.float32).eps


@dataclass
class Truth:
    outputs: list
    gradients: list
    cotangents: list


def as_list(result):
    return [result] if isinstance(result, torch.Tensor) else list(result)


def evaluate(case, dtype, cotangents=None, perturb=None):
    """Outputs and gradients with float32 inputs converted to dtype; `perturb` shrinks each before by up to one rounding error."""
    tensors = []
    for tensor in case.tensors:
        if tensor.dtype == torch.float32:
            tensor = tensor.detach()
            if perturb is not None:
                tensor = tensor.double() * (1 - EPSILON * torch.rand(tensor.shape, dtype=torch.float64, generator=perturb))
            tensor = tensor.to(dtype)
            tensor.requires_grad_(case.followed is None or len(tensors) in case.followed)
        tensors.append(tensor)
    outputs = as_list(case.reference(tensors))
    floats = [tensors[i] for i in case.targets()]
    if cotangents is None:
        generator = torch.Generator().manual_seed(len(floats))
        cotangents = [torch.randn(output.shape, generator=generator) if output.is_floating_point() else None for output in outputs]
    followed = [(o, c) for o, c in zip(outputs, cotangents) if c is not None and o.requires_grad]
    if followed and floats:
        found = torch.autograd.grad([o for o, _ in followed], floats, [c.to(o.dtype) for o, c in followed], allow_unused=True)
        gradients = [torch.zeros_like(t) if g is None else g for t, g in zip(floats, found)]
    else:
        gradients = [torch.zeros_like(t) for t in floats]
    return Truth([o.detach() for o in outputs], [g.detach() for g in gradients], cotangents)


def spread_of(case, truth, dtype=torch.float64):
    """
    How far one rounding error of the inputs moves each result: what a sum or a product of float32 may be off by. With float32: how far its
    results are off beside these inputs, since parts that cancel may leave nothing at one place by luck.
    """
    generator = torch.Generator().manual_seed(1)
    moved = [evaluate(case, dtype, truth.cotangents, generator) for _ in range(3)]

    def spread(i, kind):
        true = getattr(truth, kind)[i]
        return torch.stack([(getattr(other, kind)[i].double() - true.double()).abs() for other in moved]).amax(0)

    return [[spread(i, kind) for i in range(len(getattr(truth, kind)))] for kind in ("outputs", "gradients")]


@dataclass
class Room:
    """What one result may be off by: `spread` by rounding its inputs, `nearby` by PyTorch's float32 beside them."""

    spread: torch.Tensor
    nearby: torch.Tensor


def rooms_of(case, truth):
    exact, single = spread_of(case, truth), spread_of(case, truth, torch.float32)
    return [[Room(*pair) for pair in zip(*kind)] for kind in zip(exact, single)]


def wrong_elements(found, true, single, room, exact, weight=0.0):
    """
    true: float64's result, single: float32's, which may overflow on the way as any float32 computation may.
    weight: the largest cotangent of a gradient, whose parts may cancel.
    """
    found, single = found.double(), single.double()
    nearest = true.float().double()
    equal = (found == nearest) | (found == single)
    both_nan = torch.isnan(found) & (torch.isnan(true) | torch.isnan(single))
    if exact:
        return ~(equal | both_nan)
    error_of_single = (single - true).abs().nan_to_num(0, 0, 0)
    # The last part is what float64 itself is off by where it subtracts from 1, as in 1 - sigmoid(x).
    allowed = RELATIVE * true.abs() + 4 * error_of_single + SMALLEST_NORMAL + 1e-15 * weight
    if room is not None:
        error_of_single = torch.maximum(error_of_single, room.nearby.nan_to_num(0, 0, 0))
        # A sum's rounding errors follow its largest parts: the worst element speaks for its neighbours, up to a part.
        allowed = allowed + 8 * room.spread.nan_to_num(0, 0, 0)
        finite = torch.where(torch.isfinite(true), true.abs(), 0)
        if finite.numel() > 0:
            allowed = allowed + 4 * EPSILON * finite.amax() + 4 * error_of_single.amax() + EPSILON * weight
    near = (found - true).abs() <= allowed
    overflow = torch.isinf(found) & (true.sign() == found.sign()) & (true.abs() > LARGEST * (1 - 1e-5))
    return ~(equal | both_nan | near | overflow)


def compare_tensor(found, true, single, room, exact, weight=0.0):
    """The kind of difference, the first wrong number, and how far the worst is off; or None."""
    if list(found.shape) != list(true.shape):
        return "shape", f"{list(found.shape)} instead of {list(true.shape)}", INFINITY
    wrong = wrong_elements(found, true, single, room, exact or not true.is_floating_point(), weight)
    if not bool(wrong.any()):
        return None
    place = wrong.nonzero()[0].tolist()
    at = tuple(place)
    numbers = [float(t[at]) for t in (found, true, single)]
    finite = all(abs(number) <= LARGEST for number in numbers[:2])
    text = f"{int(wrong.sum())} of {wrong.numel()}; at {place}: {numbers[0]!r} instead of {numbers[1]!r} (PyTorch float32: {numbers[2]!r})"
    return "value" if finite else "non-finite", text, float((found.double() - true).abs()[wrong].nan_to_num(INFINITY).max())


def compare(case, truth, single, outputs, gradients):
    """All differences of a case: (kind, text, error). kinds: dtype, shape, value, non-finite, gradient."""
    differences = []
    output_rooms = gradient_rooms = None
    if not (case.elementwise or case.exact):
        output_rooms, gradient_rooms = rooms_of(case, truth)
    if len(outputs) != len(truth.outputs):
        return [("shape", f"{len(outputs)} results instead of {len(truth.outputs)}", INFINITY)]
    for i, (found, true) in enumerate(zip(outputs, truth.outputs)):
        wanted = single.outputs[i].dtype
        if found.dtype != wanted:
            differences.append(("dtype", f"result {i}: {found.dtype} instead of {wanted}".replace("torch.", ""), INFINITY))
        difference = compare_tensor(found, true, single.outputs[i], output_rooms and output_rooms[i], case.exact)
        if difference:
            differences.append((difference[0], f"result {i}: {difference[1]}", difference[2]))
    weight = max((float(c.abs().max()) for c in truth.cotangents if c is not None and c.numel() > 0), default=0.0)
    for i, (found, true) in enumerate(zip(gradients, truth.gradients)):
        difference = compare_tensor(found, true, single.gradients[i], gradient_rooms and gradient_rooms[i], False, weight)
        if difference:
            differences.append(("gradient", f"gradient of input {case.targets()[i]}: {difference[1]}", difference[2]))
    return differences
