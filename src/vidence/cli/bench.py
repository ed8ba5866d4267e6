"""`vidence bench`: run a benchmark, list those there are, compare two runs, export one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidence.cli.bench_make import command as made
from vidence.cli.console import emit, note
from vidence.cli.extras import device_option
from vidence.cli.options import json_option, verbosity_options

if TYPE_CHECKING:
    from vidence.evaluation.item import Benchmark


class NamedRun(click.Group):
    """A group in which any other word is the name of a benchmark to run."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take the names of commands as such, and anything else as what "run" is given."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            return "run", self.commands["run"], args
        return super().resolve_command(ctx, args)


@click.group("bench", cls=NamedRun, short_help="Run a benchmark, and compare runs.")
def command() -> None:
    """Score Vidence, or a model alone, on benchmarks that you downloaded.

    \b
    vidence bench list
    vidence bench video-mme --data Video-MME --limit 100
    vidence bench video-mme --data Video-MME --model internvideo3-8b --single-pass
    vidence bench compare bench/video-mme-a bench/video-mme-b
    vidence bench make worldbench --out worldbench
    vidence bench export bench/video-mme-a --format vlmevalkit --out Vidence_Video-MME.xlsx
    """


command.add_command(made)


@command.command("list", short_help="List the benchmarks.")
@json_option
@verbosity_options
def listed(as_json: bool) -> None:
    """Tell of each benchmark what it measures, its splits, and where it is to be had."""
    from vidence.evaluation.benchmarks import benchmarks

    found = benchmarks().values()
    if as_json:
        emit([_told(one) for one in found])
        return
    for one in found:
        subtitled = "; has subtitles" if one.subtitles else ""
        click.echo(f"{one.name:18} {one.title}; {one.metric}; splits: {', '.join(one.splits)}{subtitled}")


@command.command("run", short_help="Run a benchmark: the word may be left out.")
@click.argument("name")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Where you downloaded it to.",
)
@click.option("--split", metavar="NAME", help="Which part of it; `vidence bench list` names them.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the run. Default: bench/NAME-SYSTEM.",
)
@click.option("--policy", type=click.Choice(["rules", "internvideo3", "chat"]), help="As for `vidence ask`.")
@click.option("--model", metavar="NAME", help="As for `vidence ask`.")
@click.option("--api-base", metavar="URL", help="As for `vidence ask`.")
@click.option(
    "--single-pass",
    is_flag=True,
    help="The model alone: it is shown frames once, and answers. No loop, no check.",
)
@click.option(
    "--max-steps", type=click.IntRange(min=1), default=12, show_default=True, metavar="N", help="Of the loop."
)
@click.option(
    "--most-frames",
    type=click.IntRange(min=1),
    metavar="N",
    help="Single pass: fewer frames than the paper's setting.",
)
@click.option(
    "--subtitles", is_flag=True, help="Give what is said in writing, from the files that the benchmark has."
)
@click.option(
    "--judge",
    metavar="MODEL",
    help="Have a model look for each claim of the loop where it cites, and elsewhere; or the rules: embedded.",
)
@click.option("--judge-api-base", metavar="URL", help="Endpoint of the judge. Default: $OPENAI_BASE_URL.")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Ask only so many questions, drawn by --seed."
)
@click.option("--seed", type=int, default=0, show_default=True, metavar="N")
@click.option(
    "--shard", default="0/1", show_default=True, metavar="I/N", help="Ask every N-th question, from the I-th."
)
@click.option(
    "--no-control", is_flag=True, help="Leave out the guess without the video that is put beside each score."
)
@device_option
@json_option
@verbosity_options
def run(
    name: str, data: Path, split: str | None, out: Path | None, policy: str | None, model: str | None,
    api_base: str | None, single_pass: bool, max_steps: int, most_frames: int | None, subtitles: bool,
    judge: str | None, judge_api_base: str | None, limit: int | None, seed: int, shard: str, no_control: bool,
    device: str, as_json: bool,
) -> None:  # fmt: skip
    """Ask the questions of benchmark NAME and score the answers; a run that was stopped goes on."""
    from vidence.cli.contestant import Settings
    from vidence.cli.contestant import shard as share_of
    from vidence.cli.opening import chosen_policy
    from vidence.errors import UsageError
    from vidence.evaluation.benchmarks import benchmark
    from vidence.evaluation.plan import Plan
    from vidence.evaluation.runner import run as ask_all

    chosen = benchmark(name)
    if split is not None and split not in chosen.splits:
        raise UsageError(f"{name} has no split {split!r}; there are {', '.join(chosen.splits)}")
    asked = chosen_policy(policy, model, device=device, api_base=api_base)
    settings = Settings(model, single_pass, max_steps, most_frames, subtitles, judge, judge_api_base)
    plan = Plan(split or chosen.splits[0], limit, seed, *share_of(shard), not no_control, subtitles)
    out, system = out or Path("bench") / f"{name}-{settings.slug(asked)}", settings.system(chosen, asked)
    judging = settings.judge_opened()
    found = ask_all(
        chosen, data, system, plan, out, settings=settings.to_json(), judge=judging, told=_progress
    )
    if as_json:
        emit(found)
        return
    _show(found)
    note(f"questions, scores and manifest are in {out}")


