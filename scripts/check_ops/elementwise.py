"""Elementwise functions beside PyTorch's."""

import math

import torch
import torch.nn.functional as F

from inputs import DTYPES, EXTREME, INF, INTEGERS, NAN, binary, listed, shapes, together, unary, vector
from table import Op

LARGEST = torch.finfo(torch.float32).max


def one(name, function, low=-2.0, high=2.0, options=({},), exact=False):
    return Op(name, function, unary(low, high, options), elementwise=True, exact=exact)


def number_as_tensor(x):
    """A number has no say in a tensor's dtype but for a fraction beside integers: as PyTorch's scalars."""
    if isinstance(x, torch.Tensor):
        return x
    return torch.tensor(x, dtype=torch.float32 if isinstance(x, float) else torch.int64)


def two(name, function):
    return Op(name, lambda a, b: function(number_as_tensor(a), number_as_tensor(b)), binary(), elementwise=True)


def comparison(name, function):
    """Of the numbers themselves: 256 is no uint8, and equals none."""

    def exactly(x):
        x = number_as_tensor(x)
        return x if x.is_floating_point() else x.to(torch.int64)

    return Op(name, lambda a, b: function(exactly(a), exactly(b)), binary(), elementwise=True)


def quotient(a, b):
    """Integers have a whole quotient; PyTorch, too, stops at that of the lowest one by -1."""
    if a.is_floating_point() or b.is_floating_point() or torch.bool in (a.dtype, b.dtype):
        return torch.div(a, b)
    return torch.where(b == -1, -a, torch.div(a, torch.where(b == -1, 1, b), rounding_mode="trunc"))


def heaviside(x, values):
    """PyTorch has no gradient of it: that of the value at 0 is what a choice gives."""
    if x.dtype != values.dtype and not (x.dim() and values.dim()):
        values = values.to(x.dtype) if x.dim() else values
        x = x.to(values.dtype)
    return torch.where(x == 0, values, torch.heaviside(x.detach(), torch.zeros_like(x.detach())))


def whole_quotient(a, b):
    a, b = a.detach(), b.detach()
    if a.is_floating_point() or b.is_floating_point() or torch.bool in (a.dtype, b.dtype):
        return torch.floor_divide(a, b)
    return torch.where(b == -1, -a, torch.floor_divide(a, torch.where(b == -1, 1, b)))


def options_of(function, **names):
    """PyTorch's function with named numbers, which are tenfold's options of other names."""

    def call(x, o={}):
        return function(x, **{name: o[option] for name, option in names.items() if option in o})

    return call


def sqrt_or_zero(x):
    is_zero = x == 0
    return torch.where(is_zero, 0.0 * x.detach(), torch.where(is_zero, 1.0, x).sqrt())


def raised(x, least):
    """The bound is outside of the graph."""
    return torch.where(x < least, least + (x - x.detach()), x)


def clamp(x, low=None, high=None):
    if isinstance(low, torch.Tensor) or isinstance(high, torch.Tensor):
        low, high = (bound if bound is None else number_as_tensor(bound) for bound in (low, high))
    return torch.clamp(x, low, high)


def nan_to_num(x, o={}):
    if not x.is_floating_point():
        return torch.nan_to_num(x)
    return torch.nan_to_num(x, o.get("nan", 0), o.get("positiveInfinity", LARGEST), o.get("negativeInfinity", -LARGEST))


def cast(x, dtype):
    if dtype == "float32" and x.is_floating_point():
        return x.clone()
    return x.to(getattr(torch, dtype))


def polygamma_of(n):
    """Where PyTorch has some large number, as its sine of a multiple of pi is not 0, there is a pole."""

    def call(x):
        is_pole = (x < 0) & (x == x.round()) & x.isfinite()
        inside = torch.where(is_pole, 1.0, x)
        smooth = torch.digamma(inside) if n == 0 else torch.polygamma(n, inside)
        # Even orders change sign there: NaN, and an infinite slope. Odd ones are infinite, their slope is NaN.
        at = torch.where(is_pole, x, 0.0)
        pole = at * INF + NAN if n % 2 == 0 else (at - at.detach()).abs().sqrt() + INF
        return torch.where(is_pole, pole, smooth)

    return call


