"""What installed packages add, by the entry points that they declare."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import Any

from vidence.errors import UsageError


@cache
def installed(group: str) -> dict[str, Any]:
    """Import what packages offer to a group, by name.

    Raises:
        UsageError: a package's code cannot be imported; naming it.
    """
    found = dict[str, Any]()
    for entry in entry_points(group=group):
        try:
            found[entry.name] = entry.load()
        except Exception as fault:
            package = entry.dist.name if entry.dist else entry.value
            raise UsageError(
                f"the plug-in {entry.name} of {package} cannot be imported ({fault}); mend or uninstall it"
            ) from fault
    return found
