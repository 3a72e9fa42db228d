"""Mail through SMTP: one message, one recipient, plain text."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from urllib.parse import unquote, urlsplit

import aiosmtplib

from archive.errors import MailNotConfigured

_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}


@dataclass(frozen=True, slots=True)
class Mailer:
    """Sends mail, or says that none is configured."""

    smtp_url: str | None
    sender: str | None

    @property
    def configured(self) -> bool:
        """Say whether mail can be sent at all."""
        return self.smtp_url is not None

    async def send(self, to: str, subject: str, text: str) -> None:
        """Send one mail; a server that refuses it raises, and the job that asked tries again later."""
        if self.smtp_url is None or self.sender is None:
            raise MailNotConfigured
        url = urlsplit(self.smtp_url)
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, to, subject
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = make_msgid(domain=parseaddr(self.sender)[1].rpartition("@")[2] or None)
        message.set_content(text)
        await aiosmtplib.send(
            message,
            hostname=url.hostname,
            port=url.port or _PORTS[url.scheme],
            username=unquote(url.username) if url.username else None,
            password=unquote(url.password) if url.password else None,
            use_tls=url.scheme == "smtps",
            # Plain smtp:// never upgrades by itself: what the URL says is what happens.
            start_tls=url.scheme == "smtp+starttls",
            timeout=20,
        )
