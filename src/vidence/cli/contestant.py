"""Put together what `vidence bench run` puts to the test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidence.cli.extras import need
from vidence.errors import UsageError

if TYPE_CHECKING:
    from vidence.evaluation.item import Benchmark
    from vidence.evaluation.judge import Judge
    from vidence.evaluation.systems import Agent, SinglePass
    from vidence.mcr.policy import Policy


@dataclass(frozen=True, slots=True)
class Settings:
    """What flags say of the system under test."""

    model: str | None
    single_pass: bool
    max_steps: int
    most_frames: int | None
    subtitles: bool
    judge: str | None
    judge_api_base: str | None

    def to_json(self) -> dict[str, Any]:
        """Write what belongs in the manifest beside the plan."""
        return {"max_steps": self.max_steps, "most_frames": self.most_frames, "model": self.model}

    def slug(self, policy: Policy) -> str:
        """Name the folder of a run."""
        flags = [name for name in ("single_pass", "subtitles") if getattr(self, name)]
        parts = [policy.name, Path(self.model or "").name, *(flag.replace("_", "-") for flag in flags)]
        return "-".join(filter(None, parts))

    def system(self, chosen: Benchmark, policy: Policy) -> Agent | SinglePass:
        """Return the policy in its loop, or the model that it runs alone.

        Raises:
            UsageError: a single pass is asked of a policy that runs no model.
        """
        from vidence.evaluation.models import alone
        from vidence.evaluation.systems import Agent, SinglePass
        from vidence.mcr.budget import Budget

        run_by, given = alone(policy), chosen.subtitles if self.subtitles else ""
        blind = None if run_by is None else SinglePass(run_by, chosen.frames, self.most_frames, given)
        if not self.single_pass:
            return Agent(policy, Budget(max_steps=self.max_steps), blind)
        if blind is None:
            raise UsageError("--single-pass is of a model; the policy rules runs none")
        return blind

    def judge_opened(self) -> Judge | None:
        """Open the judge of a loop's claims, which stands its trial first.

        Raises:
            UsageError: it fails, or there is no loop.
        """
        from vidence.evaluation.judges import EMBEDDED, open_judge

        if self.judge is None:
            return None
        if self.single_pass:
            raise UsageError("--judge is of a loop's claims; a single pass makes none")
        if self.judge != EMBEDDED:
            need("chat")
        return open_judge(self.judge, self.judge_api_base)


def shard(text: str) -> tuple[int, int]:
    """Read I/N.

    Raises:
        UsageError: it is something else.
    """
    at, _, count = text.partition("/")
    if not (at.isdigit() and count.isdigit() and int(at) < int(count)):
        raise UsageError(f"--shard is {text!r}; it is I/N with I from 0 to N - 1, such as 0/4")
    return int(at), int(count)
