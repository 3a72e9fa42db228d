"""Models as ONNX sessions: checked against the hash their record names, with a thread count."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ml.numbers.errors import ModelDamaged

WEIGHTS = Path(__file__).with_name("weights")
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Session:
    """A loaded model and what its record says of it."""

    session: Any
    record: dict[str, Any]

    def run(self, pictures: Floats) -> list[Floats]:
        """Run the model on a batch; it has one input."""
        name = self.session.get_inputs()[0].name
        outputs: list[Floats] = self.session.run(None, {name: pictures})
        return outputs


def recorded(folder: Path, threads: int) -> Session:
    """Load ``model.onnx`` of a folder, if it is what ``record.json`` beside it names."""
    try:
        record: dict[str, Any] = json.loads((folder / "record.json").read_text("utf-8"))
        data = (folder / "model.onnx").read_bytes()
    except FileNotFoundError as error:
        raise ModelDamaged(f"{folder} holds no model: {error.filename} is missing") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelDamaged(f"{folder / 'record.json'} cannot be read: {error}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != record.get("sha256"):
        raise ModelDamaged(f"{folder / 'model.onnx'} is not the model of its record: SHA-256 {found[:12]}… instead of "
                           f"{str(record.get('sha256'))[:12]}…")  # fmt: skip
    return Session(_session(data, threads), record)


def packaged(name: str, threads: int) -> Session:
    """Load one of the models that the package ``rapidocr`` carries, without importing the package."""
    spec = importlib.util.find_spec("rapidocr")
    folder = Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None
    file = folder / "models" / name if folder else None
    if file is None or not file.exists():
        raise ModelDamaged(f"{name} is missing: the package rapidocr that carries it is not the release we know")
    session = _session(file.read_bytes(), threads)
    return Session(session, dict(session.get_modelmeta().custom_metadata_map))


def _session(data: bytes, threads: int) -> Any:  # noqa: ANN401 -- onnxruntime has no types
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own kinds have no common ancestor
        raise ModelDamaged(f"a model cannot be loaded: {str(error).splitlines()[0]}") from error
