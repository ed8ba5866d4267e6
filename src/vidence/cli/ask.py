"""`vidence ask`: a question on one or more videos, answered with checked evidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidence.cli.answer_text import show_answer
from vidence.cli.console import complain, emit, paint
from vidence.cli.extras import device_option
from vidence.cli.options import json_option, memory_option, require_text, sense_options, verbosity_options
from vidence.errors import MediaError

if TYPE_CHECKING:
    from vidence.mcr.answer import Answer

NO_SUPPORTED_ANSWER = 1


@click.command("ask", short_help="Ask a question about one or more videos.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.argument("question")
@click.option(
    "--choice", "choices", multiple=True, metavar="TEXT", help="An option of a multiple choice; repeat it."
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0),
    metavar="S",
    help="Seconds a question may take, indexing included.",
)
@click.option(
    "--max-frames", type=click.IntRange(min=0), metavar="N", help="Frames that may be opened while answering."
)
@click.option(
    "--max-steps",
    type=click.IntRange(min=1),
    default=12,
    show_default=True,
    metavar="N",
    help="Steps of the loop.",
)
@click.option(
    "--question-language",
    default="auto",
    show_default=True,
    metavar="CODE",
    help="Language of the question: auto, en, de...",
)
@click.option(
    "--policy",
    "policy_name",
    type=click.Choice(["rules", "internvideo3", "chat"]),
    help="Who decides: rules, a model of this machine, or one behind an OpenAI-compatible endpoint. Default: rules; "
    "with --api-base or $OPENAI_BASE_URL and --model chat; with --model alone internvideo3.",
)
@click.option(
    "--model",
    metavar="NAME",
    help="internvideo3: folder of a model that sees, or nano, which is built in. chat: as its server calls it.",
)
@click.option("--api-base", metavar="URL", help="chat: the endpoint. Default: $OPENAI_BASE_URL.")
@click.option(
    "--observer", metavar="NAME", help="chat: another model of the endpoint for what has to be seen."
)
@click.option("--no-tools", is_flag=True, help="chat: the model writes JSON instead of calling tools.")
@click.option(
    "--frames-as",
    type=click.Choice(["images", "video"]),
    default="images",
    show_default=True,
    help="chat: how frames are sent.",
)
@click.option(
    "--token-limit", type=click.IntRange(min=1), metavar="N", help="Tokens that models may read and write."
)
@click.option(
    "--web",
    "web_place",
    metavar="PLACE",
    help="Let a model search here besides: the address of a SearXNG server, or a folder or file of documents.",
)
@device_option
@sense_options
@memory_option
@json_option
@verbosity_options
def command(
    files: tuple[str, ...],
    question: str,
    choices: tuple[str, ...],
    time_limit: float | None,
    max_frames: int | None,
    max_steps: int,
    question_language: str,
    policy_name: str | None,
    model: str | None,
    api_base: str | None,
    observer: str | None,
    no_tools: bool,
    frames_as: str,
    token_limit: int | None,
    web_place: str | None,
    device: str,
    language: str,
    tier: str | None,
    memory: Path | None,
    as_json: bool,
) -> None:
    """Answer QUESTION from each FILE, with evidence.

    What the video needs is indexed first and kept, so that the next question is
    quick. Prints the answer, its claims with what checking found, contradictions,
    what was not seen, and what it cost.

    \b
    vidence ask talk.mp4 "Which year is on the first slide?"
    vidence ask clip.mp4 "What happens first?" --choice "it rains" --choice "it snows"
    vidence ask world.mp4 "What does the cup do?" --model internvideo3-8b
    vidence ask talk.mp4 "Who disagrees?" --api-base http://localhost:8000/v1 --model qwen3-vl
    """
    question = require_text(question, "question")
    options = [require_text(choice, "choice") for choice in choices]
    from vidence.cli.opening import chosen_policy, opened
    from vidence.cli.progress import indexing
    from vidence.mcr.budget import Budget
    from vidence.mcr.web import open_web
    from vidence.memory import seen_folder

    web = None if web_place is None else open_web(web_place)
    told: dict[str, Any] = {
        "seen": seen_folder(memory),
        "api_base": api_base,
        "observer": observer,
        "tools": not no_tools,
        "frames_as": frames_as,
    }
    policy = chosen_policy(policy_name, model, device=device, **told)
    budget = Budget(
        time_limit_s=time_limit, max_frames=max_frames, max_steps=max_steps, token_limit=token_limit
    )
    code, results = 0, []
    for file in files:
        try:
            with opened(file, memory, tier=tier, language=language) as video, indexing() as shown:
                answer = video.ask(
                    question,
                    choices=options,
                    budget=budget,
                    question_language=question_language,
                    policy=policy,
                    web=web,
                    progress=shown,
                )
        except MediaError as error:
            if len(files) == 1:
                raise
            complain(str(error))  # one bad file of several must not take the others' answers away
            results.append({"file": file, "error": str(error)})
            code = error.exit_code
            continue
        code = max(code, 0 if answer.status == "answered" else NO_SUPPORTED_ANSWER)
        results.append({"file": file, **answer.to_json()})
        if not as_json:
            _print(file, answer, options, several=len(files) > 1)
    if as_json:
        emit(results[0] if len(files) == 1 else {"answers": results})
    click.get_current_context().exit(code)


def _print(file: str, answer: Answer, options: Sequence[str], *, several: bool) -> None:
    if several:
        click.echo(paint(f"\n{file}", bold=True))
    show_answer(answer, options)
