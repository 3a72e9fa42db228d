"""What can go wrong, as the domain names it. ``api/problems.py`` alone turns these into HTTP.

TagphotoError
├── StartRefused            the service cannot start here; one clear line and a non-zero exit
├── NotFound                there is no such thing, or this caller may not see it
│   └── LinkNotFound
├── LinkExpired             a one-time link that was used, revoked or grew old
├── NotSignedIn             nobody is calling
│   ├── SignInFailed
│   ├── SecondFactorRequired
│   └── SecondFactorFailed
├── TooManyAttempts
├── Forbidden               somebody is calling, but not with this right
│   ├── SessionRequired     an API key cannot do this, a signed-in person can
│   └── CsrfFailed
│       └── OtherSite       another site made the browser send it
├── Invalid                 well-formed, but the value cannot be accepted
│   └── WeakPassword
├── Conflict                the state of things does not allow it
│   ├── AccountExists
│   ├── LastOwner
│   └── LibraryNotEmpty
└── MailNotConfigured
"""

from __future__ import annotations


class TagphotoError(Exception):
    """Base of every expected error; its message says what to do about it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        """Say the message, also where a subclass has set one of its own."""
        return self.message


class StartRefused(TagphotoError):
    """The service cannot start here."""


class NotFound(TagphotoError):
    """There is no such thing, or this caller may not see it: the two must look the same from outside."""

    def __init__(self, noun: str) -> None:
        super().__init__(f"There is no {noun} with this id that you may see.")


class LinkNotFound(NotFound):
    """No one-time link has this token."""

    def __init__(self) -> None:
        super().__init__("link")
        self.message = "This link is not known here. Check that it was copied whole, or ask for a new one."


class LinkExpired(TagphotoError):
    """The one-time link was used, revoked or grew old."""

    def __init__(self) -> None:
        super().__init__("This link was already used or has expired. Ask for a new one.")


class NotSignedIn(TagphotoError):
    """Nobody is calling."""

    def __init__(self, message: str = "Sign in, or send an API key as 'Authorization: Bearer tp_…'.") -> None:
        super().__init__(message)


class SignInFailed(NotSignedIn):
    """Wrong e-mail or wrong password: which of the two is not said."""

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is wrong.")


class SecondFactorRequired(NotSignedIn):
    """The password was right; the second factor is missing."""

    def __init__(self) -> None:
        super().__init__("Send the same request again with 'code': the six digits of your app, or a recovery code.")


class SecondFactorFailed(NotSignedIn):
    """The password was right; the code was not, or was used before."""

    def __init__(self) -> None:
        super().__init__("The code is wrong or was used before. Wait for the next one and try again.")


class TooManyAttempts(TagphotoError):
    """Rate limit; says when to come back."""

    def __init__(self, retry_after: int, *, first: bool = False) -> None:
        super().__init__(f"Too many attempts. Try again in {retry_after} seconds.")
        self.retry_after = retry_after
        # The first refusal is worth an entry in the audit log; the thousandth is not.
        self.first = first


class Forbidden(TagphotoError):
    """Somebody is calling, but not with this right."""


class SessionRequired(Forbidden):
    """An API key cannot do this: a stolen key must not be able to take the account over."""

    def __init__(self) -> None:
        super().__init__("This can only be done by a signed-in person, not with an API key.")


class CsrfFailed(Forbidden):
    """An unsafe request by cookie without proof that our own page sent it."""

    def __init__(self) -> None:
        super().__init__("Send the csrf_token of GET /api/v1/session in the header X-CSRF-Token.")


class OtherSite(CsrfFailed):
    """The browser says that another site made it send this."""

    def __init__(self, public_url: str) -> None:
        super().__init__()
        self.message = (
            f"This request came from another site than {public_url}. If that is not the address people use, set "
            "TAGPHOTO_PUBLIC_URL to the right one."
        )


class Invalid(TagphotoError):
    """Well-formed, but the value cannot be accepted."""


class WeakPassword(Invalid):
    """The password would not hold."""


class Conflict(TagphotoError):
    """The state of things does not allow it."""


class AccountExists(Conflict):
    """An invited address already has an account."""

    def __init__(self) -> None:
        super().__init__(
            "There is already an account with this e-mail address. Sign in to it, then open the link again."
        )


class LastOwner(Conflict):
    """A library always has an owner, and an installation an admin."""


class LibraryNotEmpty(Conflict):
    """Only an empty library can be deleted."""

    def __init__(self) -> None:
        super().__init__("This library still holds something. Empty it first, then delete it.")


class MailNotConfigured(TagphotoError):
    """No SMTP server is configured."""

    def __init__(self) -> None:
        super().__init__("This installation sends no mail. Ask its admin for a password reset link.")
