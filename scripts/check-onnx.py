#!/usr/bin/env python3
"""Runs exported ONNX models in onnxruntime and compares them with lkdist's own forward pass.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install onnx onnxruntime
    /tmp/venv/bin/python scripts/check-onnx.py .build/release/lkdist [CHECKPOINT...] [--fixture]

Without CHECKPOINTs, networks with drawn weights. `lkdist export --sample` gives an image with lkdist's
logits and attention; those of onnxruntime must be within 1e-4. A model must also run on an image of
another size. --fixture then writes Tests/TrainingTests/Fixtures/tiny.onnx: the model `tiny` that was
just verified, its weights replaced by their SHA-256.
"""
import hashlib
import os
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

import drawn_network

FIXTURE = os.path.join(os.path.dirname(__file__), "..", "Tests", "TrainingTests", "Fixtures", "tiny.onnx")


def check(program, checkpoint, folder):
    """Exports a checkpoint, compares, and returns the model's path."""
    name = os.path.basename(checkpoint).split(".")[0]
    model, sample = (os.path.join(folder, name + end) for end in (".onnx", ".sample"))
    drawn_network.lkdist(
        program, "export", checkpoint, "--onnx", model, "--attention", "--sample", sample, "--overwrite")
    onnx.checker.check_model(model, full_check=True)
    expected = drawn_network.read(sample)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    assert sorted(names) == sorted(set(expected) - {"image"}), f"{names}, not {list(expected)}"
    image = expected["image"]
    for output, found in zip(names, session.run(names, {"image": image})):
        assert found.shape == expected[output].shape, f"{output}: {found.shape}"
        difference = np.abs(found - expected[output]).max()
        print(f"{name} {output} {found.shape}: |x| <= {np.abs(found).max():.3f}, difference {difference:.1e}")
        assert np.isfinite(found).all() and difference <= 1e-4
    larger = np.concatenate([image, image[:, :, ::-1]], 2)
    assert session.run(["logits"], {"image": larger})[0].shape[2:] == larger.shape[2:]
    return model


def write_fixture(path):
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        tensor.raw_data = hashlib.sha256(tensor.raw_data).digest()
    os.makedirs(os.path.dirname(FIXTURE), exist_ok=True)
    with open(FIXTURE, "wb") as file:
        file.write(model.SerializeToString())
    print(f"wrote {FIXTURE}, {os.path.getsize(FIXTURE)} bytes")


def main():
    program, *given = [word for word in sys.argv[1:] if word != "--fixture"]
    with tempfile.TemporaryDirectory() as folder:
        models = [check(program, path, folder) for path in drawn_network.checkpoints(folder, given)]
        if "--fixture" in sys.argv:
            write_fixture(models[0])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main()