def clamped(make):
    for low, high in [(-0.5, 0.5), (None, 0.5), (-0.5, None), (0.5, -0.5), (0, 0), (-INF, 1.0)]:
        for x in (make.normal(2, 3), make.normal(0), make.normal(), vector(EXTREME), vector([INF, -INF, NAN])):
            yield [x, low, high], {}
        for dtype in INTEGERS:
            yield [make.any([5], dtype), low, high], {"optional": True}
    for low, high in [(-1, 2), (2, -1), (0, None), (None, 3)]:
        for dtype in INTEGERS:
            yield [make.any([5], dtype), low, high], {"optional": True}
    yield [make.normal(2, 3), make.normal(3), make.normal(2, 1)], {}
    yield [make.normal(2, 3), make.normal(3)], {}
    yield [make.normal(2, 3), None, make.normal()], {}
    yield [make.normal(2, 0), make.normal(0), None], {}
    yield [vector([NAN, 1, 2, INF, -INF]), vector([0, NAN, 3, 0, 0]), vector([1, 1, NAN, 1, 1])], {}


def whole(make, count):
    """`count` tensors that broadcast, with and without scalars and empty axes."""
    yield [make.normal(2, 3) for _ in range(count)], {}
    yield [make.normal(*([2, 1, 3], [4, 1], [3])[i % 3]) for i in range(count)], {}
    yield [make.normal(*([], [2], [2, 2])[i % 3]) for i in range(count)], {}
    yield [make.normal(*([0, 2], [2], [1, 1])[i % 3]) for i in range(count)], {}
    for shift in range(3):
        values = [1.0, 0.0, -1.0, INF, -INF, NAN, 1e30, 1e-30]
        yield [vector([values[(i * (j + shift + 1)) % 8] for i in range(8)]) for j in range(count)], {}
    for dtype in DTYPES[1:]:
        yield [make.any([2, 3], dtype) for _ in range(count)], {"optional": True}


def conditions(make):
    for args, more in together(binary())(make):
        if isinstance(args[0], torch.Tensor) and isinstance(args[1], torch.Tensor):
            yield [make.any(args[0].shape[-1:], torch.bool), *args], more
    yield [make.any([3], torch.bool), make.normal(3), 0], {}
    yield [make.any([3], torch.bool), 0, make.normal(2, 3)], {}
    yield [make.any([3], torch.bool), 1, 0.5], {}
    yield [make.any([], torch.bool), make.normal(2), make.normal(2)], {}
    yield [vector([True, False], torch.bool), vector([1, NAN]), vector([INF, 1])], {}


def masked(make):
    for shape in ([2, 3], [], [0, 2]):
        for dtype in DTYPES:
            yield [make.any(shape, dtype), make.any(shape, torch.bool), 1], {"optional": dtype != torch.float32}
    yield [make.normal(2, 3), make.any([3], torch.bool), -INF], {}
    yield [make.normal(2, 3), make.any([2, 1], torch.bool), make.normal()], {}


def each(values, *rest):
    return listed(*(lambda make, x=x, more=more: [x(make), *more] for x in values for more in rest))


inputs_for_threshold = [
    lambda make: make.normal(2, 3),
    lambda make: make.normal(0),
    lambda make: make.normal(),
    lambda make: vector(EXTREME),
    lambda make: vector([INF, -INF, NAN, 0.5]),
]

