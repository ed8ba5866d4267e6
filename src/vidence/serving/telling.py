"""Tell an answer to whom a page is no help: in words with its citations numbered, and the citations as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vidence.mcr.answer import STATUS_TEXT
from vidence.timeline import Span, instant

MOST_CITED = 8  # of one answer in its words; the data has all
_OF_EVIDENCE = ("start_s", "end_s", "modality", "sense", "quote", "confidence", "absent")


def citations(answer: Mapping[str, Any], media_id: str, name: str, first: int = 1) -> list[dict[str, Any]]:
    """List what an answer's claims cite, numbered from `first` on: the claim, its verdict, and where to look."""
    cited = [(claim, evidence) for claim in answer["claims"] for evidence in claim["evidence"]]
    return [
        {
            "number": number,
            "claim": claim["text"],
            "verdict": claim["verdict"],
            "checked_by": claim["checked_by"],
            "media_id": media_id,
            "name": name,
            "page": f"/#/video/{media_id}?run={answer['run']}&at={evidence['start_s']:g}&to={evidence['end_s']:g}",
        }
        | {key: evidence[key] for key in _OF_EVIDENCE}
        for number, (claim, evidence) in enumerate(cited, first)
    ]


def in_words(answer: Mapping[str, Any], cited: list[dict[str, Any]]) -> str:
    """Write an answer as text: what is known, how surely, and a line a citation."""
    lines = [answer["text"] or STATUS_TEXT[answer["status"]]]
    if answer["text"] and not answer["confident"]:
        lines[0] += f" (a guess, not a finding: confidence {answer['confidence']:.0%})"
    if answer["conflicts"]:
        lines += [f"Contradiction: {one['about']}. {one['note']}" for one in answer["conflicts"]]
    if answer["lacking"]:
        lines.append(f"Lacking: {answer['lacking']}")
    shown = [citation_line(one) for one in cited[:MOST_CITED]]
    if len(cited) > MOST_CITED:
        shown.append(f"and {len(cited) - MOST_CITED} more")
    return "\n".join(lines) + ("\n\n" + "\n".join(shown) if shown else "")


def citation_line(cited: Mapping[str, Any]) -> str:
    """Write one citation as a line."""
    span = Span(instant(cited["start_s"]), instant(cited["end_s"]))
    return f"[{cited['number']}] {cited['name']} {span} {cited['sense']}: “{cited['quote']}” ({cited['verdict']})"
