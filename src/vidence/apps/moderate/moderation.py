"""Moderate a video by a policy: violating spans with their evidence, checked, rated, and with what to do about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from vidence.apps import result as results
from vidence.apps.checking import Checker
from vidence.apps.finding import Finding
from vidence.apps.moderate.matching import Match, matches, paired
from vidence.apps.moderate.policy import Action, Policy, Rule
from vidence.apps.moderate.reviews import reviewed, reviews_of
from vidence.apps.moderate.taxonomy import taxonomy
from vidence.mcr.budget import Budget, Meter, Receipt
from vidence.memory import Coverage
from vidence.senses.observation import Observation
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.mcr.policy import Policy as Decider
    from vidence.memory import Progress
    from vidence.video import Video

MOST_LET_GO = 100
HEAR_S = 12  # seconds of an utterance that are heard again: more than the check opens would miss the word
SENSES = ("speech", "text", "captions", "objects", "faces", "looks", "sound")


@dataclass(frozen=True, slots=True)
class LetGo:
    """A match that was not strong enough for its rule, and why: what a reviewer may want to see."""

    rule: str
    span: Span
    strength: float
    why: str

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {
            "rule": self.rule,
            **self.span.to_json(),
            "strength": round(self.strength, 4),
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Moderation:
    """What moderation found. Rejected findings stay among `findings`, as "info" of no confidence.

    `unheld` are rules that nothing could trigger here, by id, with the reason.
    """

    policy: Policy
    findings: tuple[Finding, ...]
    coverage: Coverage
    receipt: Receipt
    limits: tuple[str, ...] = ()
    let_go: tuple[LetGo, ...] = ()
    dropped: int = 0  # findings that the check contradicted
    unheld: dict[str, str] = field(default_factory=dict)

    @property
    def violations(self) -> list[Finding]:
        """Those that no reviewer rejected."""
        return [one for one in self.findings if not rejected(one)]

    @property
    def age(self) -> int | None:
        """The lowest rating that allows for what is certain; None where the policy rates nothing."""
        return self._rated([one for one in self.violations if one.certain])

    @property
    def possible_age(self) -> int | None:
        """The rating if what is only possible is true as well."""
        return self._rated(self.violations)

    def _rated(self, findings: Sequence[Finding]) -> int | None:
        return self.policy.rating(max((int(one.data["age"]) for one in findings), default=0))

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values; the schema is `schemas/moderate.json`."""
        return results.to_json(
            "moderate", self,
            policy=self.policy.to_json(),
            rating={"age": self.age, "if_possible_ones_hold": self.possible_age},
            rules=[
                {"id": rule.id, "label": rule.label, "severity": rule.severity,
                 "violations": sum(one.kind == rule.id for one in self.violations),
                 "not_held": self.unheld.get(rule.id)}
                for rule in self.policy.rules
            ],
            let_go=[one.to_json() for one in self.let_go], dropped=self.dropped,
        )  # fmt: skip


def rejected(finding: Finding) -> bool:
    """Say whether a reviewer rejected it."""
    return (finding.data.get("review") or {}).get("decision") == "rejected"


def moderate(
    video: Video,
    policy: Policy,
    *,
    budget: Budget | None = None,
    checker: Decider | None = None,
    progress: Progress | None = None,
    perceive: bool = True,
) -> Moderation:
    """Hold a video against a policy. Indexes first where that was not done, with the senses that the policy needs.

    `checker` opens the evidence again (default: the sense that perceived it). With `perceive` off nothing is indexed:
    what memory holds is all that is judged.
    """
    meter = Meter(budget or Budget())
    needed = set(policy.senses)
    if perceive:
        video.index_within(meter, progress, senses=needed)
    check = Checker(video, meter, "moderate", checker)
    observations = check.situation.recalled
    candidates, let_go = list[Finding](), list[LetGo]()
    for rule in policy.rules:
        found = matches(rule, observations)
        strong = [match for match in found if match.strength >= rule.least]
        let_go += [
            LetGo(rule.id, m.span, m.strength, m.why) for m in found if m.strength < rule.least and m.against
        ]
        candidates += [violation(rule, group, check) for group in together(strong, rule.gap_s)]
    checked, dropped = check.check_all(candidates)
    masking = {rule.id for rule in policy.rules if rule.mask}
    told = [unquoted(one) if one.kind in masking else one for one in checked]
    findings = reviewed(told, reviews_of(check.kept, video.media.hash))
    coverage = check.situation.coverage
    there = needed_senses(video, policy)
    unheld = not_held(policy, observations, there)
    let_go.sort(key=lambda one: (-one.strength, one.span.start))
    return Moderation(
        policy, tuple(findings), coverage, meter.receipt(),
        limits=(*results.unseen(coverage, there), *_weak(policy, observations, unheld)),
        let_go=tuple(let_go[:MOST_LET_GO]), dropped=dropped, unheld=unheld,
    )  # fmt: skip


def needed_senses(video: Video, policy: Policy) -> list[str]:
    """Return the senses that the policy needs and that are at hand here."""
    at_hand = {sense.name for sense in video.senses}
    return [sense for sense in policy.senses if sense in at_hand]


