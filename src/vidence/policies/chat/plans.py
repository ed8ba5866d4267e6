"""What the planner is offered, and what is read from its turns: an action or an answer, and what it believes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from vidence.mcr.actions import schema
from vidence.mcr.answer import Choice
from vidence.mcr.belief import Belief, Clue, Hypothesis
from vidence.mcr.situation import Situation
from vidence.models.internvideo3.protocol import letter
from vidence.policies.chat.endpoint import Reply, json_of
from vidence.policies.chat.forms import Final, Guess, Plan

FILLED_IN = ("show", "max_side", "zoom")  # what the policy decides about a look
LEAST = 0.02  # no hypothesis is less probable: the planner may name but a few
THINKING = ("thought", "hypotheses", "uncertain")  # what a plan holds besides what is done


def tools(names: Sequence[str]) -> list[dict[str, Any]]:
    """Describe actions, and the answer, as tools: each is called with why it is done, and what is believed."""
    plan = Plan.model_json_schema()
    thinking = {name: plan["properties"][name] for name in THINKING}
    return [
        {
            "name": name,
            "description": description,
            "parameters": parameters
            | {
                "$defs": parameters.get("$defs", {}) | plan["$defs"],
                "properties": thinking | parameters["properties"],
                "required": ["thought", *parameters["required"]],
            },
        }
        for name, description, parameters in _described(names)
    ]


def planning(names: Sequence[str]) -> dict[str, Any]:
    """Return the JSON schema of a plan whose action is one of those named, or the answer."""
    plan, choices = Plan.model_json_schema(), list[dict[str, Any]]()
    for name, description, parameters in _described(names):
        plan["$defs"] |= parameters.pop("$defs", {})
        properties = {"action": {"const": name}, "arguments": parameters}
        choices.append(
            {
                "type": "object",
                "description": description,
                "properties": properties,
                "required": [*properties],
            }
        )
    thinking = {name: plan["properties"][name] for name in THINKING}
    return {
        "title": "Plan",
        "$defs": plan["$defs"],
        "type": "object",
        "properties": thinking | {"next": {"anyOf": choices}},
        "required": ["thought", "next"],
    }


def citing(schema: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any]:
    """Return the schema of a plan in which nothing but the evidence that there is can be cited."""
    stated = schema["$defs"]["Stated"]
    ids = {"type": "array", "items": {"enum": [*known]}, "maxItems": 6 if known else 0}
    limits = {"evidence": ids | {"minItems": 1 if known else 0}, "against": ids}
    narrowed = stated | {"properties": stated["properties"] | limits}
    return {**schema, "$defs": schema["$defs"] | {"Stated": narrowed}}


def _described(names: Sequence[str]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return names, what they do, and the schema of what they are given, without what the policy fills in."""
    found = list[tuple[str, str, dict[str, Any]]]()
    for one in map(schema, names):
        properties = one["parameters"]["properties"]
        kept = {key: value for key, value in properties.items() if key not in FILLED_IN}
        found.append((one["name"], one["description"], one["parameters"] | {"properties": kept}))
    return [*found, ("answer", (Final.__doc__ or "").splitlines()[0], Final.model_json_schema())]


def called(reply: Reply) -> Plan:
    """Read a native tool call; of several the first."""
    call, given = reply.calls[0], dict(reply.calls[0].arguments)
    thought, guesses = str(given.pop("thought", "") or reply.text), given.pop("hypotheses", [])
    uncertain = [str(one) for one in given.pop("uncertain", None) or ()]
    try:
        hypotheses = [Guess.model_validate(one) for one in guesses]
    except (ValidationError, TypeError):
        hypotheses = []  # a belief that cannot be read is none; the action can still be done
    return Plan(
        thought=thought, hypotheses=hypotheses, uncertain=uncertain, action=call.name, arguments=given
    )


def written(reply: Reply) -> Plan:
    """Read a plan, or an answer, that was written in words; what is neither is an action that there is not."""
    try:
        found = json_of(reply.text)
        if isinstance(found, dict) and isinstance(found.get("next"), dict):
            found |= found.pop("next")
        if isinstance(found, dict) and "action" not in found and "confidence" in found:
            return Plan(thought=str(found.get("thought", "")), action="answer", arguments=found)
        return Plan.model_validate(found)
    except ValueError:
        return Plan(thought=reply.text, action="answer", arguments={"unreadable": reply.text[:200]})


def belief_of(plan: Plan, situation: Situation) -> Belief:
    """Take over what the planner believes; options that it does not name share what is left."""
    texts = situation.question.choices or tuple(dict.fromkeys(one.text for one in plan.hypotheses))
    odds = {_index(one.text, texts): one.probability for one in plan.hypotheses}
    hypotheses = tuple(
        Hypothesis(text, (Clue(at, math.log(max(odds.get(at, LEAST), LEAST)), "planner", plan.thought),))
        for at, text in enumerate(texts)
    )
    return Belief(hypotheses, tuple(plan.uncertain), tuple(one.span for one in situation.shown[-3:]))


def _index(text: str, texts: Sequence[str]) -> int:
    """Find a guess among the options, by its words or its letter."""
    if text in texts:
        return texts.index(text)
    named = letter(text)
    return ord(named) - ord("A") if named else -1


def chosen(final: Final, choices: Sequence[str]) -> Choice | None:
    """Read which option was chosen.

    Raises:
        ValueError: there are options, an answer, and none of them in it.
    """
    if not choices or not final.text:
        return None
    for given in (final.choice or "", final.text):
        index = _index(given, choices)
        if 0 <= index < len(choices):
            return Choice(index, choices[index])
    raise ValueError(f"choice: is {final.choice!r}; it is the letter of one of the {len(choices)} options")
