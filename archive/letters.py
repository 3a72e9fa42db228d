# ruff: noqa: RUF001  # Russian is written in Cyrillic
"""The texts of our mails, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Letter:
    """A subject and a plain text."""

    subject: str
    text: str


_PASSWORD_RESET = {
    "en": Letter(
        "Your new Tagphoto password",
        "Hello {name},\n\nopen this link within two hours to choose a new password:\n\n{link}\n\n"
        "If you did not ask for it, ignore this mail: nothing changes.\n",
    ),
    "ru": Letter(
        "Новый пароль Tagphoto",
        "Здравствуйте, {name}!\n\nЧтобы выбрать новый пароль, откройте эту ссылку в течение двух часов:\n\n{link}\n\n"
        "Если вы этого не просили, просто удалите письмо: ничего не изменится.\n",
    ),
}


def password_reset(locale: str | None, name: str, link: str) -> Letter:
    """Write the mail with a reset link."""
    letter = _PASSWORD_RESET[locale if locale in _PASSWORD_RESET else "en"]
    return Letter(letter.subject, letter.text.format(name=name, link=link))
