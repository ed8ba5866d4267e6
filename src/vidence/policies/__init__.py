"""Who decides the next action: rules (the default; no language model needed), our own model, or any endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vidence.errors import UsageError
from vidence.policies.rules.policy import RulesPolicy

if TYPE_CHECKING:
    from vidence.mcr.policy import Policy

__all__ = ["RulesPolicy", "open_policy"]


def open_policy(
    name: str = "rules",
    model: str | Path | None = None,
    *,
    device: str = "auto",
    seen: Path | None = None,
    api_base: str | None = None,
    observer: str | None = None,
    tools: bool = True,
    frames_as: str = "images",
) -> Policy:
    """Open a policy by name.

    Args:
        name: "rules", "internvideo3" or "chat".
        model: internvideo3: a folder, or the name of a model that comes with the package; chat: as its server calls it.
        device: internvideo3: where it runs.
        seen: internvideo3: folder in which what it saw of a video is kept for later questions (`Memory.seen`).
        api_base: chat: address of an OpenAI-compatible endpoint (default: $OPENAI_BASE_URL); internvideo3: of a
            `vidence serve` that serves the model. Its key: $OPENAI_API_KEY.
        observer: chat: another model of that endpoint for what has to be seen.
        tools: chat: whether the model calls tools natively; else it writes JSON.
        frames_as: chat: "images", or "video" for servers that take frames as one video.

    Raises:
        UsageError: there is no such policy, or it takes no model, or needs one.
        WeightsError: the model cannot be loaded.
    """
    if name == "rules":
        if model is not None:
            raise UsageError("the policy rules runs no model; leave it out, or take internvideo3 or chat")
        return RulesPolicy()
    if name not in ("internvideo3", "chat"):
        raise UsageError(f"there is no policy {name!r}; there are rules, internvideo3 and chat")
    if model is None:
        wanted = "its name on the server" if name == "chat" else "a folder"
        raise UsageError(f"the policy {name} needs a model: {wanted}")
    if name == "internvideo3":
        from vidence.policies.internvideo3 import InternVideo3Policy

        if api_base is not None:
            from vidence.policies.internvideo3.served import ServedHost

            return InternVideo3Policy(ServedHost(str(model), api_base))
        from vidence.models.shipped import model_folder
        from vidence.policies.internvideo3.local import LocalHost

        return InternVideo3Policy(LocalHost.load(model_folder(model), device=device, seen=seen))
    from vidence.policies.chat import ChatPolicy
    from vidence.policies.chat.endpoint import Endpoint

    planner, sees = (Endpoint(each, base_url=api_base) for each in (str(model), observer or str(model)))
    return ChatPolicy(planner, sees, tools=tools, frames_as="video" if frames_as == "video" else "images")
