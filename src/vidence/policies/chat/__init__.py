"""Any model behind an OpenAI-compatible endpoint as the policy: a planner that decides, an observer that looks."""

from vidence.policies.chat.policy import ChatPolicy

__all__ = ["ChatPolicy"]
