"""What the tests of the applications share: schemas that refer to one another, and a remembered video."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

SCHEMAS = Path(__file__).parents[1] / "src/vidence/schemas"


def check_schema(value: Any, name: str) -> None:
    """Hold JSON against a published schema; schemas refer to one another by file name."""
    found = [
        (path.name, Resource.from_contents(json.loads(path.read_text()), DRAFT202012))
        for path in SCHEMAS.glob("*.json")
    ]
    registry = Registry().with_resources(found)
    jsonschema.Draft202012Validator({"$ref": f"{name}.json"}, registry=registry).validate(value)
