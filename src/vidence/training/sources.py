"""Where samples come from: worlds without end, chat jsonl with images and videos, and the release's annotation files.

A source is asked by number, so that a run can be resumed, and sampled side by side, by counting.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from vidence.errors import UsageError
from vidence.models.internvideo3.protocol import letters, offered, worded
from vidence.models.internvideo3.video import Clip, Excerpt
from vidence.timeline import Span, instant
from vidence.training.chat import PRETRAIN, Message
from vidence.training.config import PhasePart, SourcePart
from vidence.training.environment import Medium, demonstration, evenly
from vidence.training.rewards import Truth

if TYPE_CHECKING:
    from vidence.worlds import Question, World

IMAGE_MARK, VIDEO_MARK = "<IMG_CONTEXT>", "<VIDEO_CONTEXT>"  # the release's
TRIES = 16  # worlds that are looked at for one question
MARKS = {"<image>": "image", "<video>": "video", IMAGE_MARK: "image", VIDEO_MARK: "video"}


@dataclass(frozen=True, slots=True)
class Sample:
    """Messages, the last the assistant's; where rules can judge an answer, what is true. `name` is for logs.

    `medium` is what a model that may call tools can look at again.
    """

    name: str
    messages: tuple[Message, ...]
    truth: Truth | None = None
    medium: Medium | None = None

    @property
    def question(self) -> tuple[Message, ...]:
        """Return the messages before the assistant's last."""
        return self.messages[:-1]


class Source(Protocol):
    """Gives samples by number."""

    @property
    def size(self) -> int | None:
        """How many samples there are; None: no end."""
        ...

    def sample(self, number: int) -> Sample:
        """Return a sample.

        Raises:
            UsageError: it is damaged, naming where.
        """
        ...


def open_source(part: SourcePart, phase: PhasePart) -> Source:
    """Open what a part of the configuration names.

    Raises:
        UsageError: a file cannot be read.
    """
    if part.kind == "world":
        return WorldSource(part, phase)
    assert part.path is not None  # the configuration was checked
    if part.kind == "chat":
        return ChatSource(part.path, part.media_root or part.path.parent)
    return ReleaseSource(part.path)


class WorldSource:
    """One or more questions, or a caption, about a world of its own for each sample."""

    def __init__(self, part: SourcePart, phase: PhasePart) -> None:
        self.part, self.phase = part, phase
        self.size = part.worlds

    def world(self, number: int, attempt: int = 0) -> World:
        """Make a world for a sample; in not every one something happens that can be asked about."""
        from vidence.worlds import Setting, make_world

        part = self.part
        shortest, longest = self.phase.duration_s or part.duration_s
        seed = part.first_seed + number * TRIES + attempt
        drawn = random.Random(f"duration {seed}").uniform(shortest, longest)
        setting = Setting(
            duration_s=round(drawn, 1),
            size=part.size,
            level=part.level if self.phase.level is None else self.phase.level,
            split=part.split,
            languages=part.languages,
            cast=part.cast,
            kinds=part.kinds,
        )
        return make_world(seed, setting)

    def sample(self, number: int) -> Sample:
        """Return questions about a world, with their answers; or what its caption says.

        Raises:
            UsageError: none of a few worlds has a question of this form and these kinds.
        """
        part = self.part
        for attempt in range(TRIES):
            world = self.world(number, attempt)
            draw = random.Random(f"sample {world.seed}")
            language = draw.choice(part.languages)
            if part.form in ("caption", "text"):
                return self._told(f"world {world.seed}", world, language)
            questions = world.questions(language=language, kinds=part.kinds)
            questions = [one for one in questions if (one.span is not None) == (part.form == "grounding")]
            if questions:
                return self.asked(world, draw.sample(questions, min(part.questions, len(questions))))
        wanted = ", ".join(part.kinds or ["any kind"])
        raise UsageError(f"worlds of level {part.level} have no question of {wanted} in form {part.form}")

    def asked(self, world: World, questions: Sequence[Question]) -> Sample:
        """Write questions as messages, one after another; what is judged is the answer to the last."""
        seen = [{"type": "video", "video": self._clip(world), "key": self._key(world)}]
        put = [self._put(question) for question in questions]
        messages = list[Message]()
        for number, (text, said, _) in enumerate(put):
            parts = [*(() if number else seen), {"type": "text", "text": text}]
            messages.append({"role": "user", "content": parts})
            messages.append({"role": "assistant", "content": said})
        last, (_, said, truth) = questions[-1], put[-1]
        if self.part.form == "tool":
            shown = demonstration(world, last.evidence, said, self.phase.seeing)
            messages = [*offered(messages[:-1]), *shown]
        return Sample(f"world {world.seed} {last.id}", tuple(messages), truth, world)

    def _put(self, question: Question) -> tuple[str, str, Truth]:
        """Return how a question is put, how it is answered, and what is true."""
        text, said, letter = question.text, question.answer, None
        listed = self.part.form == "choice" or (self.part.form == "tool" and self.part.options)
        if listed and question.correct is not None:
            lines = letters(question.options)
            text, letter = "\n".join([text, *lines]), lines[question.correct][0]
            said = worded(lines[question.correct]) if self.part.worded else letter
        return text, said, Truth(question.answer, letter, question.span, question.evidence, question.kind)

    def _told(self, name: str, world: World, language: str) -> Sample:
        told = " ".join(
            f"<{float(one.span.start):.1f}-{float(one.span.end):.1f} seconds> {one.text}"
            for one in world.captions(language)
        )
        if self.part.form == "text":
            return Sample(name, ({"role": PRETRAIN, "content": told},))
        seen = {"type": "video", "video": self._clip(world), "key": self._key(world)}
        return Sample(name, ({"role": PRETRAIN, "content": [seen, {"type": "text", "text": told}]},))

    def _key(self, world: World) -> str:
        return f"{world.seed} {world.setting} {self.phase.seeing}"

    def _clip(self, world: World) -> Clip:
        seeing = self.phase.seeing
        count = int(world.span.duration * Fraction(seeing.fps))
        return evenly(world, world.span, min(max(count, seeing.min_frames), seeing.max_frames))


