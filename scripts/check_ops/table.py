"""One entry of the table of ops: PyTorch's function in tenfold's arguments, and what it is tried on."""

from collections.abc import Callable
from dataclasses import dataclass

from cases import own_case


@dataclass
class Op:
    name: str
    # Takes tenfold's arguments (options as a dict), gives a tensor or a list of those that `pick` names.
    function: Callable
    # From `Inputs` to pairs of arguments and options of the case.
    generate: Callable
    pick: list | None = None
    exact: bool = False
    elementwise: bool = False

    def cases(self, make):
        options = {"pick": self.pick, "exact": self.exact, "elementwise": self.elementwise}
        return [own_case(self.name, args, self.function, **options, **more) for args, more in self.generate(make)]


BUILDS = "builds ops or looks into tensors: computes nothing"
RANDOM = "draws random numbers: test/ops/random looks at their distribution"
PART = "a part of "
AUDIO = "of torchaudio, librosa or SciPy: test/ops/signal compares it with what they gave (test/fixtures/signal/make.py)"
# Exported functions that are compared with nothing, and why.
NOT_COMPARED = {
    **dict.fromkeys(
        [
            "apply",
            "applyAll",
            "checked",
            "constantOf",
            "constantValue",
            "defineBinary",
            "defineOp",
            "defineUnary",
            "emitConstants",
            "emitExtremum",
            "emitReshape",
        ],
        BUILDS,
    ),
    **dict.fromkeys(
        [
            "first",
            "inferBroadcast",
            "inputAt",
            "isOpDefinition",
            "isTensorLike",
            "isWeightConvolution",
            "kernelPlaces",
            "opOf",
            "perAxis",
            "requireDType",
            "requireElements",
            "requireFunction",
            "requireIndex",
            "requireResult",
            "restoreAxes",
        ],
        BUILDS,
    ),
    **dict.fromkeys(
        [
            "certainlyWithin",
            "scalar",
            "toFloat",
            "toTensor",
            "toTensorList",
            "toTensorPair",
            "toTensors",
            "withoutSwap",
            "withoutZero",
            "customGradient",
            "within",
            "gatherOverRanks",
            "lateInputs",
            "runAfterAll",
            "withBackward",
            "runAfter",
        ],
        BUILDS,
    ),
    **dict.fromkeys(["amplitudeToDB", "dct", "idct", "melFilterBank", "melSpectrogram", "mfcc"], AUDIO),
    **dict.fromkeys(["powerToDB", "preemphasis", "resample", "spectrogram"], AUDIO),
    **dict.fromkeys(
        [
            "categorical",
            "dropout",
            "dropout2d",
            "gumbelSoftmax",
            "multinomial",
            "randomBernoulli",
            "randomBeta",
            "randomExponential",
            "randomGamma",
            "randomGumbel",
            "randomIntegers",
            "randomNormal",
            "randomPermutation",
            "randomPoisson",
            "randomTruncatedNormal",
            "randomUniform",
        ],
        RANDOM,
    ),
    "addmmWith": PART + "addmm",
    "convInputGradient": PART + "the gradient of conv2d",
    "convWeightGradient": PART + "the gradient of conv2d",
    "dilate": PART + "the gradient of conv2d",
    "kernelWindows": PART + "unfold",
    "involutionInputGradient": PART + "the gradient of involution",
    "involutionWeightGradient": PART + "the gradient of involution",
    "roiAlignInputGradient": PART + "the gradient of roiAlign",
    "matmulWith": PART + "matmul",
    "padAxis": PART + "pad",
    "pathScores": PART + "ctcLoss",
    "windowColumns": PART + "unfold",
}
