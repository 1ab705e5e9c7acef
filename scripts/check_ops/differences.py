"""Reads the table of differences on purpose in docs/ops.md, which is what the check allows."""

from dataclasses import dataclass
from pathlib import Path

HEAD = ["op", "difference", "inputs", "within"]
KINDS = {"refused", "dtype", "shape", "value", "non-finite", "gradient"}
INPUTS = {
    "any", "float32", "int32", "int64", "uint8", "bool", "integer", "empty", "scalar", "non-finite", "nan", "huge",
    "tiny", "number", "negative option", "negative integer", "fewer axes", "no path",
}  # fmt: skip


@dataclass
class Difference:
    """A row: these ops differ in these ways, on inputs with all these properties, by at most `within`."""

    ops: list
    kinds: set
    inputs: set
    within: float
    used: int = 0

    def covers(self, op, kind, tags, error):
        fits = "any" in self.inputs or self.inputs <= tags
        return op in self.ops and kind in self.kinds and fits and error <= self.within


def words(cell):
    return [word.strip(" `") for word in cell.split(",")]


def read_differences(path):
    """The rows of the table that begins with the columns of HEAD."""
    rows, inside = [], False
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[:4] == HEAD:
            inside = True
        elif inside and not cells[0].startswith("--"):
            within = float(cells[3]) if cells[3] else float("inf")
            row = Difference(words(cells[0]), set(words(cells[1])), set(words(cells[2])), within)
            unknown = (row.kinds - KINDS) | (row.inputs - INPUTS)
            if unknown:
                raise SystemExit(f"{path}: the table of differences has unknown words: {', '.join(sorted(unknown))}")
            rows.append(row)
    return rows
