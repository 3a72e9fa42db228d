"""From frames to a number: candidates of both readers and of the grammars, each weighed exactly, and what follows for
every character.

The grammar acts inside: it proposes the best text of each of its shapes, and it weighs all candidates by how
likely each is to be a number at all. Nothing is replaced afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ml.numbers import ctc
from ml.numbers.ctc import Floats
from ml.numbers.prior import Judgement, Prior

_ALIKE = (
    "0ODQ",
    "1I7LTJ",
    "8B36",
    "5S6",
    "2Z7",
    "MNHW",
    "VYU",
    "CG6",
    "EFB",
    "PRF",
    "A4",
    "KXH",
    "49",
    "39",
    "UJ",
    "DB",
    "GQ",
)
TWINS = {c: sorted({other for group in _ALIKE if c in group for other in group} - {c}) for c in set("".join(_ALIKE))}
_PATHS, _VARIED = 10, 5
# However sure a reader is, it may be wrong altogether: no text is further below its best one than this. It is more
# than any two texts differ by in the prior, or a short text that nobody saw would win for being short.
_DOUBT = 60.0
# How much the prior counts beside what is seen: the readers' certainty about a missing character is not to be trusted.
_PRIOR = 0.6
_SPARE = 2


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one reader saw, and how much it counts."""

    frames: Floats
    weight: float


@dataclass(frozen=True, slots=True)
class Character:
    """One character of a number, how likely it is, and what else it may be."""

    character: str
    confidence: float
    others: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Decoded:
    """The best text, how likely it is, its characters, other texts, and the countries it may be of."""

    text: str
    probability: float
    characters: tuple[Character, ...]
    alternatives: tuple[tuple[str, float], ...]
    countries: dict[str, float]
    agreed: bool  # each reader, asked alone, would have said the same

    @property
    def weakest(self) -> float:
        """Give the confidence of the weakest character, by which a number is accepted or not."""
        return min((character.confidence for character in self.characters), default=0.0)


_Candidate = tuple[str, str]  # what is written, and what was read: a stray character makes the difference


def decode(evidence: Sequence[Evidence], prior: Prior, seen: Mapping[str, float], temperature: float = 1.0) -> Decoded:
    """Decode what readers saw of one number. ``seen`` says which countries the number looks like."""
    believed = prior.believed(seen)
    candidates = _proposed(evidence, prior, believed)
    table = _weighed(candidates, evidence, prior, believed)
    best = np.argsort(-table.total())[:_VARIED]
    known = set(candidates)
    more = [c for c in _varied([candidates[place] for place in best]) if c not in known]
    if more:
        table = table.joined(_weighed(more, evidence, prior, believed))
    return _concluded(table, temperature)


def _proposed(evidence: Sequence[Evidence], prior: Prior, believed: Mapping[str, float]) -> list[_Candidate]:
    found: dict[_Candidate, None] = {}
    for one in evidence:
        read = ctc.greedy(one.frames)
        found[read, read] = None
        lengths = range(max(len(read) - _SPARE, 1), len(read) + _SPARE)
        for path in prior.lattice.best(one.frames, _PATHS, lengths):
            found[path.text, path.text] = None
        if sum(prior.judged(read, believed).countries.values()) > 0.5:
            continue  # what is a number as it stands has nothing strange in it
        for path in prior.stray_lattice.best(one.frames, _PATHS, range(len(read), len(read) + 1)):
            at = prior.strays[path.shape][1]
            found[path.text[:at] + path.text[at + 1 :], path.text] = None
    return list(found)


def _varied(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Change one character of each for every one it is mistaken for."""
    found: dict[_Candidate, None] = {}
    for text, read in candidates:
        if text != read:
            continue
        for place, character in enumerate(text):
            for other in TWINS.get(character, ()):
                changed = text[:place] + other + text[place + 1 :]
                found[changed, changed] = None
    return list(found)


@dataclass(frozen=True, slots=True)
class _Table:
    """Candidates, what is known of each before looking, and what each reader says of it."""

    candidates: list[_Candidate]
    judgements: list[Judgement]
    seen: Floats  # (readers, candidates)

    def joined(self, other: _Table) -> _Table:
        return _Table(
            self.candidates + other.candidates,
            self.judgements + other.judgements,
            np.concatenate([self.seen, other.seen], axis=1),
        )

    def prior(self) -> Floats:
        return np.float32(_PRIOR) * np.array([judgement.log for judgement in self.judgements], np.float32)

    def total(self) -> Floats:
        whole: Floats = self.prior() + self.seen.sum(axis=0)
        return whole


def _weighed(
    candidates: list[_Candidate], evidence: Sequence[Evidence], prior: Prior, believed: Mapping[str, float]
) -> _Table:
    judgements = [prior.judged(text, believed, stray=text != read) for text, read in candidates]
    seen = []
    for one in evidence:
        logs = ctc.scores(one.frames, [*(read for _, read in candidates), ctc.greedy(one.frames)])
        seen.append(np.float32(one.weight) * np.logaddexp(logs[:-1], logs[-1] - np.float32(_DOUBT)))
    return _Table(candidates, judgements, np.stack(seen).astype(np.float32))


def _concluded(table: _Table, temperature: float) -> Decoded:
    """Make probabilities of what the candidates weigh, and sum them by text, by character and by country."""
    weighed = table.total() / temperature
    shares = np.exp(weighed - weighed.max())
    shares /= shares.sum()
    texts: dict[str, float] = {}
    countries: dict[str, dict[str, float]] = {}
    for (text, _), share, judgement in zip(table.candidates, shares.tolist(), table.judgements, strict=True):
        texts[text] = texts.get(text, 0.0) + share
        countries[text] = judgement.countries
    ranked = sorted(texts.items(), key=lambda item: -item[1])
    best, probability = ranked[0]
    alone = [int((table.prior() + seen).argmax()) for seen in table.seen]
    return Decoded(
        best,
        probability,
        tuple(_character(place, best, ranked) for place in range(len(best))),
        tuple((text, share) for text, share in ranked[1:6] if share > 1e-4),
        dict(sorted(countries[best].items(), key=lambda item: -item[1])),
        all(table.candidates[place][0] == best for place in alone),
    )


def _character(place: int, best: str, ranked: Sequence[tuple[str, float]]) -> Character:
    """Sum by what stands at a place. A text of another length doubts every place as much as its own share."""
    shares: dict[str, float] = {}
    for text, share in ranked:
        if len(text) == len(best):
            shares[text[place]] = shares.get(text[place], 0.0) + share
    others = sorted(((c, s) for c, s in shares.items() if c != best[place]), key=lambda item: -item[1])
    return Character(best[place], min(shares[best[place]], 1.0), tuple(others[:3]))
