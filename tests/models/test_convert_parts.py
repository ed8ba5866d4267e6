"""The stages of a conversion, each by itself: moments, positions, balance and factors, norms, budgets."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from vidence.errors import UsageError  # noqa: E402
from vidence.models.internvideo3.config import mrope_axes  # noqa: E402
from vidence.models.internvideo3.convert.balance import weights  # noqa: E402
from vidence.models.internvideo3.convert.budget import Worth, allocate, parse_target  # noqa: E402
from vidence.models.internvideo3.convert.factor import basis, factors  # noqa: E402
from vidence.models.internvideo3.convert.moments import empty, observe, restored  # noqa: E402
from vidence.models.internvideo3.convert.norms import linearised, no_norms  # noqa: E402
from vidence.models.internvideo3.convert.positional import candidates, folds_of  # noqa: E402
from vidence.models.internvideo3.convert.recipe import Recipe  # noqa: E402
from vidence.models.internvideo3.convert.samples import Corpus, text_sample  # noqa: E402
from vidence.models.internvideo3.convert.source import Layer  # noqa: E402

HEADS, GROUPS, HEAD, WIDTH = 4, 2, 16, 64
THETA = 10_000.0 ** (-torch.arange(HEAD // 2) * 2.0 / HEAD)
SINGLE = [[frequency] for frequency in range(HEAD // 2)]


def drawn_layer(seed: int = 0, *, norms: bool = False) -> Layer:
    generator = torch.Generator().manual_seed(seed)

    def matrix(rows: int, columns: int) -> Any:
        return torch.randn(rows, columns, generator=generator) * columns**-0.5

    weights = {
        "input_layernorm.weight": torch.ones(WIDTH),
        "self_attn.q_proj.weight": matrix(HEADS * HEAD, WIDTH),
        "self_attn.k_proj.weight": matrix(GROUPS * HEAD, WIDTH),
        "self_attn.v_proj.weight": matrix(GROUPS * HEAD, WIDTH),
        "self_attn.o_proj.weight": matrix(WIDTH, HEADS * HEAD),
    }
    if norms:
        weights |= {
            f"self_attn.{name}_norm.weight": torch.rand(HEAD, generator=generator) + 0.5 for name in "qk"
        }
    return Layer(HEADS, GROUPS, HEAD, 1e-6, weights)


def phases(length: int) -> Any:
    angle_LF = torch.arange(length)[:, None] * THETA
    return torch.polar(torch.ones_like(angle_LF), angle_LF)[None]


def seen(layer: Layer, *, length: int = 40, count: int = 3, hidden: Any = None, vision: Any = None) -> Any:
    moments = empty(layer)
    generator = torch.Generator().manual_seed(7)
    for _ in range(count):
        states = torch.randn(1, length, WIDTH, generator=generator) if hidden is None else hidden
        marks = torch.zeros(1, length, dtype=torch.bool) if vision is None else vision
        observe(moments, layer, states, phases(length), marks)
    return moments


def test_moments_are_the_weighted_sums_they_are_said_to_be() -> None:
    layer, length = drawn_layer(), 12
    hidden = torch.randn(1, length, WIDTH)
    moments = seen(layer, length=length, count=1, hidden=hidden)
    q, k, v = (part[0].double() for part in layer.project(hidden))
    turn = phases(length)[0].to(torch.complex128)

    def rotated(x: Any) -> Any:
        return torch.complex(*x.chunk(2, -1)) * turn

    keys = k.repeat_interleave(HEADS // GROUPS, 0)
    scores = (rotated(q)[:, :, None].conj() * rotated(keys)[:, None]).real.sum(-1) * HEAD**-0.5
    attention = scores.masked_fill(torch.ones(length, length).triu(1).bool(), -torch.inf).softmax(-1)
    rows = torch.cat([k, v]).transpose(0, 1).flatten(1)
    weight = attention.sum((0, 1)) / HEADS
    torch.testing.assert_close(
        moments.second_Mzz[0], (rows * weight[:, None]).mT @ rows, atol=1e-4, rtol=1e-4
    )
    torch.testing.assert_close(moments.mass_M[0], weight.sum(), atol=1e-4, rtol=1e-4)
    # The sensitivity of a query: how the layer's output varies over the values it reads.
    out = layer.weights["self_attn.o_proj.weight"].double().unflatten(1, (HEADS, HEAD))
    values = torch.einsum("Dhd,hld->hlD", out, v.repeat_interleave(HEADS // GROUPS, 0))
    mean = attention @ values
    spread = torch.einsum("hij,hijD->hi", attention, (values[:, None] - mean[:, :, None]).square())
    wanted = torch.einsum("hid,hi,hie->hde", q, spread, q)
    torch.testing.assert_close(moments.queries_Hdd, wanted, atol=1e-3, rtol=1e-3)


def test_moments_survive_a_file_and_tell_modalities_apart() -> None:
    layer, length = drawn_layer(), 10
    vision = torch.arange(length)[None] < 4
    moments = seen(layer, length=length, vision=vision)
    assert moments.tokens_M.tolist() == [18, 12]
    again = restored(moments.tensors())
    assert torch.equal(again.phase_HF, moments.phase_HF)
    both = moments.covariance_zz() * moments.mass_M.sum()
    parts = sum(moments.covariance_zz(kind) * moments.mass_M[kind] for kind in range(2))
    torch.testing.assert_close(both, parts)


def test_what_always_meets_one_phase_costs_nothing() -> None:
    """Queries that see but one distance: the mean rotation is the rotation."""
    layer = drawn_layer()
    moments = seen(layer)
    angle_HF = torch.full((HEADS, HEAD // 2), 0.7, dtype=torch.float64)
    steady = torch.polar(torch.ones_like(angle_HF), angle_HF)
    moments.phase_HF = moments.energy_HF * steady
    assert float(candidates(moments, layer, SINGLE).cost_C.sum()) < 1e-6 * float(
        candidates(moments, layer, SINGLE, turn=False).cost_C.sum()
    )


def test_kept_pairs_and_the_rest_make_up_the_keys() -> None:
    layer = drawn_layer()
    found = candidates(seen(layer), layer, SINGLE)
    for pairs in (0, 5, GROUPS * HEAD // 2):
        kept = found.kept(pairs)
        rest_kk = kept.rest_kk(GROUPS, HEAD // 2)
        keys = torch.randn(GROUPS, HEAD, dtype=torch.float64)
        parts = torch.complex(*keys.chunk(2, -1))
        rope_J = torch.einsum("jwg,gjw->j", kept.encode_JWG, parts[:, kept.sources_JW])
        back = torch.zeros_like(parts)
        for pair, sources in enumerate(kept.sources_JW):
            back[:, sources] += (kept.decode_JWG[pair] * rope_J[pair]).mT
        whole = torch.cat([back.real, back.imag], -1) + (rest_kk @ keys.flatten()).view(GROUPS, HEAD)
        torch.testing.assert_close(whole, keys)
        left = torch.linalg.matrix_rank(rest_kk, atol=1e-6, rtol=0.0)
        assert left == 2 * (GROUPS * HEAD // 2 - pairs)
    assert (found.cost_C.diff() <= 0).all()


def test_what_is_measured_on_is_never_trained_on() -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = [text_sample(torch.randint(0, 99, (6,), generator=generator)) for _ in range(20)]
    whole = Corpus(tuple(drawn), ())
    rest, held = Corpus(tuple(drawn[:16]), ()).held_out()
    assert [len(rest.samples), len(held.samples)] == [14, 2]
    assert len(whole.without(held).samples) == 18
    assert not {id(one) for one in whole.without(held).samples} & {id(one) for one in held.samples}


@pytest.mark.parametrize("width", [1, 2, 4])
def test_folds_never_mix_axes(width: int) -> None:
    axes = mrope_axes([24, 20, 20], 64)
    folds = folds_of(axes, width)
    assert sorted(one for fold in folds for one in fold) == list(range(64))
    assert all(len({axes[one] for one in fold}) == 1 for fold in folds)


def test_a_fold_that_does_not_fit_an_axis_is_refused() -> None:
    with pytest.raises(UsageError, match="fold"):
        folds_of(mrope_axes([24, 20, 20], 64), 3)


def test_directions_are_costliest_first_and_full_rank_is_exact() -> None:
    layer = drawn_layer()
    moments = seen(layer)
    positional = candidates(moments, layer, SINGLE).kept(4)
    for how in ("outputs", "energy"):
        found = basis(moments, layer, positional, weights(moments, layer, positional, how=how))
        assert (found.cost_z.diff() <= 1e-9).all()
        lanes = 2 * GROUPS * HEAD
        whole = factors(found, lanes, lanes)
        row = torch.randn(lanes, dtype=torch.float64)
        rest = torch.block_diag(
            positional.rest_kk(GROUPS, HEAD // 2), torch.eye(GROUPS * HEAD, dtype=torch.float64)
        )
        read = whole.decode_zR @ (whole.encode_Rz @ row + whole.offset_R)
        torch.testing.assert_close(read, rest @ (row - found.mean_z), atol=1e-6, rtol=1e-6)


def test_lanes_of_a_latent_are_alike() -> None:
    """One scale serves all lanes of a row in 8 bits: none may be much larger than the others."""
    layer = drawn_layer()
    moments = seen(layer)
    positional = candidates(moments, layer, SINGLE).kept(4)
    part = factors(
        basis(moments, layer, positional, weights(moments, layer, positional, how="outputs")), 24, 24
    )
    spread = (part.encode_Rz @ moments.covariance_zz() @ part.encode_Rz.mT).diagonal()
    assert float(spread.mean()) == pytest.approx(1, rel=1e-6)
    assert float(spread.max() / spread.min()) < 20


def test_vision_rows_are_the_beginning_of_text_rows() -> None:
    layer, length = drawn_layer(), 30
    moments = seen(layer, length=length, vision=torch.arange(length)[None] % 3 == 0)
    positional = candidates(moments, layer, SINGLE).kept(4)
    how = weights(moments, layer, positional, how="outputs")
    found = basis(moments, layer, positional, how, vision_rank=10)
    part = factors(found, 20, 10)
    shared, own = part.encode_Rz[:10], part.encode_Rz[10:]
    scale = shared.norm() * own.norm()
    inverse = how.inverse_zz.square()
    assert float((shared @ inverse @ own.mT).norm() / scale / inverse.norm()) < 1e-6 or own.shape[0] == 10


def test_the_linear_substitute_is_exact_where_the_norm_is_a_scale() -> None:
    """Heads of one length: dividing by it is a linear map."""
    layer = drawn_layer(norms=True)
    norms = no_norms(layer)
    vision = torch.zeros(60, dtype=torch.bool)
    hidden = torch.randn(1, 60, WIDTH)
    norms.observe(layer, hidden, vision)
    errors = norms.errors(HEADS)
    assert set(errors) == {"queries", "keys"}
    assert 0 < errors["keys"]["text"] < 0.3
    plain = linearised(layer, norms)
    assert not any("_norm." in name for name in plain.weights if name.startswith("self_attn"))
    for wanted, found in zip(layer.project(hidden)[:2], plain.project(hidden)[:2], strict=True):
        told = errors["queries" if wanted.shape[1] == HEADS else "keys"]["text"]
        missed = float((wanted - found).square().sum() / wanted.square().sum())
        assert missed == pytest.approx(told, rel=1e-3)


@pytest.mark.parametrize(
    ("text", "lanes"),
    [("512+64", 36 * 576), ("28%", 20_643), ("0.28", 20_643), ("41472B", 36 * 576), ("41472", 36 * 576)],
)
def test_targets(text: str, lanes: int) -> None:
    assert parse_target(text, layers=36, groups=8, width=128).lanes == lanes


@pytest.mark.parametrize("text", ["half", "512+63", "0+64", "4096+64", "0%", "12B", "120%", ""])
def test_targets_that_make_no_sense(text: str) -> None:
    with pytest.raises(UsageError, match="--target"):
        parse_target(text, layers=36, groups=8, width=128)


@settings(max_examples=60, deadline=None)
@given(
    costs=st.lists(
        st.tuples(
            st.lists(st.floats(0, 1), min_size=8, max_size=8),
            st.lists(st.floats(0, 1), min_size=16, max_size=16),
        ),
        min_size=1,
        max_size=5,
    ),
    share=st.floats(0.3, 1),
    seen_share=st.floats(0.05, 0.95),
    by_modality=st.booleans(),
)
def test_lanes_are_shared_out_within_the_target(
    costs: Any, share: float, seen_share: float, by_modality: bool
) -> None:
    worths = [
        Worth(
            sorted(pairs, reverse=True),
            sorted(cost, reverse=True),
            seen_share,
            [one / 2 for one in sorted(cost, reverse=True)],
        )
        for pairs, cost in costs
    ]
    target = parse_target(f"{share:.4f}", layers=len(worths), groups=1, width=16)
    ranks = allocate(target, worths, by_modality=by_modality)
    text = sum(2 * one.pairs + one.text for one in ranks)
    vision = sum(2 * one.pairs + one.vision for one in ranks)
    assert seen_share * vision + (1 - seen_share) * text <= target.lanes + 1e-6
    assert all(1 <= one.pairs <= 8 and 4 <= one.vision <= one.text <= 16 for one in ranks)


def test_the_layer_that_loses_more_gets_more() -> None:
    dear, cheap = ([scale * 0.8**at for at in range(32)] for scale in (1.0, 0.01))
    target = parse_target("50%", layers=2, groups=1, width=16)
    first, second = allocate(target, [Worth(dear[:16], dear), Worth(cheap[:16], cheap)])
    assert first.text > second.text
    assert first.pairs > second.pairs


@pytest.mark.parametrize(
    "fields",
    [{"weigh": "luck"}, {"norm": "none"}, {"fold": 0}, {"keys": 0.0}, {"allocate": "all"}, {"ridge": -1.0}],
)
def test_recipes_that_make_no_sense(fields: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Recipe(**fields)
