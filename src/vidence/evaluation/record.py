"""What is kept of each question: asked, said, understood, right or not, cited, shown, spent. One JSON object a line."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from vidence.evaluation import parsing
from vidence.evaluation.item import Item
from vidence.evaluation.metrics import cited, iou, relative_accuracy
from vidence.evaluation.systems import Reply, spans_of

Record = dict[str, Any]


def record(item: Item, at: int, key: str, reply: Reply, guess: Reply | None) -> Record:
    """Judge a reply to question `at` of the split.

    `right` goes by the lenient reading, `strict` by the strict one; None where there is no truth.
    """
    found = _asked(item, at) | {"said": reply.text} | _judged(item, key, reply.text)
    if guess is not None:
        found["control"] = _judged(item, key, guess.text)["right"]
        found["guessed"] = guess.text
    if item.options:
        found["chance"] = 1 / len(item.options)
    if reply.answer is not None:
        answer, spans = reply.answer, spans_of(reply)
        found |= {
            "status": answer.status,
            "confidence": round(answer.confidence, 4),
            "confident": answer.confident,
            "claims": [[claim.text, claim.verdict.kind] for claim in answer.claims],
            "cited": [span.to_json() for span in spans],
            "steps": answer.receipt.steps,
            "run": answer.run,
        }
        if item.evidence:
            precision, recall = cited(spans, item.evidence)
            found |= {"citation_precision": precision, "citation_recall": recall}
    frames = [asdict(frame) for frame in reply.frames]
    spent = {"tokens": reply.tokens, "seconds": round(reply.seconds, 3)}
    return found | spent | {"frames": frames}


def failed(item: Item, at: int, why: str) -> Record:
    """Note that a question could not be put: it is counted and listed, and no score takes it for wrong."""
    return _asked(item, at) | {"fault": why}


def _asked(item: Item, at: int) -> Record:
    """Keep the question and what is true, in the split's order: others' files of predictions repeat them."""
    found: Record = {"id": item.id, "at": at, "video": item.video, "groups": dict(item.groups)}
    found |= {"question": item.question, "options": list(item.options)}
    return found | {"truth": item.answer if item.options else item.number}


def _judged(item: Item, key: str, text: str) -> Record:
    if key == "choice":
        strict = parsing.strict_letter(text, len(item.options))
        lenient = parsing.lenient_letter(text, item.options)
        known = item.answer is not None
        return {
            "choice": lenient,
            "parsed": lenient is not None,
            "right": float(lenient == item.answer) if known else None,
            "strict": float(strict == item.answer) if known else None,
        }
    if key == "grounding":
        span = parsing.interval(text)
        overlap = iou([span], item.spans) if span else 0.0
        return {
            "span": span.to_json() if span else None,
            "parsed": span is not None,
            "right": overlap if item.spans else None,
        }
    if key == "number":
        said = parsing.number(text)
        right = relative_accuracy(said, item.number) if item.number is not None else None
        return {"number": said, "parsed": said is not None, "right": right}
    right = float(parsing.holds(text, item.text)) if key == "words" else None
    return {"parsed": bool(text.strip()), "right": right}