class ChatSource:
    """Ordinary chat jsonl, one conversation a line: {"messages": [{"role", "content"}, ...]}.

    Content is text, or parts of type text, image or video with a path under that name. Where text alone is given,
    `<image>` and `<video>` stand for the next of the line's lists "images" and "videos".
    """

    def __init__(self, path: Path, media_root: Path) -> None:
        self.path, self.media_root = path, media_root
        self._starts = _line_starts(path)

    @property
    def size(self) -> int | None:
        """How many lines there are."""
        return len(self._starts)

    def sample(self, number: int) -> Sample:
        """Read one line."""
        name = f"{self.path.name}:{number + 1}"
        row = _row(self.path, self._starts[number], name)
        messages = row.get("messages") if isinstance(row, Mapping) else None
        if not isinstance(messages, list) or not all(isinstance(one, Mapping) for one in messages):
            raise UsageError(f'{name}: has no list "messages" of objects')
        given = {kind: list(row.get(f"{kind}s") or ()) for kind in ("image", "video")}
        read = tuple({**one, "content": self._content(one.get("content"), given, name)} for one in messages)
        if left := [kind for kind, rest in given.items() if rest]:
            raise UsageError(f"{name}: lists more {left[0]}s than its text names")
        return Sample(name, read, _truth(row, read))

    def _content(self, content: Any, given: dict[str, list[Any]], name: str) -> Any:
        if isinstance(content, str):
            parts = _parts(content, given, name)
            if all(part["type"] == "text" for part in parts):
                return content
        elif isinstance(content, list):
            parts = [_part(one, name) for one in content]
        else:
            raise UsageError(f"{name}: a message's content is neither text nor a list of parts")
        return [self._found(part, name) for part in parts]

    def _found(self, part: dict[str, Any], name: str) -> dict[str, Any]:
        """Take media from the root; a path that leads out of it is refused."""
        if part["type"] == "text":
            return part
        path = (self.media_root / str(part[part["type"]])).resolve()
        if not path.is_file():
            raise UsageError(f"{name}: {part['type']} {part[part['type']]!r} is not in {self.media_root}")
        if "times" not in part:
            return {**part, part["type"]: str(path)}
        return {"type": "video", "video": _excerpt(path, part, name)}


