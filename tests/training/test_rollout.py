"""What a policy samples is what training scores: the same tokens with the same log-probabilities, tools left out."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from toy import SEEING, WORLD, configured, write_converted, write_start

from vidence.models.internvideo3.conversation import Conversation
from vidence.models.internvideo3.loading import load_model
from vidence.models.internvideo3.protocol import OFFER, interval, offered
from vidence.timeline import Span
from vidence.training.config import SeeingPart
from vidence.training.environment import Looking, demonstration
from vidence.training.episodes import Play
from vidence.training.learner import Learner
from vidence.training.loading import load_learner
from vidence.training.packing import arranged, packed
from vidence.training.preparing import Preparer
from vidence.training.rewards import Outcome, Rubric, Truth
from vidence.training.rollout import Cached, InProcess, Said, Sampling
from vidence.training.sources import Sample, WorldSource
from vidence.training.trajectory import TEXT, Piece
from vidence.worlds import Setting, make_world

NEAR = (
    2e-5  # nats: absorbed attention over cached rows against expanded attention over a packed row, in float32
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_start(folder / "start")
    write_converted(folder / "latent", folder / "start", 0.5)
    return folder


@pytest.fixture(scope="module", params=["latent", "start"])
def learner(request: pytest.FixtureRequest, folder: Path) -> Learner:
    return load_learner(folder / request.param).eval()


@pytest.fixture(scope="module")
def preparer(folder: Path) -> Preparer:
    return Preparer(configured(folder / "out", folder / "start", 1, 1e-3))


def questions(preparer: Preparer, count: int) -> list[Sample]:
    return [preparer.question(0, (0, number)) for number in range(count)]


def play(preparer: Preparer, **changes: object) -> Play:
    rollout = preparer.config.rollout.model_copy(update=changes)
    chat = preparer.chat(preparer.config.phases[0])
    return Play(chat, Rubric(), rollout, SeeingPart(**SEEING, look_frames=2))  # type: ignore[arg-type]


def test_rollouts_have_the_log_probabilities_of_training(learner: Learner, preparer: Preparer) -> None:
    groups = play(preparer, temperature=0.7).episodes(
        InProcess(learner), questions(preparer, 3), group=4, seed=1
    )
    trajectories = [episode.trajectory for group in groups for episode in group]
    pack = packed(trajectories, learner.place, learner.merge)
    with torch.no_grad():
        found = learner(pack, temperature=0.7).logprobs_N
    torch.testing.assert_close(found, pack.logprobs_N, atol=NEAR, rtol=0)
    assert len({tuple(one.ids_L.tolist()) for one in trajectories[:4]}) > 1


def test_a_group_shares_its_videos_features(learner: Learner, preparer: Preparer) -> None:
    (group,) = play(preparer).episodes(InProcess(learner), questions(preparer, 1), group=5, seed=1)
    pack = packed([episode.trajectory for episode in group], learner.place, learner.merge)
    assert pack.patches_PD is not None
    assert len(pack.patches_PD) // 4 * 5 == int(pack.visual_L.sum())
    assert pack.grids_I3 is not None
    assert len(pack.grids_I3) == 1


def test_the_same_seed_samples_the_same(learner: Learner, preparer: Preparer) -> None:
    def ids(seed: int) -> list[list[int]]:
        (group,) = play(preparer).episodes(InProcess(learner), questions(preparer, 1), group=3, seed=seed)
        return [episode.trajectory.ids_L.tolist() for episode in group]

    assert ids(5) == ids(5) != ids(6)


def test_a_policy_in_use_reads_what_training_wrote(folder: Path, preparer: Preparer) -> None:
    """A conversation with its own template, cache and sampling says what a rollout says, as surely."""
    model = load_model(folder / "latent", dtype=torch.float32)
    engine = InProcess(Learner(model).eval())
    offering = play(preparer, turns=2)
    for sample in questions(preparer, 3):
        ((episode,),) = offering.episodes(engine, [sample], group=1, seed=1, greedy=True)
        talk = Conversation(model, preparer.processor)
        said = talk.reply(offering.asked(sample), max_new_tokens=5, do_sample=False)
        assert said == episode.said
        logprobs_L = episode.trajectory.logprobs_L
        assert logprobs_L is not None
        learned_L = logprobs_L[episode.trajectory.learned_L]
        # In use the marks of pictures are not among what might be said: of 512 words, three.
        torch.testing.assert_close(torch.tensor(talk.logprobs), learned_L, atol=0.02, rtol=0)


class Scripted:
    """An engine that says what it is told to, by turn, in the words of a tokenizer."""

    def __init__(self, learner: Learner, preparer: Preparer, *turns: str) -> None:
        self.learner, self.tokenizer, self.turns = learner, preparer.processor.tokenizer, list(turns)

    def begin(self, prompts: list[list[Piece]], group: int, seed: int) -> Scripted:
        self.cached = Cached(self.learner, prompts, group, seed)
        return self

    def tell(self, pieces: list[list[Piece] | None]) -> None:
        self.cached.tell(pieces)

    def hear(self, sampling: Sampling) -> list[Said | None]:
        del sampling
        ids = tuple(self.tokenizer(self.turns.pop(0) + "<|im_end|>")["input_ids"])
        self.cached._unread = [list(ids) for _ in self.cached._unread]
        return [Said(ids, (0.0,) * len(ids), True) if active else None for active in self.cached._active_B]


def test_what_tools_bring_is_read_and_not_learned(learner: Learner, preparer: Preparer) -> None:
    call = '<tool_call>{"name": "look", "arguments": {"start": 1, "end": 3}}</tool_call>'
    engine = Scripted(learner, preparer, call, "red <1.0-3.0 seconds>")
    sample = questions(preparer, 1)[0]
    sample = replace(sample, truth=Truth("red", None, None, (Span.of(1, 3),)))
    ((episode,),) = play(preparer, turns=2).episodes(engine, [sample], group=1, seed=0)
    one, tokenizer = episode.trajectory, preparer.processor.tokenizer
    assert tokenizer.decode(one.ids_L[one.learned_L]) == f"{call}<|im_end|>red <1.0-3.0 seconds><|im_end|>"
    assert len(one.pictures) == 2
    assert not one.learned_L[one.kinds_L != TEXT].any()
    assert (episode.outcome.calls, episode.outcome.cited) == (1, (Span.of(1, 3),))
    assert episode.reward == 1
    assert Rubric({"evidence": 1.0, "thrift": 1.0}).judge(episode.outcome, sample.truth)[0] == 1.5  # type: ignore[arg-type]


def test_turns_go_on_from_the_cache_as_if_read_at_once(learner: Learner, preparer: Preparer) -> None:
    chat = preparer.chat(preparer.config.phases[0])
    first, second = (chat.prompt(one.question) for one in questions(preparer, 2))
    cached = Cached(learner, [first, second], 1, 0)
    cached._unread = [[5, 6], [7]]
    more = [chat.closing(), *chat.pieces({"role": "tool", "content": "look again"}), chat.opening()]
    cached.tell([more, None])
    whole = Cached(learner, [[*first, Piece([5, 6]), *more]], 1, 0)
    torch.testing.assert_close(cached._last_BD[0], whole._last_BD[0], atol=1e-4, rtol=1e-4)


def test_looking_again_tells_what_it_cannot_do() -> None:
    world = make_world(1, Setting(duration_s=8, level=0, size=(32, 32)))
    seeing = SeeingPart(look_frames=2)

    def told(text: str) -> str:
        reply = Looking(world, seeing).reply(f"<tool_call>{text}</tool_call>", ended=True, last=False)
        return str(reply.messages[0]["content"])

    assert "cannot be read" in told("look at it")
    assert "there is no tool 'zoom'" in told('{"name": "zoom", "arguments": {"start": 1, "end": 2}}')
    assert "nothing lies there" in told('{"name": "look", "arguments": {"start": 70, "end": 80}}')
    last = Looking(world, seeing).reply("<tool_call>{}</tool_call>", ended=True, last=True)
    assert last.outcome is not None
    assert not last.outcome.ended


def test_several_questions_are_asked_of_one_video() -> None:
    config = configured(
        Path("none"),
        Path("none"),
        1,
        1e-3,
        sources=[WORLD | {"kinds": None, "questions": 3, "duration_s": [9, 9]}],
    )
    one, more = (
        WorldSource(part, config.phases[0]).sample(4)
        for part in (config.sources[0].model_copy(update={"questions": 1}), config.sources[0])
    )
    assert [message["role"] for message in more.messages] == ["user", "assistant"] * 3
    shown = [part["type"] for message in more.messages[::2] for part in message["content"]]
    assert shown == ["video", "text", "text", "text"]
    assert more.truth is not None
    assert more.messages[-1]["content"] == more.truth.answer
    assert len(one.messages) == 2


def test_tools_are_offered_where_they_are_shown_and_once() -> None:
    config = configured(Path("none"), Path("none"), 1, 1e-3, sources=[WORLD | {"form": "tool"}])
    sample = WorldSource(config.sources[0], config.phases[0]).sample(0)
    assert sample.messages[0] == {"role": "system", "content": OFFER}
    assert offered(sample.question) == sample.question
    assert sample.truth is not None
    assert sample.messages[-1]["content"].startswith(sample.truth.letter or "?")


def test_a_demonstration_looks_where_the_evidence_is() -> None:
    world = make_world(1, Setting(duration_s=8, level=0, size=(32, 32)))
    call, seen, answer = demonstration(world, [Span.of(2, 4)], "red", SeeingPart(max_frames=8, look_frames=4))
    assert '"start": 2.0, "end": 4.0' in call["content"]
    times = seen["content"][0]["video"].times
    assert times == tuple(Fraction(9 + 2 * at, 4) for at in range(4))
    assert answer["content"] == "red <2.0-4.0 seconds>"
    assert demonstration(world, [Span.of(2, 4)], "red", SeeingPart(max_frames=16)) == [answer]


@pytest.mark.parametrize(
    ("text", "reward"), [("B", 1), ("B.", 1), (" b", 0), ("B. red", 1), ("Because", 0), ("A", 0), ("", 0)]
)
def test_letters_are_judged_strictly(text: str, reward: float) -> None:
    assert Rubric().judge(Outcome(text), Truth("red", "B"))[0] == reward


def test_intervals_are_judged_by_overlap() -> None:
    truth = Truth("", None, Span.of(2, 6))
    assert Rubric().judge(Outcome("4.0 - 6.0 seconds"), truth)[0] == 0.5
    assert Rubric().judge(Outcome("from 6 to 4"), truth)[0] == 0
    assert interval("no idea") is None


def test_worlds_differ_by_number_and_not_by_asking() -> None:
    config = configured(Path("out"), Path("model"), 1, 1e-3, sources=[WORLD])
    source = WorldSource(config.sources[0], config.phases[0])
    first, again, other = source.sample(3), source.sample(3), source.sample(4)
    assert first.name == again.name != other.name
    assert first.truth == again.truth


def test_answers_that_share_their_prompt_in_a_row_score_as_they_do_apart(
    folder: Path, preparer: Preparer
) -> None:
    learner = load_learner(folder / "latent").eval()
    groups = play(preparer).episodes(InProcess(learner), questions(preparer, 2), group=4, seed=2)
    trajectories = [episode.trajectory for group in groups for episode in group]
    apart = packed(trajectories, learner.place, learner.merge)
    shared = packed(trajectories, learner.place, learner.merge, shared=True)
    assert shared.tokens < apart.tokens / 2
    assert len(shared.features_V) * 4 == len(apart.features_V)
    with torch.no_grad():
        torch.testing.assert_close(learner(shared).logprobs_N, learner(apart).logprobs_N, atol=NEAR, rtol=0)
    assert torch.equal(shared.targets_N, apart.targets_N)
    assert torch.equal(shared.owners_N, apart.owners_N)


def test_later_pictures_stay_with_the_answers_that_asked_for_them(folder: Path, preparer: Preparer) -> None:
    learner = load_learner(folder / "latent").eval()
    call = '<tool_call>{"name": "look", "arguments": {"start": 1, "end": 3}}</tool_call>'
    engine = Scripted(learner, preparer, call, "red")
    samples = [replace(one, truth=Truth("red")) for one in questions(preparer, 2)]
    groups = play(preparer, turns=2).episodes(engine, samples, group=3, seed=0)
    trajectories = [episode.trajectory for group in groups for episode in group]
    apart = packed(trajectories, learner.place, learner.merge)
    shared = packed(trajectories, learner.place, learner.merge, shared=True)
    with torch.no_grad():
        torch.testing.assert_close(learner(shared).logprobs_N, learner(apart).logprobs_N, atol=NEAR, rtol=0)
    (row,) = arranged(trajectories, shared.tokens, shared=True)
    assert len(row) == 6
    assert len(arranged(trajectories, shared.tokens - 1, shared=True)) == 2