@command.command("compare", short_help="Compare two runs.")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@json_option
@verbosity_options
def compared(a: Path, b: Path, as_json: bool) -> None:
    """Tell how far run B is from run A on the questions that both answered, and how likely that is by chance."""
    from vidence.evaluation.compare import compare

    found = compare(a, b)
    if as_json:
        emit(found)
        return
    by = found["difference"]
    click.echo(f"A: {found['a']}\nB: {found['b']}\n{found['benchmark']}, {by['count']} questions in common")
    click.echo(
        f"B less A: {by['mean']:+.4f}, standard error {by['error']:.4f}, p = {by['p']:.3g}; "
        f"only A right: {by['only_a']}, only B right: {by['only_b']}"
    )
    click.echo(f"shown the same frames: {found['same_frames']:.0%} of the questions")


@command.command("export", short_help="Write a run's answers for other evaluators.")
@click.argument("runs", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="RUN...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["vlmevalkit", "submission"]),
    required=True,
    help="vlmevalkit: its table of predictions; submission: what the benchmark's own script or server reads.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="Its suffix says of which kind: .xlsx or .tsv for vlmevalkit; .json, .jsonl or .csv for a submission.",
)
@verbosity_options
def exported(runs: tuple[Path, ...], form: str, out: Path) -> None:
    """Write the answers of a run, or of all the shards of one, as others score them."""
    from vidence.evaluation.exporting import export

    found = export(runs, form, out)
    note(f"{len(found.records)} answers of {found.benchmark} ({found.split}) are in {out}")
    if found.unanswered:
        note(f"{found.unanswered} of them are empty: the question could not be put, or the answer not read")
    if not found.whole:
        note("the run is of a part of the split, or has not ended: scores of it are no scores of the whole")


def _progress(at: int, count: int, found: dict[str, Any]) -> None:
    came = found.get("fault") or {None: "-", 0.0: "wrong", 1.0: "right"}.get(
        found["right"], f"{found['right']}"
    )
    note(f"{at}/{count} {found['id']}: {came}")


def _show(found: dict[str, Any]) -> None:
    """Print the scores in a table: the whole first, then by group."""
    rows = [("all", found["all"])]
    rows += [(f"{kind}: {value}", each) for kind, some in found["by"].items() for value, each in some.items()]
    click.echo(f"{'':32} {'questions':>9} {'score':>7} {'±':>6} {'strict':>7} {'control':>8} {'chance':>7}")
    for label, each in rows:
        cells = [each.get(name, {}).get("mean") for name in ("score", "strict", "control", "chance")]
        score, strict, control, chance = (f"{cell:.3f}" if cell is not None else "-" for cell in cells)
        error = each.get("score", {}).get("error")
        error = "-" if error is None else f"{error:.3f}"
        click.echo(
            f"{label[:32]:32} {each['questions']:>9} {score:>7} {error:>6} {strict:>7} {control:>8} {chance:>7}"
        )
    for name, where in (("judged_grounded", "where they cite"), ("judged_elsewhere", "elsewhere")):
        if share := found["all"].get(name):
            click.echo(f"claims that the judge found {where}: {_share(share)}")
    if official := found.get("official"):
        click.echo(f"official ({found['metric']}): {_share(official)}")
    if without := found.get("subtitles", {}).get("questions_without"):
        click.echo(
            f"{without} questions were asked without subtitles: their files are missing "
            f"({', '.join(found['subtitles']['videos_without'][:3])}...)"
        )
    if found["not_put"]:
        first = found["faults"][0]
        click.echo(
            f"{found['not_put']} questions could not be put and are in no score; {first['video']}: {first['fault']}"
        )


def _told(one: Benchmark) -> dict[str, Any]:
    from dataclasses import asdict

    return {key: value for key, value in asdict(one).items() if key not in ("load", "official")}


def _share(found: dict[str, Any]) -> str:
    error = "" if found["error"] is None else f" ± {found['error']:.3f}"
    return f"{found['mean']:.3f}{error}"
