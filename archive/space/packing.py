"""Make the exact form of an original: written to the store as it is encoded, then proven by another process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from archive.forms import proving
from archive.forms.given import Given
from archive.forms.turning import Made
from archive.ingest import originals
from archive.media.limits import DEFAULT, Limits
from archive.media.verdict import Verdict
from archive.vault import files
from archive.vault.contexts import Binding
from archive.vault.files import Durable, Secret, Written

if TYPE_CHECKING:
    from archive.forms.giving import Giver
    from archive.media.sandbox import Result

# What encoding may take: the largest JPEG of a camera, or some MiB a second of anything else.
_LEAST_SECONDS, _BYTES_A_SECOND = 120, 4 << 20
_MEMORY = 3 << 30


class Refused(Exception):
    """There is no such form of this original, in words; what was written for it is nobody's."""

    def __init__(self, reason: str, written: list[Written]) -> None:
        super().__init__(reason)
        self.keys = [one.key for one in written]


async def pack(giver: Giver, library_id: UUID, given: Given) -> Made:
    """Make the exact form of what is kept as received, and prove it. No table knows of it when this returns."""
    secret = replace(Secret(), sha256=given.sha256, sha1=given.plan.secret.sha1)
    binding, written = Binding.new(library_id, "exact"), list[Written]()

    async def store(_name: str, pieces: AsyncIterator[bytes]) -> None:
        written.extend(await files.write_all(giver.vault.store, secret, binding, pieces))

    limits = limits_for(given.size)
    async with originals.opened(giver, given) as source:
        result = await giver.sandbox.run("pack", {}, source, limits=limits, blobs=store)
    if (reason := _refusal(result)) is not None:
        raise Refused(reason, written)
    durable = Durable(binding, secret, written)
    fault = await proving.fault_of(giver, Given(proving.plan_of(durable), given.size, "exact"))
    if fault is not None:
        raise Refused(f"what was stored did not pass its proof: {fault}", written)
    codec = str((result.value or {}).get("codecs"))[:100]
    return Made("exact", durable, codec, given.size)


def _refusal(result: Result) -> str | None:
    if result.verdict is not Verdict.OK:
        return f"the encoder ended with {result.verdict}: {result.detail or 'no more is known'}"
    reason = (result.value or {}).get("refused")
    return None if reason is None else str(reason)[:500]


def limits_for(size: int) -> Limits:
    """Say what encoding a file of this size may take."""
    seconds = _LEAST_SECONDS + size // _BYTES_A_SECOND
    return replace(
        DEFAULT, memory=_MEMORY, cpu_seconds=seconds, wall_seconds=4 * seconds, output_bytes=size + (1 << 20)
    )
