"""Wake-ups through RQ: ids only, as JSON, after the commit. Losing every one of them delays work and loses none."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import redis
import rq
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq.serializers import JSONSerializer

from archive import log

_HANDLER = "archive.worker.wake"
# A request waits this long for its wake-ups to leave; a slow Redis goes on behind it.
_PATIENCE = 0.2
_log = log.get("queue")


@dataclass(frozen=True, slots=True)
class Wake:
    """There is work on this queue. The id is for tracing: the worker takes the best ready job, whichever that is."""

    queue: str
    job_id: UUID | None = None


class Bell:
    """Rings through Redis for workers that sleep on a queue."""

    def __init__(self, url: str) -> None:
        # Once again for a connection that went stale, but no more: a request waits for this, the reconciler does not.
        again = Retry(NoBackoff(), 1)
        self.connection: redis.Redis = redis.Redis.from_url(
            url, socket_connect_timeout=1, socket_timeout=1, retry=again
        )
        self._ringing: set[asyncio.Task[None]] = set()

    async def deliver(self, messages: list[object]) -> None:
        """Ring for committed work. A Redis that is away is no failure: the reconciler rings again."""
        task = asyncio.create_task(self._ring([message for message in messages if isinstance(message, Wake)]))
        self._ringing.add(task)
        task.add_done_callback(self._ringing.discard)
        await asyncio.wait([task], timeout=_PATIENCE)

    async def drained(self) -> None:
        """Wait until every wake-up has left or was given up."""
        while self._ringing:
            await asyncio.wait(self._ringing)

    async def _ring(self, wakes: list[Wake]) -> None:
        try:
            await asyncio.to_thread(self.ring, wakes)
        except (redis.RedisError, OSError) as error:
            _log.warning("wake.not_delivered", count=len(wakes), error=str(error))

    def ring(self, wakes: Iterable[Wake]) -> None:
        """Put wake-ups on their queues, in one round trip a queue."""
        by_queue: dict[str, list[str]] = defaultdict(list)
        for wake in wakes:
            by_queue[wake.queue].append(str(wake.job_id or ""))
        for queue, ids in by_queue.items():
            self.queue(queue).enqueue_many(
                # No time limit of RQ's (leases are ours) and nothing kept of a wake-up that was heard.
                [rq.Queue.prepare_data(_HANDLER, (id_,), timeout=-1, result_ttl=0, failure_ttl=60) for id_ in ids]
            )

    def waiting(self, queue: str) -> int:
        """Count the wake-ups nobody has heard yet."""
        return len(self.queue(queue))

    def queue(self, name: str) -> rq.Queue:
        """Give RQ's queue of this name."""
        return rq.Queue(f"tagphoto-{name}", connection=self.connection, serializer=JSONSerializer)

    async def ping(self) -> None:
        """Fail unless Redis answers."""
        await asyncio.to_thread(self.connection.ping)

    def close(self) -> None:
        """Close the connections. What has not left by now is rung for by the reconciler."""
        for task in self._ringing:
            task.cancel()
        self.connection.close()
