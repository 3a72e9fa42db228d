"""What workers run: thin handlers that call the services. Every handler may run twice."""

from archive.jobs import assets, integrity, mail, upkeep, uploads
from archive.queue import kinds
from archive.work import Job, with_handlers

JOBS = with_handlers(
    kinds.ALL,
    [
        Job(kinds.SELFCHECK, upkeep.selfcheck),
        Job(kinds.PRUNE, upkeep.prune),
        Job(kinds.PASSWORD_RESET, mail.password_reset),
        Job(kinds.VERIFY, integrity.verify),
        Job(kinds.FINISH, uploads.finish),
        Job(kinds.PURGE, assets.purge),
        Job(kinds.EMPTY_TRASH, assets.empty_trash),
    ],
)
