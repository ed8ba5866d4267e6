"""Puts questions: words a form, finds a scope in which it has one answer, draws options."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from vidence.timeline import Span
from vidence.worlds.drawing import pick, some
from vidence.worlds.lexicon import Tongue, table
from vidence.worlds.question import Question
from vidence.worlds.questions.facts import Facts

if TYPE_CHECKING:
    from vidence.worlds.world import World

Answer = TypeVar("Answer")


class Asker:
    """Asks questions of one kind in one language. All languages draw alike, so that one id is one question."""

    def __init__(self, world: World, language: str, kind: str, rng: Random) -> None:
        self.world, self.kind, self.rng = world, kind, rng
        self.tongue = Tongue(language, world.actors)
        self._count = 0

    def scope(self, facts: Facts, key: Hashable, scene: int) -> str | None:
        """Return words for a part of the world in which a key holds exactly once, in `scene`; None if there is none.

        The whole world needs no words. A place is named with its look; then what is before or after something that
        happens once; then the minute, alone and with the place.
        """
        alone = facts.once(key, scene)
        if alone and self.rng.random() < 0.6:
            return ""
        place = facts.scenes[scene].place
        if facts.once(key, scene, facts.at_place[place.look]):
            return self.tongue.where(place)
        if alone:
            return ""
        for form, within, event in facts.around(scene):
            if facts.once(key, scene, within):
                return self.say(form, c=self.tongue.clause(event))
        for words, within in self._minutes(facts, scene):
            if facts.once(key, scene, within):
                return words
        return None

    def only(self, facts: Facts, scene: int) -> str | None:
        """Return words that name one scene alone; None if there are none."""
        place = facts.scenes[scene].place
        if facts.at_place[place.look] == {scene}:
            return self.tongue.where(place)
        if len(facts.scenes) == 1:
            return ""
        return next((words for words, within in self._minutes(facts, scene) if within == {scene}), None)

    def near(self, facts: Facts, scene: int) -> str:
        """Return words that help to find a scene, for a question that has one answer without them; often none."""
        place = facts.scenes[scene].place
        if facts.at_place[place.look] == {scene} and self.rng.random() < 0.6:
            return self.tongue.where(place)
        return next((words for words, _ in self._minutes(facts, scene)), "")

    def _minutes(self, facts: Facts, scene: int) -> Iterator[tuple[str, set[int]]]:
        """Give a minute in words with its scenes, then the minute with the place; only of long worlds."""
        span = facts.scenes[scene].span
        minute = int(span.start // 60)
        if self.world.setting.duration < 120 or span.end > 60 * (minute + 1):
            return
        whole = Span.of(60 * minute, 60 * (minute + 1))
        within = {
            one.index for one in facts.scenes[max(scene - 20, 0) : scene + 20] if one.span.overlaps(whole)
        }
        words = self.say("scope_minute", n=str(minute + 1))
        yield words, within
        place = facts.scenes[scene].place
        comma = "，" if self.tongue.language == "zh" else ", "
        yield words + comma + self.tongue.where(place), within & facts.at_place[place.look]

    def say(self, form: str, **slots: str) -> str:
        """Word a form, one of its wordings at random."""
        return self.tongue.say(pick(self.rng, table("templates")[form][self.tongue.language]), **slots)

    def choice(
        self, form: str, right: Answer, wrong: Sequence[Answer], word: Callable[[Answer], str],
        evidence: Sequence[Span], *, scope: str = "", needs: tuple[str, ...] = ("frames",), most: int = 3,
        keep_order: bool = False, **slots: str,
    ) -> Question | None:  # fmt: skip
        """Return a question with up to `most` wrong options, or None when none differs from the right one."""
        shown = {word(right)}
        others = []
        for answer in wrong:
            if word(answer) not in shown:
                shown.add(word(answer))
                others.append(answer)
        drawn = some(self.rng, others, most)
        at = int(self.rng.random() * (len(drawn) + 1))
        text = self.tongue.sentence(self.say(form, **slots), scope)
        if not drawn:
            return None
        options = [word(answer) for answer in drawn]
        options.insert(at, word(right))
        if keep_order:
            options.sort()
            at = options.index(word(right))
        return self._question(form, text, tuple(options), at, word(right), evidence, None, needs)

    def made(
        self, form: str, right: Answer, wrong: Sequence[Answer], word: Callable[[Answer], str],
        evidence: Sequence[Span], **how: Any,
    ) -> Iterator[Question]:  # fmt: skip
        """Give the question that `choice` returns, if any."""
        question = self.choice(form, right, wrong, word, evidence, **how)
        if question is not None:
            yield question

    def said(self, form: str, **slots: str) -> str:
        """Word a form in its first wording, for options."""
        return self.tongue.say(table("templates")[form][self.tongue.language][0], **slots)

    def open(
        self, form: str, answer: str, evidence: Sequence[Span], *, span: Span | None = None, scope: str = "",
        needs: tuple[str, ...] = ("frames",), **slots: str,
    ) -> Question:  # fmt: skip
        """Return a question without options."""
        text = self.tongue.sentence(self.say(form, **slots), scope)
        return self._question(form, text, (), None, answer, evidence, span, needs)

    def _question(
        self, form: str, text: str, options: tuple[str, ...], correct: int | None, answer: str,
        evidence: Sequence[Span], span: Span | None, needs: tuple[str, ...],
    ) -> Question:  # fmt: skip
        self._count += 1
        setting = self.world.setting
        name = f"{setting.split}-{setting.level}-{self.world.seed}-{form}-{self._count}"
        return Question(
            name,
            self.kind,
            self.tongue.language,
            text,
            options,
            correct,
            answer,
            tuple(evidence),
            span,
            needs,
        )
