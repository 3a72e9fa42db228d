"""How well a network reads shards that it was not trained on, by the best character of each frame alone."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ml.numbers.alphabet import BLANK, CHARACTERS
from ml.training.batches import Batch, Shards
from ml.training.model import Reader


def judged(model: Reader, shards: Shards, files: list[Path]) -> dict[str, float]:
    """Give shares of what is right: whole numbers, rows, kinds."""
    model.eval()
    right = rows = kinds = count = 0
    with torch.no_grad():
        for file in files:
            for batch in shards.of(file, None):
                device = next(model.parameters()).device
                characters, row_logits, kind_logits = (out.cpu() for out in model(batch.pictures.to(device)))
                found = read(characters, batch.rows)
                right += sum(a == b for a, b in zip(found, _texts(batch), strict=True))
                rows += int((row_logits.argmax(1) == batch.rows).sum())
                kinds += int((kind_logits.argmax(1) == batch.kinds).sum())
                count += len(found)
    return {"exact": round(right / count, 4), "rows": round(rows / count, 4), "kinds": round(kinds / count, 4)}


def read(characters: Tensor, rows: Tensor) -> list[str]:
    """Read greedily: repeated characters count once, blanks not at all."""
    texts = []
    for lines, row in zip(characters.argmax(3), rows, strict=True):
        frames = lines[0].tolist() if int(row) == 0 else [*lines[1].tolist(), BLANK, *lines[2].tolist()]
        kept = [now for before, now in zip([BLANK, *frames], frames, strict=False) if now not in {before, BLANK}]
        texts.append("".join(CHARACTERS[place - 1] for place in kept))
    return texts


def _texts(batch: Batch) -> list[str]:
    return [
        "".join(CHARACTERS[int(place) - 1] for place in target[:length])
        for target, length in zip(batch.targets, batch.lengths, strict=True)
    ]
