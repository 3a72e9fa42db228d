"""From a checkpoint to a model that runs without PyTorch, and the record of how it came to be."""

from __future__ import annotations

import hashlib
import io
import json
import warnings
from pathlib import Path
from typing import Any

import torch

from ml.numbers.alphabet import CHARACTERS
from ml.training.config import Training
from ml.training.generate.sample import VERSION
from ml.training.loop import CHECKPOINT
from ml.training.model import HEIGHT, WIDTH, Reader, Size

LICENCE = "AGPL-3.0-or-later; trained only on pictures that the project's generator drew"


def export(training: Training, folder: Path, to: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """Write ``model.onnx`` and ``record.json``; the record comes last, so that a half-written model is never taken."""
    stored = torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True)
    model = Reader(len(stored["kinds"]), Size(training.channels, training.line))
    model.load_state_dict(stored["model"])
    data = onnx_bytes(model)
    record = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "version": f"{stored['step']}-{hashlib.sha256(data).hexdigest()[:8]}",
        "characters": CHARACTERS,
        "kinds": stored["kinds"],
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "licence": LICENCE,
        "data": {"generator": VERSION, **facts.pop("data", {})},
        "training": {**training.document(), "steps_done": stored["step"], "seconds": round(stored["seconds"])},
        **facts,
    }
    to.mkdir(parents=True, exist_ok=True)
    _replace(to / "model.onnx", data)
    _replace(to / "record.json", (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())
    return record


def onnx_bytes(model: Reader) -> bytes:
    """Give a network as ONNX, for batches of any size."""
    model.eval()
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter that is to replace this one needs three more packages, for a network of a dozen plain layers.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            model,
            (torch.zeros(1, 1, HEIGHT, WIDTH),),
            stream,  # type: ignore[arg-type]  # it takes whatever can be written to
            input_names=["crops"],
            output_names=["characters", "rows", "kinds"],
            dynamic_axes={name: {0: "batch"} for name in ("crops", "characters", "rows", "kinds")},
            dynamo=False,
            opset_version=17,
        )
    return stream.getvalue()


def _replace(file: Path, data: bytes) -> None:
    partial = file.with_suffix(".partial")
    partial.write_bytes(data)
    partial.replace(file)
