"""`vidence runs`: what was asked, how it was answered, step by step."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidence.cli.console import clean, emit, note, paint, say
from vidence.cli.options import json_option, memory_option, verbosity_options
from vidence.errors import MediaError, UsageError

if TYPE_CHECKING:
    from vidence.memory import Memory
    from vidence.memory.runs import Run, RunStep

number = click.argument("number", metavar="[RUN]", required=False, type=click.IntRange(min=1))


@click.group("runs", short_help="Show how questions were answered.", invoke_without_command=True)
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, metavar="N", help="List so many."
)
@memory_option
@json_option
@verbosity_options
@click.pass_context
def command(ctx: click.Context, limit: int, memory: Path | None, as_json: bool) -> None:
    """List, show, replay and export what was asked: every step of every question is kept in the memory file.

    \b
    vidence runs
    vidence runs show 12
    vidence runs show 12 --html run.html
    """
    if ctx.invoked_subcommand is not None:
        return
    from vidence.memory import Memory

    with Memory.open(memory) as store:
        found = store.runs.list(limit=limit)
    if as_json:
        emit({"runs": [run.to_json() for run in found]})
        return
    for run in found:
        click.echo(f"{run.id:>5}  {_when(run)}  {_outcome(run):<22}  {clean(Path(run.path).name)}")
        say(run.question, indent=7)
    if not found:
        note("nothing was asked yet; `vidence ask FILE QUESTION` begins")


@command.command("show", short_help="Show the steps of one run.")
@number
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="Write a page with pictures.",
)
@memory_option
@json_option
@verbosity_options
def show(number: int | None, page: Path | None, memory: Path | None, as_json: bool) -> None:
    """Show a run (the newest, where none is named): each step, the belief it led to, what checking found, the cost."""
    from vidence.memory import Memory

    with Memory.open(memory) as store:
        run = _named(store, number)
    if page is not None:
        from vidence.cli.files import save
        from vidence.exports.run import render_run

        save(page, render_run(run))
    if as_json:
        emit(run.to_json())
    elif page is None:
        _show(run)


@command.command("replay", short_help="Do a run's actions again.")
@number
@memory_option
@json_option
@verbosity_options
def replay(number: int | None, memory: Path | None, as_json: bool) -> None:
    """Do a run's actions again (the newest's, where none is named); exit code 1 where one brings something else now."""
    from vidence.mcr.replay import replay as done_again
    from vidence.media import open_media
    from vidence.memory import Memory
    from vidence.senses import default_senses

    with Memory.open(memory) as store:
        run = _named(store, number)
        with open_media(run.path) as media:
            if media.hash != run.medium:
                raise MediaError(f"{run.path}: is not the video that was asked about; put that one back")
            found = done_again(run, media, store, default_senses())
    if as_json:
        rows = [
            {"step": one.step, "action": one.action, "before": one.before, "now": one.now} for one in found
        ]
        emit({"run": run.id, "same": all(one.same for one in found), "actions": rows})
    for one in () if as_json else found:
        click.echo(f"{one.step:>3} {'same' if one.same else 'DIFFERS':<8}{clean(one.action)}")
        if not one.same:
            say(f"before: {one.before}", indent=4, hang=2)
            say(f"now: {one.now}", indent=4, hang=2)
    click.get_current_context().exit(0 if all(one.same for one in found) else 1)


@command.command("export", short_help="Write runs as training data.")
@click.argument("numbers", metavar="[RUN...]", nargs=-1, type=click.IntRange(min=1))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="JSONL",
    help="Where to.",
)
@click.option("--supported", is_flag=True, help="Only runs whose every claim held when it was checked.")
@click.option("--reasoning", is_flag=True, help="Write the policy's reasons before its calls.")
@memory_option
@verbosity_options
def export(
    numbers: tuple[int, ...], output: Path, supported: bool, reasoning: bool, memory: Path | None
) -> None:
    """Write runs (all, where none is named) as conversations that `vidence train` reads."""
    from vidence.cli.files import save
    from vidence.exports.trajectories import supported as held
    from vidence.exports.trajectories import to_trajectories
    from vidence.memory import Memory

    with Memory.open(memory) as store:
        named = numbers or [run.id for run in reversed(store.runs.list(limit=1_000_000))]
        runs = [store.runs.get(one) for one in named]
    save(output, to_trajectories([run for run in runs if held(run) or not supported], reasoning=reasoning))


@command.command("forget", short_help="Remove runs.")
@click.argument("numbers", metavar="RUN...", nargs=-1, required=True, type=click.IntRange(min=1))
@memory_option
@verbosity_options
def forget(numbers: tuple[int, ...], memory: Path | None) -> None:
    """Remove runs from the memory file."""
    from vidence.memory import Memory

    with Memory.open(memory) as store:
        for one in numbers:
            store.runs.forget(one)


def _named(store: Memory, number: int | None) -> Run:
    """Return the run of a number, else the newest.

    Raises:
        UsageError: there is none.
    """
    newest = store.runs.list(limit=1)
    if number is None and not newest:
        raise UsageError("nothing was asked yet; `vidence ask FILE QUESTION` begins")
    return store.runs.get(newest[0].id if number is None else number)


def _show(run: Run) -> None:
    click.echo(paint(f"run {run.id}  {_when(run)}  policy {run.policy}", bold=True))
    say(run.path, indent=2, hang=2)
    say(run.question, indent=2, hang=2)
    for at, choice in enumerate(run.choices):
        say(f"{chr(ord('A') + at)}. {choice}", indent=4, hang=3)
    for step in run.steps[1:]:
        click.echo(
            paint(f"\n{step.index:>3} {step.kind}", bold=step.kind == "action", dim=step.kind != "action")
        )
        say(step.content, indent=4, hang=2)
        for line in _beliefs(step):
            say(line, indent=4, hang=2)
    click.echo()
    answer = run.answer
    if answer is None:
        say("The run was cut off before it had an answer.")
        return
    say(f"{_outcome(run)}: {answer['text'] or '-'} (confidence {answer['confidence']:.0%})", bold=True)
    for claim in answer["claims"]:
        say(f"{claim['verdict']}: {claim['text']}", indent=2, hang=2)
        say(claim["checked_by"], indent=4, hang=2)
    receipt = answer["receipt"]
    say(
        f"cost: {receipt['wall_s']:.1f} s, {receipt['frames']} frames, {receipt['model_calls']} model calls, "
        f"{receipt['tokens']} tokens, {receipt['steps']} steps",
        dim=True,
    )


def _beliefs(step: RunStep) -> list[str]:
    """Write the likeliest hypotheses of a step's belief."""
    if step.kind != "belief":
        return []
    found: list[dict[str, Any]] = sorted(step.data.get("hypotheses", ()), key=lambda one: -one["probability"])
    return [f"{one['probability']:.2f}  {one['text']}" for one in found[:4]]


def _when(run: Run) -> str:
    return datetime.fromtimestamp(run.asked).strftime("%Y-%m-%d %H:%M")


def _outcome(run: Run) -> str:
    return run.answer["status"] if run.answer else "cut off"
