"""Training: steps, checkpoints, judgement. Killed at any moment, it goes on from its last checkpoint."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ml.training.batches import Batch, Shards
from ml.training.config import Training
from ml.training.model import FRAMES, Reader, Size

CHECKPOINT = "checkpoint.pt"
JOURNAL = "journal.jsonl"
_WARM, _COOLING, _CLIP = 200, 0.3, 5.0
_SIDE_SHARE, _SMOOTHING = 0.2, 0.05


@dataclass(slots=True)
class State:
    """What a checkpoint holds."""

    model: Reader
    optimizer: torch.optim.Optimizer
    kinds: list[str]
    step: int = 0
    seconds: float = 0.0


def begin(training: Training, kinds: list[str], folder: Path, base: Path | None = None) -> State:
    """Begin, or go on where the folder's checkpoint is. ``base`` is a checkpoint to fine-tune."""
    torch.manual_seed(training.seed)
    torch.set_num_threads(training.threads)
    torch.set_flush_denormal(True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = Reader(len(kinds), Size(training.channels, training.line)).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), training.rate, weight_decay=training.weight_decay)
    state = State(model, optimizer, kinds)
    own = folder / CHECKPOINT
    if own.exists():
        stored = torch.load(own, map_location=device, weights_only=True)
        model.load_state_dict(stored["model"])
        optimizer.load_state_dict(stored["optimizer"])
        state.step, state.seconds = stored["step"], stored["seconds"]
    elif base is not None:
        model.load_state_dict(torch.load(base, map_location=device, weights_only=True)["model"])
    return state


def run(
    training: Training,
    shards: Shards,
    state: State,
    folder: Path,
    *,
    judge: Callable[[Reader], dict[str, Any]] | None = None,
    tick: Callable[[], None] = lambda: None,
) -> None:
    """Train until the steps or the minutes are spent."""
    folder.mkdir(parents=True, exist_ok=True)
    batches = iter(shards)
    seen = folder / "seen.json"
    if seen.exists():
        shards.seen.update(json.loads(seen.read_text()))
    moving, started, before = 0.0, time.monotonic(), state.seconds
    while (progress := _progress(training, state)) < 1:
        for group in state.optimizer.param_groups:
            group["lr"] = training.rate * _pace(progress, state.step)
        loss = step(state.model, state.optimizer, next(batches), training.precision)
        moving = loss if not moving else 0.98 * moving + 0.02 * loss
        state.step += 1
        tick()
        state.seconds = before + time.monotonic() - started
        ends = _progress(training, state) >= 1
        if state.step % training.save_every == 0 or ends:
            save(state, folder)
            seen.write_text(json.dumps(shards.seen))
            _note(folder, {"step": state.step, "seconds": round(state.seconds), "loss": round(moving, 4)})
        if judge is not None and (state.step % training.judge_every == 0 or ends):
            _note(folder, {"step": state.step, **judge(state.model)})


def step(model: Reader, optimizer: torch.optim.Optimizer, batch: Batch, precision: str) -> float:
    """Take one step and give its loss."""
    model.train()
    device = next(model.parameters()).device
    two = (batch.rows == 1).to(device)
    with _precision(device.type, precision):
        characters, rows, kinds = model(batch.pictures.to(device), torch.stack([~two, two, two], dim=1))
    loss = losses(characters.float(), rows.float(), kinds.float(), batch)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), _CLIP)
    optimizer.step()
    return float(loss.detach())


def losses(characters: Tensor, rows: Tensor, kinds: Tensor, batch: Batch) -> Tensor:
    """Give the loss: of the text along the lines it stands on, of the rows, and of the kind."""
    device = characters.device
    two = batch.rows.to(device) == 1
    first = torch.cat([characters[:, 0], torch.zeros_like(characters[:, 0])], dim=1)
    both = torch.cat([characters[:, 1], characters[:, 2]], dim=1)
    sequence = torch.where(two[:, None, None], both, first)
    lengths = torch.where(two, 2 * FRAMES, FRAMES)
    text = nn.functional.ctc_loss(
        sequence.log_softmax(2).transpose(0, 1),
        batch.targets.to(device),
        lengths.cpu(),
        batch.lengths,
        reduction="none",
        zero_infinity=True,
    )
    side = nn.functional.cross_entropy(rows, batch.rows.to(device)) + nn.functional.cross_entropy(
        kinds, batch.kinds.to(device), label_smoothing=_SMOOTHING
    )
    # A character costs about the same, however long the text.
    total: Tensor = (text / batch.lengths.to(device).clamp(min=4)).mean() + _SIDE_SHARE * side
    return total


def save(state: State, folder: Path) -> None:
    """Write the checkpoint; the one before it is there until the new one is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / (CHECKPOINT + ".partial")
    document = {
        "model": state.model.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "step": state.step,
        "seconds": state.seconds,
        "kinds": state.kinds,
    }
    torch.save(document, partial)
    partial.replace(folder / CHECKPOINT)


def _progress(training: Training, state: State) -> float:
    spent = state.seconds / 60 / training.minutes if training.minutes else 0.0
    return max(state.step / training.steps, spent)


def _pace(progress: float, step: int) -> float:
    """Warm up, keep on, and cool down at the end: a run may then be lengthened without having cooled too soon."""
    return min(1.0, (step + 1) / _WARM, max((1 - progress) / _COOLING, 0.02))


def _precision(device: str, precision: str) -> contextlib.AbstractContextManager[object]:
    if precision == "bfloat16":
        return torch.autocast(device, torch.bfloat16)
    return contextlib.nullcontext()


def _note(folder: Path, entry: dict[str, Any]) -> None:
    with (folder / JOURNAL).open("a") as journal:
        journal.write(json.dumps(entry) + "\n")
