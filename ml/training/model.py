"""The recogniser's network: convolutions, three lines that each look where they like, CTC along them.

A number of one row is read along the first line; a number of two rows along the second and then the third, as one
sequence. Which of the two it is, the network says itself (``rows``), as it says what it looks at (``kind``).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ml.numbers.alphabet import CHARACTERS

WIDTH, HEIGHT = 128, 48
FRAMES = 32


@dataclass(frozen=True, slots=True)
class Size:
    """How large a network is. Small ones are for tests."""

    channels: tuple[int, int, int] = (24, 48, 96)
    line: int = 160


class Reader(nn.Module):
    """Reads a grey crop of 128 x 48: logits along the lines, of the rows, and of the kind."""

    def __init__(self, kinds: int, size: Size | None = None) -> None:
        super().__init__()
        size = size or Size()
        first, second, third = size.channels
        self.body = nn.Sequential(
            _block(1, first, (2, 2)),
            _block(first, second, (2, 2)),
            _Residual(second),
            _block(second, third, (2, 1)),
            _Residual(third),
        )
        self.look = nn.Conv2d(third, 3, 3, padding=1)
        self.along = nn.Sequential(_along(third, size.line, 5), _along(size.line, size.line, 3))
        self.characters = nn.Conv1d(size.line, len(CHARACTERS) + 1, 1)
        self.whole = nn.Sequential(nn.Linear(third * 2, size.line), nn.ReLU(inplace=True))
        self.rows = nn.Linear(size.line, 2)
        self.kind = nn.Linear(size.line, kinds)

    def forward(self, pictures: Tensor, wanted: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Give logits: of characters (batch, line, frame, character), of rows, of kinds.

        ``wanted`` (batch, line) says which lines are asked for, which saves training half its work along them; the
        others are zero.
        """
        features = self.body(_evened(pictures))
        shares = torch.softmax(self.look(features).float(), dim=2).to(features.dtype)
        lines = torch.einsum("bchw,blhw->blcw", features, shares)
        batch, count, channels, frames = lines.shape
        if wanted is None:
            read = self.characters(self.along(lines.reshape(batch * count, channels, frames)))
            characters = read.reshape(batch, count, len(CHARACTERS) + 1, frames)
        else:
            read = self.characters(self.along(lines[wanted]))
            characters = read.new_zeros(batch, count, len(CHARACTERS) + 1, frames)
            characters[wanted] = read
        summary = self.whole(torch.cat([features.mean((2, 3)), features.amax((2, 3))], dim=1))
        return characters.transpose(2, 3), self.rows(summary), self.kind(summary)


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inside = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Add what the convolution finds."""
        added: Tensor = features + self.inside(features)
        return added


def _block(channels: int, to: int, stride: tuple[int, int]) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, to, 3, stride, 1, bias=False), nn.BatchNorm2d(to), nn.ReLU(inplace=True))


def _along(channels: int, to: int, reach: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(channels, to, reach, padding=reach // 2, bias=False), nn.BatchNorm1d(to), nn.ReLU(inplace=True)
    )


def _evened(pictures: Tensor) -> Tensor:
    """Take light and contrast out: whatever a crop's exposure, its mean is 0 and its deviation 1."""
    mean = pictures.mean((2, 3), keepdim=True)
    return (pictures - mean) / (pictures.var((2, 3), keepdim=True, correction=0) + 16.0).sqrt()
