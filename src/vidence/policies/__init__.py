"""Who decides the next action: rules (the embedded default, no language model needed)."""

from vidence.policies.rules.policy import RulesPolicy

__all__ = ["RulesPolicy"]
