"""The command group: finds each command's file by name, and turns errors into one line and an exit code."""

from __future__ import annotations

import errno
import importlib
import os
import sys
import traceback
from typing import Any

import click

from vidence import __version__
from vidence.cli.console import complain, verbosity
from vidence.errors import VidenceError

COMMANDS = (
    "ask",
    "ground",
    "index",
    "search",
    "show",
    "forget",
    "transcribe",
    "read",
    "shots",
    "report",
    "moderate",
    "study",
    "watch",
    "catalogue",
    "runs",
    "bench",
    "chat",
    "serve",
    "token",
    "convert",
    "train",
    "world",
    "model",
    "models",
)

INTERRUPTED, CLOSED_PIPE, INTERNAL = 130, 141, 70

EXIT_CODES = """\b
Exit codes: 0 answered or done; 1 no supported answer, or the budget ran out;
2 wrong usage; 3 the medium cannot be read; 4 a model's weights are missing;
5 the memory file cannot be used; 6 a model server failed; 70 a fault in
Vidence; 130 interrupted (finished work is kept); 141 the reader of the
output went away."""


class LazyGroup(click.Group):
    """A group whose commands are modules of `vidence.cli`, imported when named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module; None for an unknown name, which click reports."""
        if cmd_name not in COMMANDS:
            return None
        return importlib.import_module(f"vidence.cli.{cmd_name}").command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error becomes one line on stderr and its documented exit code."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except VidenceError as error:
            _explain(str(error))
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            complain("interrupted; what was finished is kept, and the same command goes on from there")
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            # Nobody reads on. Python flushes stdout once more at exit and would complain then.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(CLOSED_PIPE)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except OSError as error:
            _explain(_os_message(error))
            ctx.exit(INTERNAL if error.errno != errno.ENOSPC else 5)
        except Exception as error:  # noqa: BLE001 - the process boundary: a fault must not look like an answer
            _explain(
                f"fault in Vidence: {type(error).__name__}: {error}; run again with --verbose for the trace"
            )
            ctx.exit(INTERNAL)
        return result


def _explain(message: str) -> None:
    if verbosity() > 0:
        traceback.print_exc()
    complain(message)


def _os_message(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}"


@click.group(
    cls=LazyGroup,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", message="vidence %(version)s")
def vidence() -> None:
    """Ask any video a question; every claim of the answer cites evidence that was re-opened and checked."""
