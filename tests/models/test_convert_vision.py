"""What is seen stays in its place: a needle at one height and width is found there by converted attention."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_sources import seeing_source  # noqa: E402

from vidence.models.internvideo3.convert.budget import Ranks  # noqa: E402
from vidence.models.internvideo3.convert.fitting import fit  # noqa: E402
from vidence.models.internvideo3.convert.moments import empty, observe  # noqa: E402
from vidence.models.internvideo3.convert.recipe import Recipe  # noqa: E402
from vidence.models.internvideo3.convert.samples import Sample  # noqa: E402
from vidence.models.internvideo3.convert.source import Layer, Source, turned  # noqa: E402
from vidence.models.internvideo3.convert.stream import Angles  # noqa: E402
from vidence.models.internvideo3.convert.twin import Twin  # noqa: E402

ROWS, COLUMNS, BEFORE, AFTER = 8, 8, 3, 48
HEADS, GROUPS, HEAD, WIDTH = 4, 2, 64, 64
NEEDLES = [(1, 6), (6, 1), (3, 3), (7, 7)]  # (height, width), one a head
ROPE = {"rope_type": "default", "rope_theta": 100.0, "mrope_section": [12, 10, 10], "mrope_interleaved": True}


def picture() -> Sample:
    """Text, one picture of 8 x 8 cells, and tokens of text that look back at it, all from one position."""
    cells = ROWS * COLUMNS
    rows, columns = torch.arange(ROWS), torch.arange(COLUMNS)
    place = (
        torch.stack([torch.zeros(cells), rows.repeat_interleave(COLUMNS), columns.repeat(ROWS)]).long()
        + BEFORE
    )
    text = torch.arange(BEFORE).expand(3, -1)
    after = torch.full((3, AFTER), BEFORE + ROWS)
    vision = torch.tensor([False] * BEFORE + [True] * cells + [False] * AFTER)
    positions = torch.cat([text, place, after], 1)
    return Sample(torch.ones(positions.shape[1], dtype=torch.long), positions, vision)


def looking_layer(sample: Sample, angles: Angles) -> Layer:
    """Make a layer whose last tokens look, with each head, for the cell of that head's needle.

    Every token has the same key but for a little noise; each head's query is that key, turned to the needle's place.
    """
    torch.manual_seed(3)
    phases_LF = angles.phases(sample)[0]
    key_Gd = torch.randn(GROUPS, HEAD)
    weights = {
        "input_layernorm.weight": torch.ones(WIDTH),
        "self_attn.k_proj.weight": 0.05 * torch.randn(GROUPS * HEAD, WIDTH) * WIDTH**-0.5,
        "self_attn.k_proj.bias": key_Gd.flatten(),
        "self_attn.v_proj.weight": torch.randn(GROUPS * HEAD, WIDTH) * WIDTH**-0.5,
        "self_attn.v_proj.bias": torch.zeros(GROUPS * HEAD),
        "self_attn.q_proj.weight": 0.02 * torch.randn(HEADS * HEAD, WIDTH) * WIDTH**-0.5,
        "self_attn.o_proj.weight": torch.randn(WIDTH, HEADS * HEAD) * (HEADS * HEAD) ** -0.5,
        "self_attn.q_norm.weight": torch.ones(HEAD),
        "self_attn.k_norm.weight": torch.ones(HEAD),
    }
    queries = []
    for head, (row, column) in enumerate(NEEDLES):
        at = BEFORE + row * COLUMNS + column
        turn_F = phases_LF[at] * phases_LF[-1].conj()
        queries.append(turned(key_Gd[head * GROUPS // HEADS][None, None, None], turn_F[None, None])[0, 0, 0])
    weights["self_attn.q_proj.bias"] = 2 * torch.stack(queries).flatten()
    return Layer(HEADS, GROUPS, HEAD, 1e-6, weights)


def found_cells(scores_HL: Any) -> list[tuple[int, int]]:
    best = scores_HL[:, BEFORE : BEFORE + ROWS * COLUMNS].argmax(-1).tolist()
    return [divmod(at, COLUMNS) for at in best]


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> tuple[Source, Sample, Angles, Layer, Any]:
    shape = {
        "num_attention_heads": HEADS,
        "num_key_value_heads": GROUPS,
        "head_dim": HEAD,
        "num_hidden_layers": 1,
    }
    source = seeing_source(
        tmp_path_factory.mktemp("source"), **shape, attention_bias=True, rope_parameters=ROPE
    )
    sample, angles = picture(), Angles(source)
    return source, sample, angles, looking_layer(sample, angles), torch.randn(1, sample.length, WIDTH)


def scores(twin: Twin, sample: Sample, angles: Angles, hidden: Any) -> Any:
    attention = twin.attention
    normed = torch.nn.functional.rms_norm(hidden, (WIDTH,))
    kinds = torch.where(sample.vision_L, 1, 0)[None]
    q_content, q_rope, latent, k_rope = attention.project(normed, angles.embeddings(sample), kinds)
    keys = attention._kv_b_NkR()[:, :HEAD] @ latent[0].mT
    content = q_content[0, :, -1:] @ keys.repeat_interleave(HEADS // GROUPS, 0)
    return (content + q_rope[0, :, -1:] @ k_rope[0].mT)[:, 0]


@pytest.mark.parametrize(("pairs", "rank"), [(40, 176), (28, 72), (20, 32)])
def test_a_needle_is_found_where_it_lies(setting: Any, pairs: int, rank: int) -> None:
    source, sample, angles, layer, hidden = setting
    q, k, _ = layer.project(hidden)
    turned_q, turned_k = (turned(part, angles.phases(sample))[0] for part in (q, k))
    plain = (turned_q[:, -1:] @ turned_k.repeat_interleave(HEADS // GROUPS, 0).mT)[:, 0]
    assert found_cells(plain) == NEEDLES
    moments = empty(layer)
    observe(moments, layer, hidden, angles.phases(sample), sample.vision_L[None])
    twin = Twin(source, layer, *fit(source, moments, layer, Ranks(pairs, rank, rank), Recipe()))
    with torch.no_grad():
        assert found_cells(scores(twin, sample, angles, hidden)) == NEEDLES


def test_without_height_and_width_in_the_rope_key_the_needle_is_lost(setting: Any) -> None:
    """What the test above proves: with every pair of H and W taken away attention no longer tells cells apart."""
    source, sample, angles, layer, hidden = setting
    moments = empty(layer)
    observe(moments, layer, hidden, angles.phases(sample), sample.vision_L[None])
    shape, tensors = fit(source, moments, layer, Ranks(28, 72, 72), Recipe())
    in_time = torch.tensor([frequency % 3 == 0 or frequency >= 30 for frequency in shape.frequencies])
    assert 0 < int(in_time.sum()) < len(in_time)  # all three axes are kept by the conversion itself
    blind = dict(tensors)
    for name in ("self_attn.rope_key_mix", "self_attn.rope_query_mix"):
        blind[name] = tensors[name] * in_time[:, None, None, None]
    with torch.no_grad():
        assert found_cells(scores(Twin(source, layer, shape, blind), sample, angles, hidden)) != NEEDLES
