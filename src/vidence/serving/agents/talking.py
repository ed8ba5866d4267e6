"""The tools over standard input and output, for an agent of this machine that starts them itself."""

from __future__ import annotations

from vidence.serving.agents.desk import Desk
from vidence.serving.agents.server import mcp_server
from vidence.serving.keeper import Keeper
from vidence.serving.site import Site


async def talk(site: Site) -> None:
    """Serve the site's one library until standard input closes; videos may be named by their paths, too."""
    library = site.libraries.local()
    keeper = Keeper(site)
    keeper.start()
    try:
        await mcp_server(lambda _: Desk(site, keeper, library, files=True), files=True).run_stdio_async()
    finally:
        await keeper.stop()
        await site.close()
