"""The page of a moderation: violations veiled, with rule, label, what the check found and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vidence.apps.finding import SEVERITIES
from vidence.apps.moderate.difference import Difference
from vidence.apps.moderate.moderation import Moderation, rejected
from vidence.apps.moderate.taxonomy import taxonomy
from vidence.apps.report import AppPage, gather
from vidence.apps.report.sections import Figure, Section, Table
from vidence.exports.report.lanes import Lane, Mark, stack, thin

if TYPE_CHECKING:
    from vidence.media import Media

MOST_ROWS = 60


def page_of(media: Media, found: Moderation, changed: Difference | None = None) -> AppPage:
    """Collect the page."""
    violations = [one for one in found.findings if not rejected(one)]
    return gather(
        media,
        found,
        "Moderation",
        figures=_figures(found),
        sections=[*_changes(changed), _rules(found), *_let_go(found)],
        summary=_summary(found),
        noun="violations",
        lanes=_lanes(media, found),
        cards=[*violations, *(one for one in found.findings if rejected(one))],
        tags={one.id: _tags(one.data) for one in found.findings},
        veil=True,
    )


def _figures(found: Moderation) -> list[Figure]:
    violations = found.violations
    grave = sum(one.severity == "high" for one in violations)
    age, possible = found.age, found.possible_age
    figures = [
        Figure("Violations", str(len(violations)), "bad" if violations else "good"),
        Figure("High severity", str(grave), "bad" if grave else "good"),
        Figure("Certain", f"{sum(one.certain for one in violations)} of {len(violations)}"),
        Figure("Policy", f"{found.policy.title} {found.policy.version}"),
    ]
    if age is not None:
        told = f"{age}+" if age == possible else f"{age}+ (perhaps {possible}+)"
        figures.insert(0, Figure("Age rating", told, "doubt" if age else "good"))
    return figures


def _summary(found: Moderation) -> str:
    violations = found.violations
    if not violations:
        return f"Nothing was found that the policy “{found.policy.title}” objects to, in what could be perceived."
    kinds: dict[str, int] = {}
    for one in sorted(violations, key=lambda one: -SEVERITIES.index(one.severity)):
        kinds[one.title] = kinds.get(one.title, 0) + 1
    told = ", ".join(f"{title.lower()} ({count})" for title, count in kinds.items())
    return f"Under “{found.policy.title}”: {told}."


def _tags(data: Mapping[str, Any]) -> list[str]:
    label = data["label"]
    tags = [" › ".join(label["titles"]), f"suggested: {data['action']}"]
    if data["age"]:
        tags.append(f"from {data['age']}")
    review = data.get("review")
    if review:
        tags.append(review["decision"] + (f": {review['note']}" if review["note"] else ""))
    return tags


def _lanes(media: Media, found: Moderation) -> list[Lane]:
    """Make one lane for each of the general labels, and one of what was said, read and seen of it."""
    lanes: dict[str, list[Mark]] = {}
    gravest: dict[str, int] = {}
    for one in found.violations:
        top = one.data["label"]["path"].split("/")[0]
        lanes.setdefault(top, []).append(Mark(one.span, f"{one.title}: {one.why}", confidence=one.confidence))
        gravest[top] = max(gravest.get(top, 0), SEVERITIES.index(one.severity))
    whole = media.info.span
    return [
        Lane(
            f"level-{SEVERITIES[gravest[name]]}",
            taxonomy()[name].title,
            tuple(stack(thin(marks, whole))),
            len(marks),
        )
        for name, marks in lanes.items()
    ]


def _rules(found: Moderation) -> Section:
    rows = [
        (
            rule.id,
            " › ".join(taxonomy()[rule.label].to_json()["titles"]),
            rule.severity,
            f"{rule.age}+" if rule.age else "",
            sum(one.kind == rule.id for one in found.violations),
            found.unheld.get(rule.id, ""),
        )
        for rule in found.policy.rules
    ]
    rows.sort(key=lambda row: -int(row[4]))
    head = ("Rule", "Label", "Severity", "Age", "Violations", "Not held")
    return Table(f"Rules of {found.policy.title}", head, rows, note=found.policy.description)


def _let_go(found: Moderation) -> list[Section]:
    if not found.let_go:
        return []
    rows = [(one.span, one.rule, one.why, one.strength) for one in found.let_go[:MOST_ROWS]]
    note = "Words of a rule that stand in a negated clause, a quotation or a counter-example, and so did not count."
    return [Table("Looked at and let go", ("When", "Rule", "Why", "Strength"), rows, note=note)]


def _rated(age: int | None) -> str:
    return "none" if age is None else f"{age}+"


def _changes(changed: Difference | None) -> list[Section]:
    if changed is None:
        return []
    rows = [(one.span, "new", one.title, one.severity) for one in changed.added]
    rows += [(one.span, "gone", one.title, one.severity) for one in changed.removed]
    rows += [
        (
            one.after.span,
            "changed",
            one.after.title,
            "; ".join(f"{k}: {a} → {b}" for k, (a, b) in one.fields.items()),
        )
        for one in changed.changed
    ]
    before, after = changed.ages
    rated = "" if before == after else f" Age rating: {_rated(before)} before, {_rated(after)} now."
    note = f"{changed.same} are the same under both.{rated}"
    return [
        Table("What the other policy judged otherwise", ("When", "Is", "Violation", "How"), rows, note=note)
    ]
