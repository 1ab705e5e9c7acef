"""Fourier transforms of signals and their windows beside PyTorch's. Complex numbers are pairs { real, imag }."""

import warnings

import torch

from inputs import listed
from table import Op

PAIR = ["real", "imag"]
CASES = [
    ([8], {}), ([7], {}), ([1], {}), ([2, 5], {"n": 8}), ([2, 5], {"n": 3}), ([5, 2, 3], {"axis": 0}), ([2, 6, 3], {"axis": 1, "n": 9}),
    ([3, 30], {"norm": "ortho"}), ([3, 30], {"norm": "forward"}), ([2, 144], {}), ([2, 331], {}), ([2, 2, 1021], {}), ([3, 400], {}),
    ([2, 1024], {}), ([1, 2048], {"n": 1536}), ([2, 97], {"n": 200}), ([0, 4], {}), ([1, 4096], {}),
]  # fmt: skip


def pair(x):
    return [x.real, x.imag]


def complex_of(x):
    return torch.complex(x["real"], x["imag"]) if isinstance(x, dict) else x


def named(o):
    return {"dim" if key == "axis" else key: value for key, value in o.items()}


def transform(function, real_result=False):
    def call(x, o={}):
        y = function(complex_of(x), **named(o))
        # The transform of real numbers has real numbers only where PyTorch says so.
        return y if real_result else pair(y)

    return call


def complex_input(m, *shape):
    return {"real": m.normal(*shape), "imag": m.normal(*shape)}


def real_cases(*cases):
    return [lambda m, s=s, o=o: [m.normal(*s), o] for s, o in cases]


def complex_cases(*cases):
    return [lambda m, s=s, o=o: [complex_input(m, *s), o] for s, o in cases]


HALF = [case for case in CASES if case[0] != [1]] + [([4], {"n": 7}), ([4], {"n": 3}), ([1], {"n": 1}), ([2], {"n": 9}), ([2, 167], {"n": 333})]
TWO = [([4, 6], {}), ([2, 5, 3], {"norm": "ortho"}), ([3, 4, 2], {"axes": [0, 1]}), ([1, 1], {})]


def two(function):
    def call(x, o={}):
        return pair(function(complex_of(x), dim=o.get("axes", [-2, -1]), norm=o.get("norm")))

    return call


NAMES = {
    "hopLength": "hop_length", "winLength": "win_length", "padMode": "pad_mode",
}  # fmt: skip
STFT = [
    ([40], 16, {}),
    ([2, 50], 16, {"hopLength": 5}),
    ([2, 50], 16, {"hopLength": 8, "winLength": 11, "window": 11}),
    ([2, 50], 15, {"hopLength": 4, "window": 15, "normalized": True}),
    ([2, 50], 12, {"hopLength": 3, "window": 12, "onesided": False}),
    ([2, 50], 12, {"hopLength": 3, "window": 12, "center": False}),
    ([2, 50], 12, {"hopLength": 3, "window": 12, "padMode": "constant"}),
    ([1, 700], 400, {"hopLength": 160, "window": 400}),
    ([2, 600], 256, {"hopLength": 64, "window": 256, "normalized": True}),
    ([2, 50], 6, {"hopLength": 9}),
    ([30], 1, {"hopLength": 1}),
]


def with_window(m, o):
    return {**o, **({"window": m.uniform(o["window"], low=0.5, high=1.5)} if "window" in o else {})}


def stft(x, n, o={}):
    return pair(torch.stft(x, n, **{NAMES.get(key, key): value for key, value in o.items()}, return_complex=True))


def istft(x, n, o={}):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.istft(complex_of(x), n, **{NAMES.get(key, key): value for key, value in o.items()})


def istft_cases():
    cases = [
        (6, 16, {}),
        (6, 16, {"hopLength": 5, "window": 16}),
        (6, 16, {"hopLength": 5, "window": 16, "length": 20}),
        (6, 16, {"hopLength": 5, "window": 16, "length": 60}),
        (6, 16, {"hopLength": 4, "winLength": 12, "window": 12}),
        (6, 15, {"hopLength": 5, "window": 15, "normalized": True}),
        (6, 12, {"hopLength": 3, "window": 12, "center": False}),
        (5, 12, {"hopLength": 3, "window": 12, "onesided": False}),
        (4, 400, {"hopLength": 160, "window": 400}),
    ]
    for frames, n, o in cases:
        bins = n if o.get("onesided") is False else n // 2 + 1
        yield lambda m, f=frames, n=n, o=o, b=bins: [complex_input(m, 2, b, f), n, with_window(m, o)]


