"""`vidence moderate`: hold videos against a policy, review what was found, and write covered copies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidence.cli.applying import Given, application_options, apply, files_argument, show_findings, show_limits
from vidence.cli.console import note, say
from vidence.errors import UsageError

if TYPE_CHECKING:
    from vidence.apps.moderate import Difference, Moderation, Policy
    from vidence.video import Video


@click.command("moderate", short_help="Find what a policy objects to, with evidence.")
@files_argument
@click.option(
    "--policy",
    "policy_name",
    default="family",
    show_default=True,
    metavar="NAME",
    help="family, workplace, or a YAML file of your own.",
)
@click.option(
    "--compare",
    metavar="NAME",
    help="Say as well what this other policy judges otherwise; nothing is perceived again for it.",
)
@click.option(
    "--export",
    "copy",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="MP4",
    help="Write a copy with violations blurred and bleeped (one FILE).",
)
@click.option(
    "--only", multiple=True, metavar="ID", help="With --export: the clip around this violation; repeat it."
)
@click.option(
    "--accept", multiple=True, metavar="ID", help="Keep the decision that this violation is one; repeat it."
)
@click.option("--reject", multiple=True, metavar="ID", help="Keep the decision that this is none; repeat it.")
@click.option(
    "--amend",
    multiple=True,
    metavar="ID:FIELD=VALUE,...",
    help="Change severity, action, start, end or title of a violation; repeat it.",
)
@click.option(
    "--undo", multiple=True, metavar="ID", help="Take the decision on this violation back; repeat it."
)
@click.option("--note", "remark", default="", metavar="TEXT", help="Why it was decided so.")
@click.option("--reviewer", default="", metavar="NAME", help="Who decided.")
@application_options
def command(
    files: tuple[str, ...],
    policy_name: str,
    compare: str | None,
    copy: Path | None,
    only: tuple[str, ...],
    accept: tuple[str, ...],
    reject: tuple[str, ...],
    amend: tuple[str, ...],
    undo: tuple[str, ...],
    remark: str,
    reviewer: str,
    **shared: Any,
) -> None:
    """Find what a policy objects to in each FILE: when, why, how sure, and what to do.

    What the video needs is indexed first and kept. Decisions of reviewers are kept
    beside the memory and hold for later runs. In the report violations are
    blurred until somebody asks to see them.

    \b
    vidence moderate film.mp4 --html film.html
    vidence moderate film.mp4 --reject firearm-1 --note "a toy" --reviewer Ada
    vidence moderate film.mp4 --policy mine.yaml --compare family
    vidence moderate film.mp4 --export film-covered.mp4
    """
    decisions = [
        *(("accepted", name, "") for name in accept),
        *(("rejected", name, "") for name in reject),
        *(("amended", *_split(text)) for text in amend),
    ]
    if len(files) > 1 and (copy or decisions or undo):
        raise UsageError("--export and decisions are for one FILE at a time")
    if only and copy is None:
        raise UsageError("--only chooses what --export covers; give --export as well")
    from vidence.apps.moderate import difference, moderate, open_policy
    from vidence.apps.report import render

    given = Given(**shared)
    checker = given.decider()
    policy = open_policy(policy_name)
    other = open_policy(compare) if compare else None
    differences: dict[str, Difference] = {}

    def work(video: Video, budget: Any, shown: Any) -> Moderation:
        found = moderate(video, policy, budget=budget, checker=checker, progress=shown)
        if decisions or undo:
            _decide(video, found, decisions, undo, remark, reviewer)
            found = moderate(video, policy, budget=budget, checker=checker, perceive=False)
        if other is not None:
            before = moderate(video, other, budget=budget, checker=checker, perceive=False)
            differences[video.media.hash] = difference(before, found)
        if copy is not None:
            _copy(video, found, copy, only)
        return found

    def show(found: Moderation) -> None:
        _show(found, policy)
        if found.coverage.medium in differences:
            _show_difference(differences[found.coverage.medium])

    def page(video: Video, found: Moderation) -> str:
        from vidence.apps.moderate.report import page_of

        return render(page_of(video.media, found, differences.get(video.media.hash)))

    def extra(found: Moderation) -> dict[str, Any]:
        changed = differences.get(found.coverage.medium)
        return {"difference": changed.to_json()} if changed else {}

    apply(files, given, work, show, page, extra)


def _split(text: str) -> tuple[str, str]:
    name, sign, changes = text.partition(":")
    if not sign:
        raise UsageError(f"--amend {text!r}: write ID:FIELD=VALUE, for example firearm-1:severity=low")
    return name.strip(), changes


def _decide(
    video: Video,
    found: Moderation,
    decisions: list[tuple[str, str, str]],
    undo: tuple[str, ...],
    remark: str,
    reviewer: str,
) -> None:
    """Keep decisions on violations named by id."""
    from vidence.apps.kept import Kept
    from vidence.apps.moderate.reviews import Review, forget_review, found_span, keep_review, read_changes

    known = {one.id: one for one in found.findings}
    for name in [*(name for _, name, _ in decisions), *undo]:
        if name not in known:
            raise UsageError(f"there is no violation {name!r}; there are {', '.join(known) or 'none'}")
    kept = Kept.beside(video.memory.path)
    for decision, name, text in decisions:
        one, changes = known[name], read_changes(text) if text else {}
        medium, span = video.media.hash, found_span(one)
        keep_review(kept, Review(medium, one.kind, span, decision, changes, remark, reviewer))  # type: ignore[arg-type]
        note(f"{name}: {decision}")
    for name in undo:
        forget_review(kept, video.media.hash, known[name])
        note(f"{name}: the decision is taken back")


def _copy(video: Video, found: Moderation, place: Path, only: tuple[str, ...]) -> None:
    from vidence.apps.moderate.export import export

    covered = export(video.media, found, place, only=only)
    note(f"wrote {place}: {covered} violation{'s' * (covered != 1)} covered")


def _show(found: Moderation, policy: Policy) -> None:
    rated = "" if found.age is None else f", rated {found.age}+"
    if found.possible_age != found.age:
        rated += f" (perhaps {found.possible_age}+)"
    count = len(found.violations)
    say(f"{policy.title}: {count} violation{'' if count == 1 else 's'}{rated}", bold=True)
    for one in found.findings:
        show_findings([one], "")
        review = one.data.get("review")
        decided = f"; {review['decision']}" if review else ""
        say(f"{one.id}: {one.data['label']['path']}; suggested: {one.data['action']}{decided}", indent=4)
    if not found.findings:
        note("nothing was found that the policy objects to")
    show_limits(found)


def _show_difference(changed: Difference) -> None:
    say(f"Against the other policy: {len(changed.added)} new, {len(changed.removed)} gone, "
        f"{len(changed.changed)} changed, {changed.same} the same", bold=True)  # fmt: skip
    for word, many in (("new", changed.added), ("gone", changed.removed)):
        for one in many:
            say(f"{word}  {one.span}  {one.severity}  {one.title}", hang=4)
    for change in changed.changed:
        fields = "; ".join(f"{name}: {old} → {new}" for name, (old, new) in change.fields.items())
        say(f"changed  {change.after.span}  {change.after.title}  {fields}", hang=4)
