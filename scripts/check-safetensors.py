#!/usr/bin/env python3
"""Reads a checkpoint the way Python users do and checks it: names, shapes, checksum, metadata.

Usage: check-safetensors.py FILE

Uses the safetensors package where it is installed (pip install safetensors numpy), and the
format's definition alone otherwise. Prints a line per tensor; exit 1 on the first fault.
"""
import hashlib
import json
import struct
import sys


def read_by_definition(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        assert entry["dtype"] == "F32", f"{name}: {entry['dtype']}"
        values = struct.unpack(f"<{(end - begin) // 4}f", data[begin:end])
        tensors[name] = (tuple(entry["shape"]), values)
    assert (8 + length) % 64 == 0, f"the data start at byte {8 + length}"
    return metadata, tensors, hashlib.sha256(data).hexdigest()


def main(path):
    metadata, tensors, digest = read_by_definition(path)
    for name, (shape, values) in tensors.items():
        print(f"{name}: {shape}, first values {values[:3]}")
    parsed = {key: json.loads(value) for key, value in metadata.items()}
    if "sha256" in parsed:
        assert parsed["sha256"] == digest, f"sha256 is {digest}, not {parsed['sha256']}"
        assert parsed["state"]["step"] >= 0 and "model" in parsed["configuration"]
    try:
        from safetensors.numpy import load_file
    except ImportError:
        print("read by the format's definition; the safetensors package is not installed")
        return
    loaded = load_file(path)
    assert loaded.keys() == tensors.keys(), "safetensors reads other names"
    for name, (shape, values) in tensors.items():
        assert loaded[name].shape == shape, f"safetensors reads {name} as {loaded[name].shape}"
        assert (loaded[name].ravel() == list(values)).all(), f"safetensors reads other {name}"
    print("the safetensors package reads the same")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
