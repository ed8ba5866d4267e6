"""`vidence mcp`: the library as tools of an agent, over standard input and output."""

from __future__ import annotations

from pathlib import Path

import click

from vidence.cli.extras import need
from vidence.cli.options import verbosity_options
from vidence.cli.site import api_base_option, checked_senses, library_option, outside_models, senses_option


@click.command("mcp", short_help="Give an agent tools to ask videos.")
@library_option
@senses_option
@click.option("--model", metavar="NAME", help="A model of --api-base that may decide.")
@api_base_option
@verbosity_options
def command(library: Path | None, senses: str | None, model: str | None, api_base: str | None) -> None:
    """Speak the Model Context Protocol on standard input and output: tools list, search, transcript, look and ask.

    An agent starts this command itself; name it in its settings. `vidence serve` has the same tools at /mcp.

    \b
    {"mcpServers": {"vidence": {"command": "vidence", "args": ["mcp"]}}}
    """
    need("mcp")
    import asyncio

    from vidence.serving.agents.talking import talk
    from vidence.serving.settings import Settings
    from vidence.serving.site import Site

    settings = Settings(root=library, senses=checked_senses(senses))
    asyncio.run(talk(Site.open(settings, outside_models(model, api_base))))
