"""Moments are put into words by four graphs of Florence-2's signature, and found by search and by questions.

The real weights lie on a hub: here graphs of the same inputs, outputs and layers stand for them, with ten words.
"""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from conftest import MakeVideo
from vidence.errors import WeightsError
from vidence.media import Frame, open_media
from vidence.memory import Memory, index
from vidence.senses import default_senses
from vidence.senses.captions import Captions, Florence
from vidence.senses.captions.florence import BEGIN, END, PROMPT, _choose
from vidence.timeline import Span
from vidence.video import open as open_video

WORDS = ["<s>", "<pad>", "</s>", "<unk>", "A", "Ġred", "Ġblue", "Ġroom", "Ġa", "."]
WIDTH = len(WORDS)
LAYERS, HEADS, SIZE = 6, 2, 4
FLOAT, INT, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def save(path: Path, nodes: list, inputs: dict, outputs: dict, constants: dict[str, np.ndarray]) -> None:
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def write_vision(path: Path) -> None:
    """Give two places of the picture's mean colour: red on the place of " red", blue on that of " blue"."""
    turn = np.zeros((3, WIDTH), np.float32)
    turn[0, 5], turn[2, 6] = 1.0, 1.0
    nodes = [
        helper.make_node("ReduceMean", ["pixel_values"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["mean", "turn"], ["row"]),
        helper.make_node("Unsqueeze", ["row", "one"], ["place"]),
        helper.make_node("Concat", ["place", "place"], ["image_features"], axis=1),
    ]
    inputs = {"pixel_values": (FLOAT, ["b", 3, 768, 768])}
    save(path, nodes, inputs, {"image_features": ["b", 2, WIDTH]}, {"turn": turn, "one": np.array([1])})


def write_embed(path: Path) -> None:
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["inputs_embeds"], axis=0)]
    table = {"table": np.eye(WIDTH, dtype=np.float32)}
    save(path, nodes, {"input_ids": (INT, ["b", "t"])}, {"inputs_embeds": ["b", "t", WIDTH]}, table)


def write_encoder(path: Path) -> None:
    nodes = [
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["inputs_embeds", "column"], ["last_hidden_state"]),
    ]
    inputs = {"attention_mask": (INT, ["b", "s"]), "inputs_embeds": (FLOAT, ["b", "s", WIDTH])}
    save(path, nodes, inputs, {"last_hidden_state": ["b", "s", WIDTH]}, {"last": np.array([2])})


def write_decoder(path: Path) -> None:
    """Write a decoder: the table of what follows what, the colour seen, and an end that presses as tokens are kept."""
    follows = np.zeros((WIDTH, WIDTH), np.float32)
    follows[BEGIN, 4], follows[4, 5], follows[4, 6], follows[5, 7], follows[6, 7], follows[7, 9] = (
        5,
        5,
        5,
        5,
        5,
        5,
    )
    follows[9, 7] = 5  # without the end's pressure it would never stop
    ending = np.zeros(WIDTH, np.float32)
    ending[END] = 2.0
    inputs = {
        "encoder_attention_mask": (INT, ["b", "s"]), "encoder_hidden_states": (FLOAT, ["b", "s", WIDTH]),
        "inputs_embeds": (FLOAT, ["b", "t", WIDTH]), "use_cache_branch": (BOOL, [1]),
    }  # fmt: skip
    outputs = {"logits": ["b", "t", WIDTH]}
    nodes = [
        helper.make_node("MatMul", ["inputs_embeds", "follows"], ["next"]),
        helper.make_node("ReduceMean", ["encoder_hidden_states"], ["seen"], axes=[1], keepdims=1),
        helper.make_node("Shape", ["present.0.decoder.key"], ["shape"]),
        helper.make_node("Gather", ["shape", "two"], ["kept"]),
        helper.make_node("Cast", ["kept"], ["count"], to=FLOAT),
        helper.make_node("Sub", ["count", "grace"], ["pressing"]),
        helper.make_node("Mul", ["pressing", "ending"], ["press"]),
        helper.make_node("Add", ["next", "seen"], ["some"]),
        helper.make_node("Add", ["some", "press"], ["logits"]),
        helper.make_node("Shape", ["inputs_embeds"], ["fed"]),
        helper.make_node("Gather", ["fed", "first"], ["tokens"]),
        helper.make_node("Concat", ["head", "tokens", "tail"], ["new_shape"], axis=0),
        helper.make_node("ConstantOfShape", ["new_shape"], ["new"]),
    ]
    for layer in range(LAYERS):
        for side in ("decoder", "encoder"):
            for part in ("key", "value"):
                past, present = f"past_key_values.{layer}.{side}.{part}", f"present.{layer}.{side}.{part}"
                inputs[past] = (FLOAT, ["b", HEADS, f"past_{side}", SIZE])
                outputs[present] = ["b", HEADS, f"all_{side}", SIZE]
                nodes.append(helper.make_node("Concat", [past, "new"], [present], axis=2))
    constants = {
        "follows": follows, "ending": ending, "grace": np.array(2.5, np.float32), "two": np.array(2),
        "first": np.array([1]), "head": np.array([1, HEADS]), "tail": np.array([SIZE]),
    }  # fmt: skip
    cached = [node for node in nodes if node.output[0].startswith("present.")]
    rest = [node for node in nodes if not node.output[0].startswith("present.")]
    save(path, [*rest[9:], *cached, *rest[:9]], inputs, outputs, constants)