class ReleaseSource:
    """The release's annotations: a meta json {name: {annotation, media_root, sample_ratio}} of jsonl files.

    `sample_ratio` repeats a file's lines, or takes a share of them.
    """

    def __init__(self, path: Path) -> None:
        meta = _json(path)
        if not isinstance(meta, Mapping) or not meta:
            raise UsageError(f"{path}: is no meta file; it is a JSON object of data sets")
        self.files, self._ends = list[ChatSource](), list[int]()
        total = 0
        for name, entry in meta.items():
            if not isinstance(entry, Mapping) or "annotation" not in entry:
                raise UsageError(f"{path}: {name} has no annotation")
            file = path.parent / entry["annotation"]
            self.files.append(ChatSource(file, path.parent / entry.get("media_root", "")))
            total += round(len(self.files[-1]._starts) * float(entry.get("sample_ratio", 1)))
            self._ends.append(total)

    @property
    def size(self) -> int | None:
        """How many samples there are, repeats included."""
        return self._ends[-1]

    def sample(self, number: int) -> Sample:
        """Read one line of the file that the number falls in."""
        at = next(index for index, end in enumerate(self._ends) if number < end)
        first, file = (self._ends[at - 1] if at else 0), self.files[at]
        return file.sample((number - first) % len(file._starts))


def _part(part: Any, name: str) -> dict[str, Any]:
    """Read a part as chat files or the release write it."""
    kind = part.get("type") if isinstance(part, Mapping) else None
    if kind == "text" and isinstance(part.get("text"), str):
        text = (
            part["text"].replace(IMAGE_MARK, "").replace(VIDEO_MARK, "")
        )  # the picture's own part stands for it
        return {"type": "text", "text": text}
    if kind in ("image", "video") and kind in part:
        times = {"times": part["times"]} if kind == "video" and "times" in part else {}
        return {"type": kind, kind: part[kind]} | times
    if kind in ("image_url", "video_url"):
        url = part[kind].get("url") if isinstance(part.get(kind), Mapping) else None
        if isinstance(url, str):
            return {"type": kind[:5], kind[:5]: url}
    raise UsageError(f"{name}: a part of type {kind!r} cannot be read")


def _excerpt(path: Path, part: Mapping[str, Any], name: str) -> Excerpt:
    """Read which pictures of a video are meant."""
    given = part["times"]
    if not isinstance(given, list) or not given or not all(isinstance(one, (int, float)) for one in given):
        raise UsageError(f'{name}: "times" of a video is {given!r}; it is a list of seconds')
    if given != sorted(given):
        raise UsageError(f'{name}: the "times" of a video go back; give them in order')
    return Excerpt(str(path), tuple(instant(one) for one in given))


def _parts(text: str, given: dict[str, list[Any]], name: str) -> list[dict[str, Any]]:
    """Cut a text at its marks of pictures."""
    parts = list[dict[str, Any]]()
    while found := min(((text.find(mark), mark) for mark in MARKS if mark in text), default=None):
        at, mark = found
        if at:
            parts.append({"type": "text", "text": text[:at]})
        kind, text = MARKS[mark], text[at + len(mark) :]
        if not given[kind]:
            raise UsageError(f"{name}: its text names more {kind}s than it lists")
        parts.append({"type": kind, kind: given[kind].pop(0)})
    return [*parts, {"type": "text", "text": text}] if text else parts


def _truth(row: Mapping[str, Any], messages: Sequence[Message]) -> Truth | None:
    """Read what an answer is judged by: "answer", or what the assistant says, with "span" or "letter" where given."""
    said = messages[-1]["content"] if messages and messages[-1].get("role") == "assistant" else None
    answer = row.get("answer", said)
    if not isinstance(answer, str):
        return None
    span, evidence = row.get("span"), row.get("evidence") or ()
    letter = answer if len(answer) == 1 and answer.isalpha() and answer.isupper() else None
    return Truth(
        answer,
        letter,
        Span.of(*span) if span else None,
        tuple(Span.of(*one) for one in evidence),
        str(row.get("kind", "")),
    )


def _line_starts(path: Path) -> list[int]:
    """Find where each line that is not empty begins, so that one is read without the others."""
    starts, at = list[int](), 0
    try:
        with path.open("rb") as file:
            for line in file:
                if line.strip():
                    starts.append(at)
                at += len(line)
    except OSError as fault:
        raise UsageError(f"{path}: cannot be read: {fault.strerror}") from fault
    if not starts:
        raise UsageError(f"{path}: holds no line")
    return starts


def _row(path: Path, start: int, name: str) -> Any:
    with path.open("rb") as file:
        file.seek(start)
        line = file.readline()
    try:
        return json.loads(line)
    except (UnicodeDecodeError, json.JSONDecodeError) as fault:
        raise UsageError(f"{name}: is no JSON: {fault}") from fault


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as fault:
        raise UsageError(f"{path}: cannot be read: {fault.strerror}") from fault
    except json.JSONDecodeError as fault:
        raise UsageError(f"{path}: is no JSON: {fault}") from fault
