"""Writes the official tests of ONNX's operators (PyPI's `onnx`) as files: onnx_node_tests.py FOLDER. See scripts/check-import.js."""

import sys
from pathlib import Path

from onnx import TensorProto, numpy_helper
from onnx.backend.test.loader import load_node_model_tests

folder = Path(sys.argv[1])

def proto(value):
    return value if isinstance(value, TensorProto) else numpy_helper.from_array(value)


count = 0
for case in load_node_model_tests():
    if case.kind != "node" or not case.data_sets or case.model is None:
        continue
    inputs, outputs = case.data_sets[0]
    try:
        tensors = [("input", [proto(value) for value in inputs]), ("output", [proto(value) for value in outputs])]
    except Exception:
        continue  # sequences and optionals, which are no tensors
    path = folder / case.name
    path.mkdir(parents=True, exist_ok=True)
    (path / "model.onnx").write_bytes(case.model.SerializeToString())
    for kind, values in tensors:
        for i, value in enumerate(values):
            (path / f"{kind}_{i}.pb").write_bytes(value.SerializeToString())
    count += 1
print(f"{count} tests written to {folder}")