@pytest.fixture
def florence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the model into a catalogue of its own under its real name; return the folder of the entries."""
    files = {"vision": "v.onnx", "embed": "e.onnx", "encoder": "n.onnx", "decoder": "d.onnx"}
    writers = {
        "vision": write_vision,
        "embed": write_embed,
        "encoder": write_encoder,
        "decoder": write_decoder,
    }
    for part, name in files.items():
        writers[part](tmp_path / name)
    letters = {letter: WIDTH + at for at, letter in enumerate(sorted(set(PROMPT.replace(" ", "Ġ"))))}
    vocabulary = {name: at for at, name in enumerate(WORDS)} | {k: 3 for k in letters if k not in WORDS}
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary))
    (tmp_path / "merges.txt").write_text("#version: 0.2\nĠ a\n")
    folder = tmp_path / "entries"
    folder.mkdir()
    for part, name in {**files, "vocabulary": "vocab.json", "merges": "merges.txt"}.items():
        file = tmp_path / name
        (folder / f"florence2-base-{part}.toml").write_text(
            f'title = "t"\nmodel = "florence2-base"\nsense = "captions"\ntier = "standard"\nlicence = "MIT"\n'
            f'bytes = 1\nsha256 = "{hashlib.sha256(file.read_bytes()).hexdigest()}"\n'
            f'[[sources]]\nkind = "url"\nurl = "{file.as_uri()}"\n'
        )
    monkeypatch.setenv("VIDENCE_CATALOGUE", str(folder))
    return folder


def plain(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((48, 64, 3), colour, np.uint8)


def test_a_picture_and_the_question_become_words(florence: Path) -> None:
    writer = Florence()
    assert writer.caption(plain((250, 10, 10))).text == "A red room"
    assert writer.caption(plain((10, 10, 250))).text == "A blue room"
    assert 0.5 < writer.caption(plain((250, 10, 10))).confidence < 1


def test_no_run_of_three_tokens_is_written_twice() -> None:
    logits = np.zeros(6)
    logits[3], logits[5] = 9.0, 8.0
    assert _choose(logits, [0, 1, 2, 4])[0] == 3
    assert _choose(logits, [1, 2, 3, 4, 1, 2])[0] == 5


def test_a_picture_is_described_when_it_changes_and_its_words_last_until_then(florence: Path) -> None:
    sense = Captions()
    watcher = sense.watch(None, Span.of(0, 60))  # type: ignore[arg-type]
    for at, colour in enumerate([(250, 0, 0), (250, 0, 0), (0, 0, 250), (3, 0, 250)]):
        watcher.see(Frame(Fraction(8 * at), Fraction(1, 25), plain(colour)))
    found = watcher.finish()
    assert [(one.text, one.span) for one in found] == [
        ("A red room", Span.of(0, 16)), ("A blue room", Span.of(16, 32)),
    ]  # fmt: skip
    assert {one.modality for one in found} == {"visual"}
    assert Captions().watch(None, Span.of(0, 60)).finish() == []  # type: ignore[arg-type]


def test_captions_are_searched_grounded_and_weighed_like_other_words(
    florence: Path, make_video: MakeVideo, tmp_path: Path
) -> None:
    def paint(number: int) -> np.ndarray:
        return np.full((120, 160, 3), (250, 0, 0) if number < 80 else (0, 0, 250), np.uint8)

    path = make_video("film.mp4", fps=5, frames=160, paint=paint)
    video = open_video(path, memory=tmp_path / "m.sqlite", tier="embedded")
    video.senses = default_senses(["captions"])
    with video.media, video.memory:
        video.index()
        assert [hit.observation.text for hit in video.search("blue room")][:1] == ["A blue room"]
        found = video.ground("a blue room")
        assert found[0].span.start == 16
        assert found[0].why.startswith("described as")
        answer = video.ask("What does the room look like?", choices=["a blue room", "a green meadow"])
        assert answer.choice is not None
        assert answer.choice.text == "a blue room"
        assert any(e.sense == "captions" for claim in answer.claims for e in claim.evidence)


def test_missing_weights_stand_in_the_coverage_and_the_rest_goes_on(
    make_video: MakeVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDENCE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("VIDENCE_OFFLINE", "1")
    with pytest.raises(WeightsError, match="florence2-base-vision"):
        Florence().caption(plain((0, 0, 0)))
    with open_media(make_video("a.mp4", frames=10)) as media, Memory.open(tmp_path / "m.sqlite") as memory:
        report = index(media, memory, default_senses(["captions", "colour"]))
        assert [failure.sense for failure in report.failed] == ["captions"]
        assert memory.coverage(media.hash).senses == ("colour",)
