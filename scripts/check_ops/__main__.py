"""Compares every op of tenfold, forward and gradient, with PyTorch in float64.

    npm run check:ops -- [--only add,softmax] [--seed 1] [--json FILE]     (needs: pip install torch torchvision numpy expecttest)

Inputs: our own (random, extreme, empty, scalar, broadcasting, of all dtypes) and PyTorch's own table of samples.
Allowed differences are the rows of the table in docs/ops.md. A case whose dtype an op refuses is not offered: no failure.
"""

import argparse
import json
import subprocess
import sys
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

try:
    import expecttest  # noqa: F401 (PyTorch's table of samples needs it)
    import torch
    import torchvision  # noqa: F401 (the ops of detection)
except ModuleNotFoundError as missing:
    print(f"check:ops needs the Python package {missing.name}: pip install torch torchvision numpy expecttest", file=sys.stderr)
    sys.exit(2)

import detection
import elementwise
import indices
import losses
import matrices
import movements
import networks
import products
import reductions
import signals
import windows
from cases import decode_tensor, describe, encode_argument, encode_tensor
from compare import INFINITY, compare, evaluate
from differences import read_differences
from inputs import Inputs
from samples import sample_cases
from table import NOT_COMPARED

ROOT = Path(__file__).resolve().parents[2]
FAMILIES = (
    detection,
    elementwise,
    indices,
    losses,
    matrices,
    movements,
    networks,
    products,
    reductions,
    signals,
    windows,
)
OPS = [op for family in FAMILIES for op in family.OPS]
BATCH = 40


class Tenfold:
    """The ops of the built package, in one process of Node's that is started again if the runtime takes it down."""

    def __init__(self):
        self.process = None

    def ask(self, message):
        if self.process is None or self.process.poll() is not None:
            script = str(Path(__file__).with_name("evaluate.js"))
            self.process = subprocess.Popen(
                ["node", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        try:
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if line:
            return json.loads(line)
        self.process.wait()
        if len(message) == 1:
            error = {"kind": "crashed", "message": f"the process ended with code {self.process.returncode}"}
            return [{"error": error, "outputs": [], "gradients": []}]
        half = len(message) // 2
        return self.ask(message[:half]) + self.ask(message[half:])

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()


def prepared(case):
    """PyTorch's results in float64 and float32, or None where PyTorch refuses the case."""
    # PyTorch has no gradient of some targets and weights: then that of the first tensor only.
    for followed in (None, {0}, set()):
        case.followed = followed
        try:
            truth = evaluate(case, torch.float64)
            return truth, evaluate(case, torch.float32, truth.cotangents)
        except (RuntimeError, IndexError, ValueError, TypeError, NotImplementedError):
            continue
    return None


def message_of(case, truth):
    return {
        "op": case.op,
        "args": [encode_argument(arg, case.tensors) for arg in case.args],
        "inputs": [encode_tensor(tensor) for tensor in case.tensors],
        "cotangents": [None if c is None else encode_tensor(c) for c in truth.cotangents],
        "targets": case.targets(),
        "pick": case.pick,
    }


def differences_of(case, truth, single, answer):
    if answer.get("error"):
        error = answer["error"]
        if error["kind"] == "refused" and case.optional:
            return None
        return [("refused" if error["kind"] == "refused" else "crashed", error["message"].split("\n")[0], INFINITY)]
    outputs, gradients = ([decode_tensor(entry) for entry in answer[key]] for key in ("outputs", "gradients"))
    return compare(case, truth, single, outputs, gradients)


def unexplained(case, found, allowed):
    """The differences that no row of the table covers."""
    left = []
    for kind, text, error in found:
        row = next((row for row in allowed if row.covers(case.op, kind, case.tags(), error)), None)
        if row:
            row.used += 1
        else:
            left.append((kind, text))
    return left


def check(cases, ask, allowed):
    """Counts of the cases of one op, and those that differ. `ask` answers later, while PyTorch computes the next cases."""
    counts, failures, asked = Counter(), [], []
    for start in range(0, len(cases), BATCH):
        batch = cases[start : start + BATCH]
        ready = [(case, *results) for case in batch if (results := prepared(case))]
        counts["left out"] += len(batch) - len(ready)
        if ready:
            asked.append((ready, ask([message_of(case, truth) for case, truth, _ in ready])))
    for ready, answers in asked:
        for (case, truth, single), answer in zip(ready, answers.result()):
            found = differences_of(case, truth, single, answer)
            left = unexplained(case, found or [], allowed)
            outcome = "refused" if found is None else "differ" if left else "on purpose" if found else "agree"
            counts[outcome] += 1
            if left:
                failures.append({"call": describe(case), "source": case.source, "tags": sorted(case.tags()), "differences": left})
    return counts, failures


def exported_functions():
    script = """
        const ops = await import('./dist/ops/kit.js')
        console.log(JSON.stringify(Object.keys(ops).filter((name) => typeof ops[name] === 'function')))
    """
    command = ["node", "--input-type=module", "-e", script]
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def uncovered(names):
    """Exported functions that are neither compared nor listed with a reason."""
    exported = set(exported_functions())
    missing = exported - set(names) - set(NOT_COMPARED)
    gone = (set(names) | set(NOT_COMPARED)) - exported
    return [f"{name}: compared with nothing; add it to the tables of scripts/check_ops" for name in sorted(missing)] + [
        f"{name}: in the tables of scripts/check_ops, but not an op" for name in sorted(gone)
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", help="names of ops, separated by commas")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", default=str(ROOT / "runs" / "check-ops.json"), help="where all differences are written")
    parser.add_argument("--show", type=int, default=3, help="differences of an op that are printed")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)

    allowed = read_differences(ROOT / "docs" / "ops.md")
    table = {op.name: op for op in OPS}
    chosen = options.only.split(",") if options.only else sorted(table)
    unknown = [name for name in chosen if name not in table]
    if unknown:
        parser.error(f"no such op: {', '.join(unknown)}")
    problems = uncovered(table)
    samples = sample_cases(set(chosen), options.seed)
    tenfold, report, total = Tenfold(), {}, Counter()
    with ThreadPoolExecutor(1) as pool:
        for name in chosen:
            cases = table[name].cases(Inputs(options.seed)) + samples.get(name, [])
            counts, failures = check(cases, lambda batch: pool.submit(tenfold.ask, batch), allowed)
            total += counts
            report[name] = {"counts": dict(counts), "failures": failures}
            kinds = ("agree", "on purpose", "refused", "differ", "left out")
            print(f"{name:28}" + "  ".join(f"{kind} {counts[kind]}" for kind in kinds if counts[kind]), flush=True)
            if counts["agree"] + counts["on purpose"] == 0:
                problems.append(f"{name}: no case of it was compared")
    tenfold.close()
    if not options.only:
        problems += [
            f"docs/ops.md: nothing differs as in the row of {', '.join(row.ops)} ({', '.join(sorted(row.kinds))})"
            for row in allowed
            if not row.used
        ]
    for name, entry in report.items():
        for failure in entry["failures"][: options.show]:
            print(f"\n{failure['call'][:600]}")
            for kind, text in failure["differences"]:
                print(f"  {kind}: {text}")
    for problem in problems:
        print(problem)
    Path(options.json).parent.mkdir(parents=True, exist_ok=True)
    Path(options.json).write_text(json.dumps({"ops": report, "problems": problems}, indent=1))
    failed = total["differ"] + len(problems)
    print(f"{total['agree'] + total['on purpose']} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