def window(function):
    def call(length, o={}):
        return function(length, **{"periodic": True, **o}, dtype=torch.float64).float()

    return call


def window_cases(*options):
    return listed(*(lambda m, n=n, o=o: [n, o] for n in (0, 1, 2, 7, 8, 400) for o in ({}, {"periodic": False}, *options)))


OPS = [
    Op("bartlettWindow", window(torch.bartlett_window), window_cases()),
    Op("blackmanWindow", window(torch.blackman_window), window_cases()),
    Op(
        "complexAbs",
        lambda x: complex_of(x).abs(),
        listed(lambda m: [complex_input(m, 2, 3)], lambda m: [complex_input(m)], lambda m: [{"real": torch.zeros(2), "imag": torch.zeros(2)}]),
    ),
    Op("complexAngle", lambda x: complex_of(x).angle(), listed(lambda m: [complex_input(m, 2, 3)], lambda m: [complex_input(m, 0)])),
    Op(
        "complexMul",
        lambda a, b: pair(complex_of(a) * complex_of(b)),
        listed(lambda m: [complex_input(m, 2, 3), complex_input(m, 3)], lambda m: [m.normal(2, 1), complex_input(m, 2, 3)]),
        pick=PAIR,
    ),
    Op("fft", transform(torch.fft.fft), listed(*real_cases(*CASES), *complex_cases(*CASES)), pick=PAIR),
    Op("fft2", two(torch.fft.fft2), listed(*real_cases(*TWO), *complex_cases(*TWO)), pick=PAIR),
    Op("fftfreq", lambda n, d=1.0: torch.fft.fftfreq(n, d), listed(*(lambda m, n=n: [n] for n in (1, 2, 5, 8)), lambda m: [5, 0.1])),
    Op(
        "fftshift",
        lambda x, axes=None: torch.fft.fftshift(x, axes),
        listed(lambda m: [m.normal(5)], lambda m: [m.normal(2, 4, 3)], lambda m: [m.normal(2, 4, 3), [0, 2]], lambda m: [m.normal(4, 3), 1]),
    ),
    Op("hammingWindow", window(torch.hamming_window), window_cases({"alpha": 0.5, "beta": 0.25})),
    Op("hannWindow", window(torch.hann_window), window_cases()),
    Op("ifft", transform(torch.fft.ifft), listed(*real_cases(*CASES), *complex_cases(*CASES)), pick=PAIR),
    Op("ifft2", two(torch.fft.ifft2), listed(*real_cases(*TWO), *complex_cases(*TWO)), pick=PAIR),
    Op(
        "ifftshift",
        lambda x, axes=None: torch.fft.ifftshift(x, axes),
        listed(lambda m: [m.normal(5)], lambda m: [m.normal(2, 4, 3)], lambda m: [m.normal(2, 4, 3), [0, 2]], lambda m: [m.normal(4, 3), 1]),
    ),
    Op("irfft", transform(torch.fft.irfft, real_result=True), listed(*real_cases(*HALF), *complex_cases(*HALF))),
    Op("istft", istft, listed(*istft_cases())),
    Op("kaiserWindow", window(torch.kaiser_window), window_cases({"beta": 5.0})),
    Op("rfft", transform(torch.fft.rfft), listed(*real_cases(*CASES)), pick=PAIR),
    Op("rfftfreq", lambda n, d=1.0: torch.fft.rfftfreq(n, d), listed(*(lambda m, n=n: [n] for n in (1, 2, 5, 8)), lambda m: [5, 0.1])),
    Op("stft", stft, listed(*(lambda m, s=s, n=n, o=o: [m.normal(*s), n, with_window(m, o)] for s, n, o in STFT)), pick=PAIR),
]
