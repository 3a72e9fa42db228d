"""What workers run: thin handlers that call the services. Every handler may run twice."""

from archive.jobs import assets, backups, duplicates, ingest, integrity, mail, space, timeline, upkeep, uploads
from archive.queue import kinds
from archive.work import Job, with_handlers

JOBS = with_handlers(
    kinds.ALL,
    [
        Job(kinds.SELFCHECK, upkeep.selfcheck),
        Job(kinds.PRUNE, upkeep.prune),
        Job(kinds.PASSWORD_RESET, mail.password_reset),
        Job(kinds.VERIFY, integrity.verify),
        Job(kinds.SCRUB, integrity.scrub),
        Job(kinds.MIRROR, integrity.mirror),
        Job(kinds.DELETE, integrity.delete),
        Job(kinds.SWEEP, integrity.sweep),
        Job(kinds.FINISH, uploads.finish),
        Job(kinds.PURGE, assets.purge),
        Job(kinds.EMPTY_TRASH, assets.empty_trash),
        Job(kinds.BACKUP, backups.make),
        Job(kinds.DESCRIBE, ingest.describe),
        Job(kinds.RENDER, ingest.render),
        Job(kinds.LOOK, ingest.look),
        Job(kinds.PLAY, ingest.play),
        Job(kinds.MISSING, ingest.missing),
        Job(kinds.RESOLVE, duplicates.resolve),
        Job(kinds.FOLD, timeline.fold),
        Job(kinds.RECOMPRESS, space.recompress),
        Job(kinds.PROVE, space.prove),
        Job(kinds.RETIRE, space.retire),
        Job(kinds.PREVIEW, space.preview),
    ],
)
