"""Personal data and secrets that have a form: found by expression, checked by their check digits if any."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pattern:
    """An expression, and what a match must fulfil besides."""

    expression: str
    holds: Callable[[str], bool] = lambda text: True


def luhn(text: str) -> bool:
    """Say whether the digits of a card number check (ISO/IEC 7812)."""
    digits = [int(c) for c in text if c.isdigit()]
    doubled = [d if at % 2 else sum(divmod(2 * d, 10)) for at, d in enumerate(reversed(digits), 1)]
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and sum(doubled) % 10 == 0


def mod97(text: str) -> bool:
    """Say whether an account number checks (ISO 13616)."""
    plain = re.sub(r"\s", "", text).upper()
    number = "".join(str(int(c, 36)) for c in plain[4:] + plain[:4])
    return 15 <= len(plain) <= 34 and int(number) % 97 == 1


def telephone(text: str) -> bool:
    """Say whether it has as many digits as a telephone number, and is no date, time or plain number."""
    digits = sum(c.isdigit() for c in text)
    dated = re.fullmatch(r"\(?\d{1,4}\)?[-./ ]\d{1,2}[-./ ]\d{1,4}( \d{1,2})?", text.strip())
    return (
        8 <= digits <= 15 and not dated and (text.strip().startswith(("+", "0", "(")) or text.count("-") == 2)
    )


PATTERNS = {
    "email": Pattern(r"(?i)\b[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}\b"),
    "phone": Pattern(r"(?<![\w.])\+?\(?\d[\d ()./-]{6,20}\d(?!\w)", telephone),
    "card": Pattern(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)", luhn),
    "iban": Pattern(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b", mod97),
    "password": Pattern(
        r"(?i)\b(?:password|passwd|passwort|passphrase|pwd|mot de passe|contraseña)\b\s*(?:is|ist|est|es)?\s*[:=]?\s*"
        r"(?=\S*[\d!@#$%^&*_+-])\S{4,64}"
    ),
    "secret-key": Pattern(
        r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_-]{16,}|xox[abprs]-[A-Za-z0-9-]{10,}"
        r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|(?i:api[_ -]?key|secret|token)\s*[:=]\s*[A-Za-z0-9_\-/+]{12,})"
    ),
    "private-key": Pattern(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"),
}  # fmt: skip


def masked(text: str) -> str:
    """Hide all but the ends of what must not be passed on by the report itself."""
    word = text.strip()
    if len(word) <= 4:
        return "•" * len(word)
    return word[0] + "•" * min(len(word) - 2, 12) + word[-1]