def together(found: Sequence[Match], gap_s: float) -> list[list[Match]]:
    """Gather matches that overlap or lie at most `gap_s` apart."""
    groups: list[list[Match]] = []
    end: Fraction | None = None
    for match in sorted(found, key=lambda m: (m.span.start, m.span.end)):
        if end is not None and match.span.start <= end + Fraction(gap_s):
            groups[-1].append(match)
            end = max(end, match.span.end)
        else:
            groups.append([match])
            end = match.span.end
    return groups


def violation(rule: Rule, group: Sequence[Match], check: Checker) -> Finding:
    """Make one finding of matches that belong together."""
    span = Span(group[0].span.start, max(match.span.end for match in group))
    strongest: dict[str, float] = {}
    for match in group:
        sense = match.observation.sense
        strongest[sense] = max(strongest.get(sense, 0.0), match.strength)
    doubt = 1.0
    for strength in strongest.values():
        doubt *= 1 - min(strength, 0.98)
    reasons = dict.fromkeys(match.why for match in sorted(group, key=lambda m: -m.strength))
    label = taxonomy()[rule.label]
    data = {
        "rule": rule.id, "label": label.to_json(), "definition": rule.definition, "age": rule.age,
        "action": rule.action or suggested(group), "modalities": sorted({m.observation.modality for m in group}),
        "matches": [
            {**m.span.to_json(), "modality": m.observation.modality, "sense": m.observation.sense,
             "quote": m.quote, "strength": round(m.strength, 4), "why": m.why}
            for m in group
        ],
        "review": None,
    }  # fmt: skip
    return Finding(
        "", rule.id, rule.title or label.title, span, rule.severity, 1 - doubt,
        evidence=tuple(
            {e.id: e for m in group for e in [check.cite(narrowed(m), span=m.span, quote=m.quote)]}.values()
        ),
        why="; ".join(list(reasons)[:4]) + (f"; and {len(reasons) - 4} more" if len(reasons) > 4 else ""),
        paths=tuple(m.path for m in group if m.path), data=data,
    )  # fmt: skip


def narrowed(match: Match) -> Observation:
    """Return the observation with no more in it than the match, so that the check asks for just that."""
    seen, words = match.observation, match.why.partition("“")[2].partition("”")[0]
    if seen.sense in ("text", "speech") and words and not match.rule.mask and words in seen.text:
        span = seen.span
        if span.duration > HEAR_S and seen.sense == "speech":
            span = match.span.padded(Fraction(HEAR_S, 2) - match.span.duration / 2).clipped(span)
        return replace(seen, text=words, span=span)
    if seen.sense == "looks" and match.rule.classes:
        fitting = [pair for pair in seen.data.get("classes", ()) if _is_class(str(pair[0]), match.rule)]
        if fitting:
            return replace(seen, vector=None, data={**seen.data, "classes": fitting})
    return seen


def unquoted(finding: Finding) -> Finding:
    """Take out of a verdict what was perceived again: a masked rule must not pass it on."""
    verdict = finding.verdict
    if verdict is None:
        return finding
    how = verdict.checked_by.partition(" and perceived ")[0]
    again = " and read it there" if verdict.kind == "supported" else ""
    return replace(finding, verdict=replace(verdict, checked_by=how + again))


def _is_class(name: str, rule: Rule) -> bool:
    from vidence.senses.looks.classes import classes

    return name in rule.classes or any(
        one.name == name and set(one.kinds) & set(rule.classes) for one in classes()
    )


def suggested(group: Sequence[Match]) -> Action:
    """Suggest what to do by what the evidence is made of."""
    modalities = {match.observation.modality for match in group}
    if modalities == {"speech"}:
        return "bleep"
    if modalities == {"audio"}:
        return "mute"
    return "blur" if modalities <= {"visual", "text"} else "review"


def not_held(policy: Policy, observations: Sequence[Observation], at_hand: Sequence[str]) -> dict[str, str]:
    """Return the rules that nothing at hand could trigger, with the reason."""
    pictures = bool(paired(observations))
    told = {}
    for rule in policy.rules:
        senses = [sense for sense in at_hand if rule.uses(sense)]
        only_phrases = senses == ["looks"] and not rule.classes
        if not senses or (only_phrases and not pictures):
            told[rule.id] = "no sense at hand can trigger it" if not senses else "it needs an image-text pair"
    return told


def _weak(policy: Policy, observations: Sequence[Observation], unheld: dict[str, str]) -> list[str]:
    """Say where the senses at hand are too weak for what the policy asks."""
    told = [f"The rule {name} was not held against the video: {why}." for name, why in unheld.items()]
    phrased = [rule.id for rule in policy.rules if rule.phrases]
    if phrased and not paired(observations):
        told.append(
            f"What only a picture's meaning shows (phrases of {', '.join(phrased)}) was not looked for: the embedded "
            "weights know kinds of things, not scenes. The standard tier adds an image-text pair and captions."
        )
    if any(rule.label.startswith(("sexual", "violence", "hate")) for rule in policy.rules):
        told.append(
            "Nudity, blood, fights and symbols are not recognised in pictures by the embedded weights: what is said "
            "and written of them is, and things of known kinds. Let a person or a stronger model look at what matters."
        )
    return told
