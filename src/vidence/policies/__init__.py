"""Who decides the next action: rules (the embedded default, no language model needed), or our own model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vidence.errors import UsageError
from vidence.policies.rules.policy import RulesPolicy

if TYPE_CHECKING:
    from vidence.mcr.policy import Policy

__all__ = ["RulesPolicy", "open_policy"]


def open_policy(name: str = "rules", model: str | Path | None = None, *, device: str = "auto") -> Policy:
    """Open a policy by name; `model` is a folder, or the name of a model that comes with the package.

    Raises:
        UsageError: there is no such policy, or it takes no model, or needs one.
        WeightsError: the model cannot be loaded.
    """
    if name == "rules":
        if model is not None:
            raise UsageError("the policy rules runs no model; leave it out, or take the policy internvideo3")
        return RulesPolicy()
    if name != "internvideo3":
        raise UsageError(f"there is no policy {name!r}; there are rules and internvideo3")
    if model is None:
        raise UsageError("the policy internvideo3 needs a model: a folder, or nano, which is built in")
    from vidence.models.shipped import model_folder
    from vidence.policies.internvideo3 import InternVideo3Policy

    return InternVideo3Policy.load(model_folder(model), device=device)
