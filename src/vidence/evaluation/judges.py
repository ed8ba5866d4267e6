"""The judges that there are: a model behind an endpoint, and the rules that need none. Each stands a trial first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vidence.errors import UsageError
from vidence.evaluation.judge import Judge, Piece
from vidence.mcr import trial
from vidence.mcr.actions import Actions
from vidence.mcr.budget import Budget, Meter
from vidence.mcr.situation import Shown, Situation
from vidence.mcr.verify import compared, reopened
from vidence.senses.observation import Observation, Producer
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.policies.chat.endpoint import Endpoint
    from vidence.video import Video

EMBEDDED = "embedded"
FRAMES, MAX_SIDE = 8, 1024  # of a span that is opened: enough to see and to read


def open_judge(name: str, api_base: str | None = None) -> Judge:
    """Open a judge: "embedded", or a model behind an OpenAI-compatible endpoint.

    Raises:
        UsageError: it cannot tell a true statement from a false one.
        EndpointError: the endpoint cannot be reached.
    """
    if name == EMBEDDED:
        judge, stood = EmbeddedJudge(), EmbeddedJudge.stands()
    else:
        from vidence.policies.chat.endpoint import Endpoint
        from vidence.policies.chat.judging import stands_trial

        endpoint = Endpoint(name, base_url=api_base)
        judge, stood = ModelJudge(endpoint), stands_trial(endpoint)
    if not stood:
        raise UsageError(
            f"--judge {name} cannot tell a true statement from a false one: its word would mean nothing; take another"
        )
    return judge


@dataclass(frozen=True, slots=True)
class ModelJudge:
    """A model that is shown frames of a span, or told what was heard in it."""

    endpoint: Endpoint

    @property
    def name(self) -> str:
        """Return the model as its server calls it."""
        return self.endpoint.model

    def finds(self, claim: str, pieces: Sequence[Piece], video: Video) -> bool | None:
        """Ask the model in a call of its own."""
        from vidence.policies.chat.endpoint import CannotSee
        from vidence.policies.chat.judging import judged

        put = [part for piece in pieces for part in self._put(piece, video)]
        try:
            return judged(self.endpoint, put, claim).verdict == "supported"
        except CannotSee:
            return None

    def _put(self, piece: Piece, video: Video) -> list[dict[str, Any]]:
        """Show frames of what can be seen, and tell the words of what was heard."""
        # The words of a sense that sees are left out: they would tell the model what to see.
        from vidence.policies.chat.judging import perceived
        from vidence.policies.chat.writing import frames

        if piece.evidence.modality in ("speech", "audio") or video.media.info.video is None:
            return [perceived(piece.evidence.sense, piece.quote)]
        found = video.media.frames_at(piece.span.middles(FRAMES), max_side=MAX_SIDE, mode="exact")
        each = {frame.time: frame for frame in found}  # a short span has fewer
        return frames(Shown(piece.span, tuple(each.values())), video.media.info.span.start, "images")


@dataclass(frozen=True, slots=True)
class EmbeddedJudge:
    """The rules' check: the sense that perceived the evidence perceives the span again, and the two are compared.

    It looks for the evidence, not for the claim's words, which by rules say no more.
    """

    name: str = EMBEDDED

    @staticmethod
    def stands() -> bool:
        """Stand the trial, the sign and the statement both as read."""
        span = Span.of(0, 1)

        def read(text: str) -> Observation:
            return Observation(span, "text", Producer("text", "1"), text)

        return trial.stands(lambda statement: compared(read(trial.SIGN), [read(statement)], span).kind)

    def finds(self, claim: str, pieces: Sequence[Piece], video: Video) -> bool | None:
        """Perceive again."""
        del claim
        kinds = {self._kind(piece, video) for piece in pieces} - {"unseen"}
        return "supported" in kinds if kinds else None

    def _kind(self, piece: Piece, video: Video) -> str:
        last = video.last_situation
        observation = last.source(piece.evidence) if last else None
        if last is None or observation is None:
            return "unseen"
        by = piece.span.start - piece.evidence.span.start
        if by:
            track = tuple((time + by, box) for time, box in observation.track)
            observation = replace(observation, span=piece.span, track=track)
        # A situation of its own: what the check of the rollout found is not known here.
        situation = Situation(last.question, last.media, last.coverage, Meter(Budget()))
        actions = Actions(situation, video.memory, video.senses)
        return reopened(replace(piece.evidence, span=piece.span), observation, situation, actions)[0].kind
