"""Compares every op of tenfold, forward and gradient, with PyTorch in float64.

    npm run check:ops -- [--only add,softmax] [--seed 1] [--json FILE]     (needs: pip install torch numpy expecttest)

Inputs: our own (random, extreme, empty, scalar, broadcasting, of all dtypes) and PyTorch's own table of samples.
Allowed differences are the rows of the table in docs/ops.md. A case whose dtype an op refuses is not offered: no failure.
"""

import argparse
import json
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path

import torch

import elementwise
import losses
import movements
import networks
import reductions
from cases import DTYPES, decode_tensor, describe, encode_argument, encode_tensor
from compare import compare, evaluate
from differences import read_differences
from inputs import Inputs
from samples import sample_cases

ROOT = Path(__file__).resolve().parents[2]
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
        return [("refused" if error["kind"] == "refused" else "crashed", error["message"].split("\n")[0])]
    outputs, gradients = ([decode_tensor(entry) for entry in answer[key]] for key in ("outputs", "gradients"))
    return compare(case, truth, single, outputs, gradients)


def check(cases, tenfold, allowed):
    """Counts of the cases of one op, and those that differ."""
    counts, failures = Counter(), []
    for start in range(0, len(cases), BATCH):
        ready = [(case, *results) for case in cases[start : start + BATCH] if (results := prepared(case))]
        counts["left out"] += len(cases[start : start + BATCH]) - len(ready)
        answers = tenfold.ask([message_of(case, truth) for case, truth, _ in ready]) if ready else []
        for (case, truth, single), answer in zip(ready, answers):
            found = differences_of(case, truth, single, answer)
            if found is None:
                counts["refused"] += 1
                continue
            tags = case.tags()
            unexplained = []
            for kind, text in found:
                row = next((row for row in allowed if row.covers(case.op, kind, tags)), None)
                if row:
                    row.used += 1
                else:
                    unexplained.append((kind, text))
            counts["differ" if unexplained else "on purpose" if found else "agree"] += 1
            if unexplained:
                failures.append({"call": describe(case), "source": case.source, "tags": sorted(tags), "differences": unexplained})
    return counts, failures


def exported_functions():
    script = "import('./dist/index.js').then(({ ops }) => console.log(JSON.stringify(Object.keys(ops).filter((k) => typeof ops[k] === 'function'))))"
    return json.loads(subprocess.run(["node", "-e", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout)


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
    names = sorted(table)
    chosen = options.only.split(",") if options.only else names
    samples = sample_cases(set(chosen), options.seed)
    tenfold, report, total = Tenfold(), {}, Counter()
    for name in chosen:
        cases = table[name].cases(Inputs(options.seed)) + samples.get(name, [])
        counts, failures = check(cases, tenfold, allowed)
        total += counts
        report[name] = {"counts": dict(counts), "failures": failures}
        print(f"{name:28}" + "  ".join(f"{key} {counts[key]}" for key in ("agree", "on purpose", "refused", "differ", "left out") if counts[key]), flush=True)
    for name, entry in report.items():
        for failure in entry["failures"][: options.show]:
            print(f"\n{failure['call'][:600]}")
            for kind, text in failure["differences"]:
                print(f"  {kind}: {text}")
    Path(options.json).parent.mkdir(parents=True, exist_ok=True)
    Path(options.json).write_text(json.dumps(report, indent=1))
    print(f"{total['agree'] + total['on purpose']} passed, {total['differ']} failed")
    return 1 if total["differ"] else 0


OPS = [*elementwise.OPS, *reductions.OPS, *movements.OPS, *networks.OPS, *losses.OPS]

if __name__ == "__main__":
    sys.exit(main())