OPS = [
    one("abs", torch.abs),
    one("acos", torch.acos, -1, 1),
    one("acosh", torch.acosh, 1, 4),
    one("alias", torch.clone),
    one("asin", torch.asin, -1, 1),
    one("asinh", torch.asinh),
    one("atan", torch.atan),
    one("atanh", torch.atanh, -1, 1),
    one("ceil", torch.ceil, exact=True),
    one("celu", options_of(F.celu, alpha="alpha"), options=[{}, {"alpha": 2.0}]),
    one("cos", torch.cos),
    one("cosh", torch.cosh),
    one("digamma", polygamma_of(0), -4, 4),
    one("elu", options_of(F.elu, alpha="alpha"), options=[{}, {"alpha": 0.5}]),
    one("entr", torch.special.entr, 0, 2),
    one("erf", torch.erf),
    one("erfc", torch.erfc),
    one("erfcx", torch.special.erfcx, -3, 3),
    one("erfinv", torch.erfinv, -1, 1),
    one("exp", torch.exp),
    one("exp2", torch.exp2),
    one("expm1", torch.expm1),
    one("floor", torch.floor, exact=True),
    one("frac", torch.frac),
    one("gelu", options_of(F.gelu, approximate="approximate"), options=[{}, {"approximate": "tanh"}]),
    one("hardshrink", options_of(F.hardshrink, lambd="lambda"), options=[{}, {"lambda": 0.0}]),
    one("hardsigmoid", F.hardsigmoid),
    one("hardswish", F.hardswish),
    one("hardtanh", options_of(F.hardtanh, min_val="min", max_val="max"), options=[{}, {"min": -2.0, "max": 0.5}]),
    one("i0", torch.special.i0, -9, 9),
    one("i0e", torch.special.i0e, -9, 9),
    one("i1", torch.special.i1, -9, 9),
    one("i1e", torch.special.i1e, -9, 9),
    one("isFinite", torch.isfinite),
    one("isInf", torch.isinf),
    one("isNan", torch.isnan),
    one("leakyRelu", options_of(F.leaky_relu, negative_slope="negativeSlope"), options=[{}, {"negativeSlope": 0.2}]),
    one("lgamma", torch.lgamma, -4, 4),
    one("log", torch.log, 0, 3),
    one("log10", torch.log10, 0, 3),
    one("log1p", torch.log1p, -1, 2),
    one("log2", torch.log2, 0, 3),
    one("logNdtr", torch.special.log_ndtr, -9, 9),
    one("logSigmoid", F.logsigmoid),
    one("logicalNot", torch.logical_not),
    one("logit", options_of(torch.logit, eps="eps"), 0, 1, [{}, {"eps": 0.0}, {"eps": 0.1}, {"eps": 0.5}]),
    one("mish", F.mish),
    one("nanToNum", nan_to_num, options=[{}, {"nan": 1.0, "positiveInfinity": 2.0, "negativeInfinity": -3.0}]),
    one("ndtr", lambda x: 0.5 * torch.erfc(-math.sqrt(0.5) * x), -9, 9),
    one("ndtri", torch.special.ndtri, 0, 1),
    one("bitwiseNot", torch.bitwise_not),
    one("neg", torch.neg),
    one("onesLike", torch.ones_like),
    one("quickGelu", lambda x: x * torch.sigmoid(1.702 * x)),
    one("reciprocal", torch.reciprocal),
    one("relu", F.relu),
    one("relu6", F.relu6),
    one("round", options_of(torch.round, decimals="decimals"), options=[{}, {"decimals": 2}, {"decimals": -1}]),
    one("rsqrt", torch.rsqrt, 0, 3),
    one("selu", F.selu),
    one("sigmoid", torch.sigmoid),
    one("sign", torch.sign, exact=True),
    one("silu", F.silu),
    one("sin", torch.sin),
    one("sinc", torch.sinc),
    one("sinh", torch.sinh),
    one("softplus", options_of(F.softplus, beta="beta", threshold="threshold"), options=[{}, {"beta": 2.0}, {"threshold": 5.0}]),
    one("softshrink", options_of(F.softshrink, lambd="lambda"), options=[{}, {"lambda": 1.5}, {"lambda": 0.0}]),
    one("softsign", F.softsign),
    one("sqrt", torch.sqrt, 0, 3),
    one("sqrtOrZero", sqrt_or_zero, 0, 3),
    one("square", torch.square),
    one("stopGradient", torch.detach),
    one("meanOverRanks", torch.clone),
    one("sumOverRanks", torch.clone),
    one("tan", torch.tan, -1.5, 1.5),
    one("tanh", torch.tanh),
    one("tanhshrink", F.tanhshrink),
    one("trunc", torch.trunc, exact=True),
    one("unitStep", lambda x: torch.heaviside(x.detach(), torch.zeros((), dtype=x.dtype))),
    one("zerosLike", torch.zeros_like),
    two("add", torch.add),
    two("sub", torch.sub),
    two("mul", torch.mul),
    two("div", quotient),
    two("pow", torch.pow),
    two("maximum", torch.maximum),
    two("minimum", torch.minimum),
    two("fmod", torch.fmod),
    two("remainder", torch.remainder),
    two("floorDivide", whole_quotient),
    two("atan2", torch.atan2),
    two("hypot", torch.hypot),
    two("logAddExp", torch.logaddexp),
    two("logAddExp2", torch.logaddexp2),
    two("xlogy", torch.xlogy),
    two("logicalAnd", torch.logical_and),
    two("logicalOr", torch.logical_or),
    two("logicalXor", torch.logical_xor),
    two("bitwiseAnd", torch.bitwise_and),
    two("bitwiseLeftShift", torch.bitwise_left_shift),
    two("bitwiseOr", torch.bitwise_or),
    two("bitwiseRightShift", torch.bitwise_right_shift),
    two("bitwiseXor", torch.bitwise_xor),
    two("heaviside", heaviside),
    comparison("equal", torch.eq),
    comparison("notEqual", torch.ne),
    comparison("less", torch.lt),
    comparison("lessOrEqual", torch.le),
    comparison("greater", torch.gt),
    comparison("greaterOrEqual", torch.ge),
    Op(
        "addAll",
        lambda tensors: sum(tensors),
        lambda make: (
            ([list(args)], more)
            for args, more in [([make.normal(2, 3) for _ in range(3)], {}), ([make.normal(4)], {}), ([make.normal(2, 0)] * 1, {})]
        ),
    ),
    Op("addcdiv", lambda x, a, b, o={}: torch.addcdiv(x, a, b, **o), lambda make: whole(make, 3), elementwise=True),
    Op(
        "addcmul",
        lambda x, a, b, o={}: torch.addcmul(x, a, b, **o),
        together(lambda make: whole(make, 3), listed(lambda m: [m.normal(3), m.normal(3), m.normal(3), {"value": 0.5}])),
        elementwise=True,
    ),
    Op(
        "cast",
        cast,
        shapes(*((shape, dtype) for shape in ([2, 3], [], [0]) for dtype in ("float32", "int32", "int64", "uint8", "bool"))),
        elementwise=True,
    ),
    Op("clamp", clamp, clamped, elementwise=True),
    Op("fullLike", lambda x, value: torch.full_like(x, value), shapes(([2, 3], 1), ([], 2), ([0], 1), ([2], 255), dtypes=DTYPES[:4])),
    Op(
        "gammaSlope",
        torch._standard_gamma_grad,
        listed(
            *(
                lambda m, a=a: [m.uniform(2, 40, low=a, high=2 * a), torch._standard_gamma(m.uniform(2, 40, low=a, high=2 * a))]
                for a in (0.01, 0.1, 0.5, 1.0, 3.0, 7.0, 20.0, 200.0, 5000.0, 1e6)
            ),
        ),
    ),
    Op(
        "lerp",
        lambda a, b, w: torch.lerp(a, b, w),
        together(lambda make: whole(make, 3), listed(lambda m: [m.normal(3), m.normal(3), 0.3])),
        elementwise=True,
    ),
    Op("maskedFill", lambda x, mask, value: torch.masked_fill(x, mask, value), masked),
    Op(
        "polygamma",
        lambda n, x: polygamma_of(n)(x),
        lambda make: (([n, *args], more) for n in (0, 1, 2, 3, 6) for args, more in unary(0.1, 6, optional=False)(make)),
        elementwise=True,
    ),
    Op("raised", raised, each([lambda make: make.normal(2, 3), lambda make: make.normal(0), lambda make: make.normal()], [0.5])),
    Op("threshold", F.threshold, each(inputs_for_threshold, [0.5, -3.0], [0.0, 0.0]), elementwise=True),
    Op("where", lambda c, a, b: torch.where(c, a, b), conditions, elementwise=True),
]
