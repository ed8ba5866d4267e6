"""Our own model as the policy: it sees frames, looks again where it wants to, answers, and is asked anew to check."""

from vidence.policies.internvideo3.policy import InternVideo3Policy

__all__ = ["InternVideo3Policy"]
