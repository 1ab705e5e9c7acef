"""One entry of the table of ops: PyTorch's function in tenfold's arguments, and what it is tried on."""

from dataclasses import dataclass, field
from typing import Callable

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
