"""Checks exported models with the official tools: the onnx checker, and onnxruntime's results against tenfold's.

    npm run check:onnx        (needs: pip install onnx onnxruntime numpy)

Reads a folder that scripts/export-samples.js wrote: NAME.onnx with NAME.json (inputs, outputs, batch sizes).
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime


def array(entry):
    return np.array(entry["data"], dtype=entry["dtype"]).reshape(entry["shape"])


def check(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    foreign = {node.domain for node in model.graph.node} - {"", "ai.onnx"}
    if foreign:
        return f"uses operators outside of the standard: {foreign}"
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for case in json.loads(path.with_suffix(".json").read_text()):
        inputs = {name: array(entry) for name, entry in case["inputs"].items()}
        names = list(case["outputs"])
        for name, found in zip(names, session.run(names, inputs)):
            expected = array(case["outputs"][name])
            if found.shape != expected.shape:
                return f"{name} has shape {found.shape}, expected {expected.shape}"
            worst = max(worst, float(np.abs(found - expected).max(initial=0)))
    return None if worst <= 1e-5 else f"differs by {worst}"


def main(folder):
    passed = failed = 0
    for path in sorted(Path(folder).glob("*.onnx")):
        problem = check(path)
        passed, failed = passed + (problem is None), failed + (problem is not None)
        print(f"{path.stem:32} {problem or 'ok'}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
