"""Mails that leave because of something that was committed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from archive import letters
from archive.accounts import service as accounts
from archive.errors import Invalid, MailNotConfigured, NotFound
from archive.links import service as links
from archive.queue.claims import Permanent

if TYPE_CHECKING:
    from archive.runtime import Runtime
    from archive.work import Work


async def password_reset(runtime: Runtime, work: Work) -> None:
    """Make a reset link and mail it. Run again, it makes another; only the newest works."""
    try:
        async with work.transaction() as session:
            account = await accounts.get(session, UUID(work.args["account_id"]))
            _, token = await accounts.reset_link(session, None, account.id)
        letter = letters.password_reset(account.locale, account.name, links.address(runtime.public_url, token))
        await runtime.mailer.send(account.email, letter.subject, letter.text)
    except (NotFound, Invalid, MailNotConfigured) as error:
        # Gone, disabled, or no longer configured: the same would be true the next time.
        raise Permanent(error.message) from error
