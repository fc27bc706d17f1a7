#!/usr/bin/env python3
"""Reads a run's event files with TensorBoard's own reader and compares them with metrics.jsonl.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install tensorboard
    /tmp/venv/bin/python scripts/check-tensorboard.py RUN...
    /tmp/venv/bin/python scripts/check-tensorboard.py --fixture

--fixture writes Tests/TrainingTests/Fixtures/events.tfevents with TensorBoard's own messages and record
writer: the bytes that lkdist must write for the same records.
"""
import glob
import json
import os
import struct
import sys

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

FIXTURE = os.path.join(os.path.dirname(__file__), "..", "Tests", "TrainingTests", "Fixtures", "events.tfevents")


def single(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def expected_scalars(run):
    """From metrics.jsonl: tag, a class's key for its name, to [(step, value)]."""
    found = {}
    for line in map(json.loads, open(os.path.join(run, "metrics.jsonl"))):
        step = line.pop("step")
        for key, value in line.items():
            if key == "epoch":
                continue
            for tag, v in ((f"{key}/{k}", v) for k, v in value.items()) if isinstance(value, dict) else [(key, value)]:
                if v is not None:
                    found.setdefault(tag, []).append((step, single(v)))
    return found


def check(run):
    files = sorted(glob.glob(os.path.join(run, "events.out.tfevents.*")))
    assert files, f"no event file in {run}"
    events = event_accumulator.EventAccumulator(run, {"scalars": 0, "images": 0, "tensors": 0})
    events.Reload()
    tags = events.Tags()
    # A reader migrates scalars and pictures to tensors where it likes; both are looked at.
    scalars = {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in tags["scalars"]}
    expected = expected_scalars(run)
    names = {tag: tag for tag in expected if not tag.startswith(("dice/", "hd95/"))}
    assert names.keys() <= scalars.keys(), f"{sorted(scalars)}"
    for tag in names:
        assert scalars[tag] == expected[tag], f"{tag}: {scalars[tag][:9]}, not {expected[tag][:9]}"
    for measure in "dice", "hd95":
        ours = sorted(v for tag, v in expected.items() if tag.startswith(measure + "/"))
        theirs = sorted(v for tag, v in scalars.items() if tag.startswith(measure + "/"))
        assert ours == theirs, f"{measure}: {theirs}, not {ours}"
    images = {tag: [e.step for e in events.Images(tag)] for tag in tags["images"]}
    for tag in images:
        for image in events.Images(tag):
            assert image.encoded_image_string.startswith(b"\x89PNG"), tag
    print(f"{run}: {len(files)} files; " + ", ".join(f"{t} {len(v)}" for t, v in sorted(scalars.items())))
    print(f"  pictures {images}; texts {tags['tensors']}")
    text = events.Tensors("configuration")[-1].tensor_proto.string_val[0].decode()
    assert "patchSize" in text, text


def write_fixture():
    """What the test `the bytes are those that TensorBoard writes` logs."""
    time = 1234.5

    def event(step, **what):
        return event_pb2.Event(wall_time=time, step=step, **what)

    def scalars(step, pairs):
        values = [summary_pb2.Summary.Value(tag=tag, simple_value=value) for tag, value in pairs]
        return event(step, summary=summary_pb2.Summary(value=values))

    text = summary_pb2.Summary.Value(
        tag="configuration",
        metadata=summary_pb2.SummaryMetadata(
            plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name="text")),
        tensor=tensor_pb2.TensorProto(
            dtype=7, string_val=["```yaml\nname: tiny\n```".encode()],
            tensor_shape=tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=1)])))
    events = [
        event(0, file_version="brain.Event:2"),
        event(8, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START)),
        event(8, summary=summary_pb2.Summary(value=[text])),
        scalars(8, [
            ("loss", 0.75), ("learning_rate", 3e-4), ("gradient_norm", 1.5), ("seconds/forward", 0.25),
            ("seconds/backward", 0.5), ("seconds/allreduce_exposed", 0.0625), ("seconds/allreduce_hidden", 0.125),
            ("seconds/update", 0.03125), ("seconds/data", 0)]),
        scalars(8, [("dice/box", 0.875), ("dice/foreground", 0.875), ("hd95/foreground", 1.25)])]
    os.makedirs(os.path.dirname(FIXTURE), exist_ok=True)
    with open(FIXTURE, "wb") as file:
        writer = RecordWriter(file)
        for each in events:
            writer.write(each.SerializeToString())
        writer.flush()
    print(f"wrote {FIXTURE}, {os.path.getsize(FIXTURE)} bytes")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--fixture":
        write_fixture()
    else:
        for path in sys.argv[1:]:
            check(path)
