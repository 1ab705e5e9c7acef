"""Reads the table of differences on purpose in docs/ops.md, which is what the check allows."""

from dataclasses import dataclass, field
from pathlib import Path

KINDS = {"refused", "accepted", "dtype", "shape", "value", "non-finite", "gradient"}
INPUTS = {
    "any", "float32", "int32", "int64", "uint8", "bool", "integer", "empty", "scalar", "non-finite", "nan", "huge",
    "tiny", "number", "fewer axes",
}  # fmt: skip


@dataclass
class Difference:
    ops: list
    kinds: set
    inputs: set
    used: int = field(default=0)

    def covers(self, op, kind, tags):
        return (
            ("all" in self.ops or op in self.ops)
            and kind in self.kinds
            and ("any" in self.inputs or self.inputs <= tags)
        )


def words(cell):
    return [word.strip(" `") for word in cell.split(",")]


def read_differences(path):
    """Rows of the table whose head is `| op | difference | inputs | ... |`; inputs are such as have all these properties."""
    rows, inside = [], False
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[:3] == ["op", "difference", "inputs"]:
            inside = True
        elif inside and not cells[0].startswith("--"):
            row = Difference(words(cells[0]), set(words(cells[1])), set(words(cells[2])))
            unknown = (row.kinds - KINDS) | (row.inputs - INPUTS)
            if unknown:
                raise SystemExit(f"{path}: the table of differences has unknown words {sorted(unknown)}")
            rows.append(row)
    return rows
