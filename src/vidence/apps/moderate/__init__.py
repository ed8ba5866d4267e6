"""Moderation: a policy as data, held against what was perceived; violations with evidence, checked and explained."""

from vidence.apps.moderate.difference import Difference, difference
from vidence.apps.moderate.moderation import Moderation, moderate
from vidence.apps.moderate.policy import Policy, open_policy, shipped

__all__ = ["Difference", "Moderation", "Policy", "difference", "moderate", "open_policy", "shipped"]
