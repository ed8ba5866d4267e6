"""Read a policy from YAML; what is wrong is told by file, rule and field, all at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any, cast

from vidence.apps.fields import Fields, read_yaml
from vidence.apps.finding import SEVERITIES
from vidence.apps.moderate.patterns import PATTERNS
from vidence.apps.moderate.policy import ACTIONS, GAP_S, LEAST, WEIGHTS, Heard, Policy, Rule
from vidence.apps.moderate.taxonomy import LEVELS, read_data, taxonomy

SENSES = ("speech", "text", "captions", "objects", "faces", "looks", "sound")
HEARD = ("silence", "quiet", "sound", "loud", "sudden sound")
POLICY_FIELDS = ("policy", "title", "version", "description", "ages", "rules", "lists")
RULE_FIELDS = (
    "id", "label", "title", "definition", "severity", "age", "action", "senses", "words", "patterns", "things",
    "classes", "sounds", "phrases", "examples", "counter_examples", "context", "least", "gap_s", "mask",
)  # fmt: skip
_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")


def read_policy(text: str, file: str) -> Policy:
    """Read a policy; `file` names it in errors.

    Raises:
        UsageError: it is no YAML, or a field is wrong.
    """
    given = read_yaml(text, file, f"a policy is a mapping with the fields {', '.join(POLICY_FIELDS)}")
    reader = Fields(file)
    policy = _policy(reader, given)
    reader.finish()
    return policy


def _policy(reader: Fields, given: Mapping[str, Any]) -> Policy:
    reader.known(given, POLICY_FIELDS)
    name = reader.text(given, "policy", None)
    if name and not _NAME.match(name):
        reader.say("policy", f"{name!r} is no name: small letters, digits, - and _")
    ages = given.get("ages", [])
    if (
        not isinstance(ages, list)
        or any(not isinstance(a, int) or isinstance(a, bool) for a in ages)
        or ages != sorted(ages)
    ):
        reader.say("ages", f"{ages!r} is no list of whole numbers that rise")
        ages = []
    lists = _lists(reader, given.get("lists", {}))
    rules, entries = list[Rule](), given.get("rules")
    if not isinstance(entries, list) or not entries:
        reader.say("rules", "there are none; a policy is a list of at least one rule")
        entries = []
    for number, entry in enumerate(entries, 1):
        reader.where = f"rule {number}"
        if not isinstance(entry, dict):
            reader.say("rule", f"{entry!r} is no mapping of fields")
            continue
        rules.append(_rule(reader, entry, number, lists))
    reader.where = ""
    for twice in sorted({rule.id for rule in rules if [r.id for r in rules].count(rule.id) > 1} - {""}):
        reader.say("rules", f"two rules have the id {twice!r}")
    if ages:
        for rule in rules:
            if rule.age > ages[-1]:
                reader.say(
                    f"rule {rule.id!r}: age", f"{rule.age} is above the highest of the ages, {ages[-1]}"
                )
    title, version = reader.text(given, "title", name), reader.text(given, "version", "1")
    description = reader.text(given, "description")
    return Policy(name, title, tuple(rules), version, description, tuple(ages), reader.file)


def _rule(reader: Fields, given: Mapping[str, Any], number: int, lists: Mapping[str, Any]) -> Rule:
    identifier = reader.text(given, "id", None)
    if identifier and not _NAME.match(identifier):
        reader.say("id", f"{identifier!r} is no name: small letters, digits, - and _")
    reader.where = f"rule {identifier!r}" if identifier else f"rule {number}"
    reader.known(given, RULE_FIELDS)
    context = given.get("context", {})
    if not isinstance(context, dict):
        reader.say("context", f"{context!r} is no mapping of negation and quotation")
        context = {}
    for name in context:
        if name not in ("negation", "quotation"):
            reader.say("context", f"{name!r} is neither negation nor quotation")
    action = given.get("action")
    rule = Rule(
        id=identifier,
        label=_label(reader, given),
        severity=cast(Any, reader.among(given, "severity", SEVERITIES, None)),
        title=reader.text(given, "title"),
        definition=reader.text(given, "definition"),
        age=int(reader.number(given, "age", 0, 0, 99)),
        action=None if action is None else cast(Any, reader.among(given, "action", ACTIONS, None)),
        senses=reader.texts(given, "senses", SENSES),
        words=_words(reader, given.get("words", []), lists),
        patterns=_patterns(reader, given.get("patterns", [])),
        things=reader.texts(given, "things", _things()),
        classes=reader.texts(given, "classes", _classes()),
        sounds=_sounds(reader, given.get("sounds", [])),
        phrases=reader.texts(given, "phrases"),
        examples=reader.texts(given, "examples"),
        counter_examples=reader.texts(given, "counter_examples"),
        negation=cast(Any, reader.among(context, "negation", WEIGHTS, "lower")),
        quotation=cast(Any, reader.among(context, "quotation", WEIGHTS, "lower")),
        least=reader.number(given, "least", LEAST, 0, 1),
        gap_s=reader.number(given, "gap_s", GAP_S, 0, 3600),
        mask=given.get("mask") is True,
    )
    if given.get("mask", False) not in (True, False):
        reader.say("mask", f"{given['mask']!r} is neither true nor false")
    if not rule.able:
        wanted = "words, patterns, things, classes, sounds, phrases or examples"
        reader.say("rule", f"nothing can trigger it; give it {wanted}")
    elif not any(rule.uses(sense) for sense in rule.able):
        reader.say("senses", f"none of them can trigger it; what it names is for {', '.join(rule.able)}")
    return rule


def _label(reader: Fields, given: Mapping[str, Any]) -> str:
    label = reader.text(given, "label", None)
    if label and label not in taxonomy():
        near = difflib.get_close_matches(label, taxonomy(), 3)
        listed = ", ".join(near or [path for path, one in taxonomy().items() if one.level == 1])
        reader.say(
            "label", f"{label!r} is no place in the taxonomy; {'near to it' if near else 'it has'}: {listed}"
        )
    elif label and taxonomy()[label].level > LEVELS:
        reader.say("label", f"{label!r} is deeper than {LEVELS} levels")
    return label


def _lists(reader: Fields, given: Any) -> dict[str, Any]:
    lists = dict(read_data("words.yaml"))
    if not isinstance(given, dict):
        reader.say("lists", f"{given!r} is no mapping of names to words")
        return lists
    return lists | given


def _words(
    reader: Fields, given: Any, lists: Mapping[str, Any], depth: int = 0
) -> dict[str, tuple[str, ...]]:
    """Read words by language; entries that begin with @ stand for a list."""
    found: dict[str, dict[str, None]] = {}
    by_language = given if isinstance(given, dict) else {"en": given}
    for language, entries in by_language.items():
        if not isinstance(entries, list) or any(not isinstance(e, str) or not e.strip() for e in entries):
            reader.say("words", f"{entries!r} is no list of texts; a word such as no or 1 needs quotes")
            continue
        for entry in entries:
            if not entry.startswith("@"):
                found.setdefault(str(language), {})[entry.strip()] = None
            elif entry[1:] not in lists or depth > 3:
                near = difflib.get_close_matches(entry[1:], lists, 3)
                listed = ", ".join("@" + name for name in (near or sorted(lists)))
                reader.say("words", f"{entry!r} is no word list; there is {listed}")
            else:
                for tongue, words in _words(reader, lists[entry[1:]], lists, depth + 1).items():
                    found.setdefault(tongue, {}).update(dict.fromkeys(words))
    return {language: tuple(words) for language, words in found.items()}


def _patterns(reader: Fields, given: Any) -> dict[str, str]:
    """Read names of patterns that ship, or {name: regular expression}."""
    entries = given if isinstance(given, dict) else dict.fromkeys(given) if isinstance(given, list) else None
    if entries is None:
        reader.say("patterns", f"{given!r} is neither a list of names nor a mapping to regular expressions")
        return {}
    found: dict[str, str] = {}
    for name, own in entries.items():
        if own is None and name not in PATTERNS:
            reader.say("patterns", f"{name!r} is none of these: {', '.join(PATTERNS)}")
            continue
        try:
            found[str(name)] = re.compile(PATTERNS[name].expression if own is None else str(own)).pattern
        except re.error as error:
            reader.say("patterns", f"{name!r} is no regular expression: {error}")
    return found


def _sounds(reader: Fields, given: Any) -> tuple[Heard, ...]:
    if not isinstance(given, list):
        reader.say("sounds", f"{given!r} is no list")
        return ()
    found = []
    for entry in given:
        one = {"heard": entry} if isinstance(entry, str) else entry
        if not isinstance(one, dict):
            reader.say("sounds", f"{entry!r} is neither a name nor a mapping")
            continue
        reader.known(one, ("heard", "least_db", "least_rise_db"))
        name = reader.among(one, "heard", HEARD, None)
        least, rise = (
            reader.number(one, "least_db", -100, -100, 0),
            reader.number(one, "least_rise_db", 0, 0, 100),
        )
        found.append(Heard(name, least, rise))
    return tuple(found)


def _things() -> list[str]:
    from vidence.senses.objects.coco import LABELS

    return [*LABELS, "face"]


def _classes() -> set[str]:
    from vidence.senses.looks.classes import classes, kinds

    return {one.name for one in classes()} | set(kinds().names)
