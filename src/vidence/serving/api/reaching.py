"""How a route reaches the server it is part of, and the library of who asks."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import Depends, Request

from vidence.serving.keeper import Keeper
from vidence.serving.library import Library
from vidence.serving.previews import Previews
from vidence.serving.site import Site


async def site_of(request: Request) -> Site:
    """Return the server."""
    return request.app.state.site


async def keeper_of(request: Request) -> Keeper:
    """Return the keeper of its queues."""
    return request.app.state.keeper


async def previews_of(request: Request) -> Previews:
    """Return the copies that are being made."""
    return request.app.state.previews


async def library_of(request: Request, site: Annotated[Site, Depends(site_of)]) -> Library:
    """Return the library of who asks."""
    if site.tokens is None:
        return await asyncio.to_thread(site.libraries.local)
    return await asyncio.to_thread(site.libraries.of, request.state.user)


Serving = Annotated[Site, Depends(site_of)]
Previewing = Annotated[Previews, Depends(previews_of)]
Keeping = Annotated[Keeper, Depends(keeper_of)]
Here = Annotated[Library, Depends(library_of)]
