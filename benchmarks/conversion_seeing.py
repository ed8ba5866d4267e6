"""What converting loses where pictures are among the tokens: a tiny random Qwen3-VL, and needles in a picture.

No published model that sees is at hand, so the weights are random: the figures tell that both modalities are served,
not what a trained model would lose. Needles: heads are made to look at one height and width of a picture of 8 x 8
cells, among noise, and should look there after conversion.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from transformers.models.qwen3_vl.configuration_qwen3_vl import Qwen3VLConfig
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLForConditionalGeneration

from vidence.models.internvideo3.convert.budget import Ranks, parse_target
from vidence.models.internvideo3.convert.conversion import convert
from vidence.models.internvideo3.convert.fitting import fit
from vidence.models.internvideo3.convert.moments import empty, observe
from vidence.models.internvideo3.convert.recipe import Recipe
from vidence.models.internvideo3.convert.samples import Corpus, Sample
from vidence.models.internvideo3.convert.seeing import Eyes
from vidence.models.internvideo3.convert.source import Layer, Source, open_source, turned
from vidence.models.internvideo3.convert.stream import Angles
from vidence.models.internvideo3.convert.twin import Twin
from vidence.models.internvideo3.ledger import TEXT, VISION

SIZES = ("75%", "50%", "28%")
VIDEO, START, END = 291, 292, 293
GRID = (4, 8, 8)  # temporal patches, rows and columns of patches
HEADS, GROUPS, HEAD, WIDTH, LAYERS = 8, 2, 64, 256, 6
CELLS, BEFORE, AFTER = 8, 3, 48
ROPE = {"rope_type": "default", "rope_theta": 5e6, "mrope_section": [12, 10, 10], "mrope_interleaved": True}


def modality_rows() -> list[dict[str, Any]]:
    """Convert the tiny model at each size; tell the divergence of text and vision tokens."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        source = random_source(Path(folder) / "source", WIDTH, LAYERS)
        eyes = Eyes(source)
        samples = tuple(eyes.sample(inputs) for inputs in prompts(24))
        corpus, held_out = Corpus(samples, ()).held_out(4)
        for size in SIZES:
            target = parse_target(size, layers=LAYERS, groups=GROUPS, width=HEAD)
            done = convert(source, Path(folder) / size, target, corpus, held_out, report=False)
            row: dict[str, Any] = {"row": f"tiny random Qwen3-VL, {size} kept"}
            for modality, agreement in done.measured.agreement.items():
                row |= {f"{modality} nats": agreement.nats, f"{modality} top-1": agreement.top1}
            rows.append(row)
    return rows


