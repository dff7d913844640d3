"""ONNX Runtime's CPU outputs, kept in build/reference/ so that a rerun takes seconds."""
import hashlib
import os

import numpy as np
import onnxruntime

from catalogue import ROOT

CACHE = ROOT / "build/reference"


def reference_outputs(model, inputs):
    """Output name -> array, from ONNX Runtime in FP32 without graph optimisation."""
    path = CACHE / f"{model.name}-{key(model, inputs)}.npz"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        aside = CACHE / f"{os.getpid()}.npz"
        np.savez(aside, **run(model, inputs))
        aside.replace(path)
    with np.load(path) as arrays:
        return dict(arrays)


def key(model, inputs):
    """Changes with the model, the inputs and the reference's version."""
    digest = hashlib.sha256(onnxruntime.__version__.encode())
    digest.update(model.source.read_bytes())
    for name, array in sorted(inputs.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def run(model, inputs):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(model.path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs)))
