"""/api/search: moments, in the whole library or some of its videos."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from vidence.serving.api.describing import seconds
from vidence.serving.api.reaching import Here
from vidence.serving.api.shapes import Found, HitOut
from vidence.serving.api.viewing import split
from vidence.serving.library import PREFIX, Library, id_of
from vidence.serving.names import clean_name

router = APIRouter(tags=["search"])


@router.get("/search")
def search(
    library: Here,
    q: Annotated[str, Query(min_length=1, max_length=2000, pattern=r"\S")],
    media: str | None = None,
    senses: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> Found:
    """Find the moments that fit, in any language, best first; `media` and `senses` by comma narrow the choice."""
    return found(library, q, media=split(media), senses=split(senses), limit=limit)


def found(
    library: Library, query: str, *, media: list[str] | None, senses: list[str] | None, limit: int
) -> Found:
    """Find moments in a library, or in those of its media whose ids are given."""
    paths = {one.hash: one.path for one in library.memory.media()}
    names = library.names()
    hits = library.memory.search(
        query,
        media=None if media is None else [PREFIX + id for id in media],
        senses=senses,
        limit=limit,
    )
    return Found(
        query=query,
        hits=[
            HitOut(
                media_id=id_of(hit.medium),
                name=names.get(hit.medium) or clean_name(paths.get(hit.medium, "")),
                start=seconds(hit.span.start),
                end=seconds(hit.span.end),
                text=hit.observation.text,
                sense=hit.observation.sense,
                score=round(hit.score, 4),
                why={name: round(value, 4) for name, value in hit.why.items()},
            )
            for hit in hits
        ],
    )
