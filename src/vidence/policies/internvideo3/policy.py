"""The policy that is InternVideo3: see the whole in few frames, look closer where it asks to, answer what it believes.

Every answer it gives is a clue for one hypothesis, as strong as the model was sure. The check asks the same question of
the cited stretch and little around it, in a dialogue of its own that knows nothing of the first: what it says there is
a clue as well, so an answer that does not come again is given up for the one that does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vidence.errors import UsageError
from vidence.mcr.actions import Actions
from vidence.mcr.evidence import Evidence, Verdict
from vidence.mcr.policy import Decision
from vidence.mcr.question import read_question
from vidence.mcr.situation import Shown, Situation
from vidence.mcr.verify import frame_hash, recheck
from vidence.models.internvideo3 import protocol
from vidence.models.internvideo3.conversation import Conversation
from vidence.models.internvideo3.limits import VideoLimits
from vidence.policies.internvideo3.believing import believed, clue, drafted, hypothesis
from vidence.policies.internvideo3.rollout import Rollout, Said, asking, spoken
from vidence.senses.observation import Observation, Producer
from vidence.timeline import Span, instant

CHECK_S = 4  # what a check opens at least: a movement is told by what is before and after it
HEARD = ("speech", "audio")  # modalities of which a model that only sees is not asked


@dataclass(slots=True)
class InternVideo3Policy:
    """Decides with a model of this process. One policy serves one question at a time.

    A question's first look takes half of the frames that the model was trained on, each look that it asks for a
    quarter, so that with two it has seen as many as in a single pass, which is what it gets where it may look no more.
    """

    model: Any
    processor: Any
    weights: str = ""  # which they are, by hash
    seen: Path | None = (
        None  # folder in which what was seen of a video is kept, so that the next question starts warm
    )
    max_looks: int = 2
    max_new_tokens: int = 256
    name: str = "internvideo3"
    recalls: bool = False
    rollout: Rollout | None = field(default=None, repr=False)

    @staticmethod
    def load(
        directory: Path, *, device: str = "auto", dtype: str = "auto", seen: Path | None = None
    ) -> InternVideo3Policy:
        """Load a model that sees, and its processor; `seen` is a folder for what it saw of videos.

        Raises:
            WeightsError: the folder holds none.
        """
        from vidence.models.internvideo3.loading import load_model, weights_name
        from vidence.models.internvideo3.processing import InternVideo3Processor
        from vidence.models.internvideo3.room import chosen_device

        model = load_model(directory, dtype=dtype, device=chosen_device(device))
        processor = InternVideo3Processor.from_pretrained(directory)
        return InternVideo3Policy(model, processor, weights_name(directory), seen)

    @property
    def identity(self) -> str:
        """Its name and its weights."""
        return f"{self.name} {self.weights}"

    def decide(self, situation: Situation) -> Decision:
        """Look at the whole first; then let the model look or answer; then draft what is believed."""
        rollout = self._of(situation)
        if not situation.shown:
            if situation.media.info.video is None or situation.stopped:
                return self._conclude(rollout)
            if not self.max_looks:
                return self._look("See the whole, once.", rollout, situation.whole, 1)
            return self._look("See the whole first, in few frames.", rollout, situation.whole, 2)
        while not rollout.answered:
            said = rollout.turn()
            if not protocol.calls(said.text):
                self._believe(rollout, said, rollout.cited(said), "answer")
                rollout.answered = True
            elif situation.stopped or rollout.looks <= 0:  # it shall answer from what it was shown
                said = self._asked(situation, situation.shown)
                self._believe(rollout, said, rollout.cited(said), "answer")
                rollout.answered = True
            else:
                try:
                    span = rollout.called(said.text)
                except UsageError as fault:
                    rollout.told(str(fault))
                    continue
                return self._look(f"The model asks for a look at {span}.", rollout, span, 4)
        return self._conclude(rollout)

    def check(
        self, claim: str, evidence: Evidence, situation: Situation, actions: Actions
    ) -> tuple[Verdict, str | None]:
        """Show the model the cited stretch alone and ask anew; it does not know what was answered.

        Of what another sense perceived it is asked whether the claim is true, once that sense has perceived it again.
        """
        if evidence.sense != self.name:
            return self._held(claim, evidence, situation, actions)
        rollout, observation = self._of(situation), situation.source(evidence)
        shown = self._opened(evidence.span, situation, actions)
        if observation is None or shown is None:
            return Verdict("unseen", 0.0, "no frame could be opened again"), None
        said = self._asked(situation, [shown])
        heard = hypothesis(said, situation)
        same = heard == observation.text
        self._believe(
            rollout, said, (evidence.span,), f"asked anew of {evidence.span}", None if not same else evidence
        )
        how = f"opened {shown.span} again, asked anew and heard {heard or said.answer!r}"
        digest = frame_hash(situation, evidence.span.middle)
        if same:
            return Verdict("supported", said.probability, how), digest
        return Verdict(
            "contradicted" if heard and said.probability >= 0.5 else "unsupported", 0.0, how
        ), digest

    def _held(
        self, claim: str, evidence: Evidence, situation: Situation, actions: Actions
    ) -> tuple[Verdict, str | None]:
        """Have the sense perceive it again, then ask the model of what can be seen."""
        found, digest = recheck(evidence, situation, actions)
        heard = evidence.modality in HEARD
        shown = (
            None if heard or found.kind != "supported" else self._opened(evidence.span, situation, actions)
        )
        if shown is None:
            return found, digest
        question = read_question(f"Is this true of the video? {claim}", situation.whole, ("yes", "no"), "en")
        asked = replace(situation, question=question)
        said = self._asked(asked, [shown])
        how = f"{found.checked_by}; opened {shown.span} again and asked if it is true: {said.answer!r}"
        if hypothesis(said, asked) == "yes":
            return Verdict("supported", said.probability, how), digest
        return Verdict("unsupported", 0.0, how), digest

    def _of(self, situation: Situation) -> Rollout:
        """Return the dialogue about a question, opened with its first decision."""
        if self.rollout is None or self.rollout.situation is not situation:
            talk = Conversation(self.model, self.processor)
            self.rollout = Rollout(
                situation, talk, self.max_looks, self.max_new_tokens, self.weights, self.seen
            )
        return self.rollout

    def _look(self, why: str, rollout: Rollout, span: Span, parts: int) -> Decision:
        """Decide to look at a span, in one of `parts` of the frames that the model takes."""
        show, max_side = self._frames(rollout.situation, span, parts)
        given = {
            "start": str(span.start),
            "end": str(span.end),
            "senses": [],
            "show": show,
            "max_side": max_side,
        }
        return Decision(why, "look", given, believed(rollout))

    def _frames(self, situation: Situation, span: Span, parts: int) -> tuple[int, int]:
        """Return how many frames of a span to show, and how large, by the limits that the model was trained with."""
        limits, stream = VideoLimits(**self.processor.video_limits), situation.media.info.video
        assert stream is not None  # who asks has made sure
        most = max(limits.max_frames // parts, 2)
        by_rate = max(int(span.duration * instant(limits.fps)), limits.min_frames)
        count = most if parts > 2 else min(by_rate, most)
        size = limits.size(count, stream.height, stream.width, self.processor.shape)
        return count, max(size)

    def _opened(self, span: Span, situation: Situation, actions: Actions) -> Shown | None:
        """Open frames for the check alone: the dialogue is not shown them."""
        if situation.media.info.video is None:
            return None
        span = span.widened(CHECK_S, situation.whole)
        return actions.opened(span, *self._frames(situation, span, 2))

    def _asked(self, situation: Situation, shown: Sequence[Shown]) -> Said:
        """Ask the question of some frames in a dialogue of its own, in which nothing else may be looked at."""
        talk = Conversation(self.model, self.processor)
        message = asking(situation.question, talk, shown, situation.whole.start)
        return spoken(talk, [message], situation, self.max_new_tokens)

    def _believe(
        self, rollout: Rollout, said: Said, spans: Sequence[Span], channel: str, known: Evidence | None = None
    ) -> None:
        """Take what was said as a clue, with the stretches it rests on as evidence."""
        text = hypothesis(said, rollout.situation)
        if text:
            cited = (
                (known,)
                if known
                else tuple(self._cite(rollout.situation, said, text, span) for span in spans)
            )
            rollout.clues.append((text, clue(said, rollout.situation, channel, cited)))

    def _cite(self, situation: Situation, said: Said, text: str, span: Span) -> Evidence:
        producer = Producer(self.name, "1", self.weights[:12], f"looks={self.max_looks}")
        seen = Observation(span, "visual", producer, text, said.probability)
        situation.looked.append(seen)
        return situation.cite(seen)

    def _conclude(self, rollout: Rollout) -> Decision:
        belief = believed(rollout)
        best = belief.best()
        why = (
            f"{belief.hypotheses[best[0]].text!r} at {best[1]:.2f}"
            if best and rollout.clues
            else "Nothing was answered."
        )
        return Decision(why, "answer", {"draft": drafted(rollout, belief)}, belief)