def needle_row(share: float = 0.5) -> dict[str, Any]:
    """Count the needles that attention finds at their very cell, before and after; a far one is off by 2 or more."""
    found, far, before, total = 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        source = random_source(Path(folder), 64, 1)
        sample, angles = picture(), Angles(source)
        lanes = int(2 * GROUPS * HEAD * share)
        ranks = Ranks(lanes // 6, lanes - 2 * (lanes // 6), lanes - 2 * (lanes // 6))
        for seed in range(4):
            torch.manual_seed(seed)
            places = torch.randint(0, CELLS, (HEADS, 2)).tolist()
            layer, hidden = looking(sample, angles, places), torch.randn(1, sample.length, 64)
            moments = empty(layer)
            observe(moments, layer, hidden, angles.phases(sample), sample.vision_L[None])
            twin = Twin(source, layer, *fit(source, moments, layer, ranks, Recipe()))
            looked = places_looked_at(_scores(twin, sample, angles, hidden))
            apart = [
                max(abs(a - b) for a, b in zip(*pair, strict=True))
                for pair in zip(looked, places, strict=True)
            ]
            found, far, total = (
                found + apart.count(0),
                far + sum(off > 1 for off in apart),
                total + len(apart),
            )
            q, k, _ = layer.project(hidden)
            turned_q, turned_k = (turned(part, angles.phases(sample))[0] for part in (q, k))
            plain_HL = (turned_q[:, -1:] @ turned_k.repeat_interleave(HEADS // GROUPS, 0).mT)[:, 0]
            before += sum(
                list(one) == other for one, other in zip(places_looked_at(plain_HL), places, strict=True)
            )
    name = f"needles at one height and width, {share:.0%} kept"
    return {"row": name, "of": total, "source finds": before, "found": found, "far off": far}


def random_source(folder: Path, width: int, layers: int) -> Source:
    """Write a Qwen3-VL with random weights whose attention is not flat."""
    text = {
        "vocab_size": 300,
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": HEADS,
        "num_key_value_heads": GROUPS,
        "head_dim": HEAD,
        "attention_bias": layers == 1,
        "rope_parameters": ROPE,
    }
    vision = {
        "depth": 3,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_heads": 2,
        "out_hidden_size": width,
    }
    vision |= {"deepstack_visual_indexes": [0, 1, 2], "num_position_embeddings": 64}
    marks = {"image_token_id": 290, "video_token_id": VIDEO}
    marks |= {"vision_start_token_id": START, "vision_end_token_id": END}
    torch.manual_seed(0)
    model = Qwen3VLForConditionalGeneration(
        Qwen3VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=False, **marks)
    )
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "visual" not in name and weight.ndim == 2:
                weight.normal_(0, weight.shape[1] ** -0.5)
    model.save_pretrained(folder)
    return open_source(folder)


def prompts(count: int) -> Iterator[dict[str, torch.Tensor]]:
    """Yield inputs of random words around a video of random pixels."""
    frames, rows, columns = GRID
    for at in range(count):
        generator = torch.Generator().manual_seed(at)
        ids = torch.randint(1, 200, (12 + at,), generator=generator).tolist()
        for frame in range(frames):
            ids += [210 + frame, START, *[VIDEO] * (rows * columns // 4), END]
        ids += torch.randint(1, 200, (24,), generator=generator).tolist()
        ids_1L = torch.tensor([ids])
        yield {
            "input_ids": ids_1L,
            "mm_token_type_ids": (ids_1L == VIDEO).int() * 2,
            "pixel_values_videos": torch.randn(frames * rows * columns, 1536, generator=generator),
            "video_grid_thw": torch.tensor([GRID]),
        }


def picture() -> Sample:
    """Text, one picture, and tokens of text that look back at it, all from one position."""
    side = torch.arange(CELLS)
    place = (
        torch.stack([torch.zeros(CELLS**2), side.repeat_interleave(CELLS), side.repeat(CELLS)]).long()
        + BEFORE
    )
    positions = torch.cat(
        [torch.arange(BEFORE).expand(3, -1), place, torch.full((3, AFTER), BEFORE + CELLS)], 1
    )
    vision = torch.tensor([False] * BEFORE + [True] * CELLS**2 + [False] * AFTER)
    return Sample(torch.ones(positions.shape[1], dtype=torch.long), positions, vision)


def looking(sample: Sample, angles: Angles, places: list[list[int]]) -> Layer:
    """Make a layer whose last tokens look, with each head, for the cell of that head's place.

    All tokens have one key but for noise; a query is that key, turned to the place.
    """
    phases_LF, key_Gd = angles.phases(sample)[0], torch.randn(GROUPS, HEAD)
    queries = []
    for head, (row, column) in enumerate(places):
        turn_F = phases_LF[BEFORE + row * CELLS + column] * phases_LF[-1].conj()
        queries.append(turned(key_Gd[head * GROUPS // HEADS][None, None, None], turn_F[None, None])[0, 0, 0])
    noise = {"q": (HEADS, 0.02), "k": (GROUPS, 0.05), "v": (GROUPS, 1.0)}
    weights = {
        f"self_attn.{name}_proj.weight": size * torch.randn(heads * HEAD, 64) / 8
        for name, (heads, size) in noise.items()
    }
    weights |= {f"self_attn.{name}_norm.weight": torch.ones(HEAD) for name in "qk"}
    return Layer(
        HEADS,
        GROUPS,
        HEAD,
        1e-6,
        weights
        | {
            "input_layernorm.weight": torch.ones(64),
            "self_attn.q_proj.bias": 2 * torch.stack(queries).flatten(),
            "self_attn.k_proj.bias": key_Gd.flatten(),
            "self_attn.v_proj.bias": torch.zeros(GROUPS * HEAD),
            "self_attn.o_proj.weight": torch.randn(64, HEADS * HEAD) * (HEADS * HEAD) ** -0.5,
        },
    )


def places_looked_at(scores_HL: torch.Tensor) -> list[tuple[int, int]]:
    """Return the cell of the highest score, by head."""
    best = scores_HL[:, BEFORE : BEFORE + CELLS**2].argmax(-1).tolist()
    return [(at // CELLS, at % CELLS) for at in best]


def _scores(twin: Twin, sample: Sample, angles: Angles, hidden: torch.Tensor) -> torch.Tensor:
    """Return the last token's scores (H, L)."""
    attention, share = twin.attention, HEADS // GROUPS
    normed = torch.nn.functional.rms_norm(hidden, hidden.shape[-1:])
    kinds = torch.where(sample.vision_L, VISION, TEXT)[None]
    q_content, q_rope, latent, k_rope = attention.project(normed, angles.embeddings(sample), kinds)
    keys_NdR = attention.kv_b_proj.weight.unflatten(0, (GROUPS, -1))[:, :HEAD]
    content = q_content[0, :, -1:] @ (keys_NdR @ latent[0].mT).repeat_interleave(share, 0)
    return (content + q_rope[0, :, -1:] @ k_rope[0].mT)[:, 0]
