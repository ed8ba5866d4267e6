"""A dialogue goes on as if read at once, each video seen once; an interrupted turn leaves no trace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from click.testing import CliRunner  # noqa: E402
from processor_cases import picture, tiny_tokenizer  # noqa: E402
from tiny_checkpoint import model_for  # noqa: E402
from tiny_models import tiny_text  # noqa: E402

from vidence.cli.group import vidence  # noqa: E402
from vidence.errors import StoreError, UsageError  # noqa: E402
from vidence.models.internvideo3.config import InternVideo3TextConfig  # noqa: E402
from vidence.models.internvideo3.conversation import Conversation  # noqa: E402
from vidence.models.internvideo3.decoder import InternVideo3ForCausalLM  # noqa: E402
from vidence.models.internvideo3.info import model_info  # noqa: E402
from vidence.models.internvideo3.processing import InternVideo3Processor  # noqa: E402
from vidence.models.internvideo3.video import Clip  # noqa: E402

LETTERS = 94  # the tiny tokenizer's first ids are "!" to "~"; a random model may write those alone


@pytest.fixture(scope="module")
def processor() -> InternVideo3Processor:
    return InternVideo3Processor(tiny_tokenizer())


@pytest.fixture(scope="module")
def model(processor: InternVideo3Processor) -> Any:
    model = model_for(processor)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "language_model" in name and weight.ndim == 2:
                weight.normal_(0, weight.shape[1] ** -0.5)
    return model


def clip(number: int) -> Clip:
    return Clip.at_rate(np.stack([picture(number + frame, 64, 96) for frame in range(4)]), 2)


OPTIONS: dict[str, Any] = {
    "do_sample": False,
    "suppress_tokens": list(range(LETTERS, 300)),
    "max_new_tokens": 6,
}


def test_turns_equal_the_whole_dialogue_read_at_once(model: Any, processor: InternVideo3Processor) -> None:
    talk, pieces = Conversation(model, processor), list[str]()
    first = talk.say("What is this?", videos=[clip(0)], told=pieces.append, **OPTIONS)
    talk.say("And this?", videos=[clip(7)], **OPTIONS)
    assert "".join(pieces) == first
    end = processor.tokenizer.eos_token
    pictures = "<|vision_start|><|video_pad|><|vision_end|>"
    text = (
        f"<|im_start|>user\n{pictures}What is this?<|im_end|>\n<|im_start|>assistant\n{first}{end}\n"
        f"<|im_start|>user\n{pictures}And this?<|im_end|>\n<|im_start|>assistant\n"
    )
    whole = processor(text=[text], videos=[clip(0), clip(7)])
    ids = model.generate(**whole, **OPTIONS, pad_token_id=0)
    assert torch.equal(ids, talk.ids_BT)


def test_other_answers_are_weighed_in_place_of_the_one_that_was_given(
    model: Any, processor: InternVideo3Processor
) -> None:
    talk, plain = Conversation(model, processor), Conversation(model, processor)
    first = talk.say("What is this?", videos=[clip(0)], **OPTIONS)
    plain.say("What is this?", videos=[clip(0)], **OPTIONS)
    answers = ["x", first, "yz"]
    alone = [_read_at_once(model, processor, answer) for answer in answers]
    assert talk.likelihoods(answers) == pytest.approx(alone, abs=1e-3)
    after = [one.say("And this?", videos=[clip(7)], **OPTIONS) for one in (talk, plain)]
    assert after[0] == after[1]
    assert torch.equal(talk.ids_BT, plain.ids_BT)


def _read_at_once(model: Any, processor: InternVideo3Processor, answer: str) -> float:
    """Return the log-probability of an answer as one pass over the whole dialogue gives it."""
    asked = "<|im_start|>user\n<|vision_start|><|video_pad|><|vision_end|>What is this?<|im_end|>\n"
    whole = processor(text=[f"{asked}<|im_start|>assistant\n{answer}"], videos=[clip(0)])
    tokens = processor.tokenizer(answer, add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        logprobs = model(**whole).logits[0, -len(tokens) - 1 : -1].float().log_softmax(-1)
    return sum(float(row[token]) for row, token in zip(logprobs, tokens, strict=True))


def test_what_was_seen_is_asked_about_as_if_asked_at_once(
    model: Any, processor: InternVideo3Processor, tmp_path: Path
) -> None:
    whole, talk, later = (Conversation(model, processor) for _ in range(3))
    said = whole.say("What is this?", videos=[clip(0)], **OPTIONS)
    talk.see([{"role": "user", "content": [{"type": "video", "video": clip(0)}]}])
    talk.keep(tmp_path / "seen.kv", made_by="me")
    assert talk.say("What is this?", **OPTIONS) == said
    assert torch.equal(talk.ids_BT, whole.ids_BT)
    later.resume(tmp_path / "seen.kv", made_by="me", open_turn=True)
    assert later.say("What is this?", **OPTIONS) == said
    assert later.say("And then?", **OPTIONS) == whole.say("And then?", **OPTIONS)
    assert talk.prefilled[0] + talk.prefilled[1] == whole.prefilled[0]
    assert later.prefilled[0] == talk.prefilled[1] < whole.prefilled[0] / 2


def test_an_interrupted_turn_leaves_no_trace(model: Any, processor: InternVideo3Processor) -> None:
    talk, other = Conversation(model, processor), Conversation(model, processor)
    for each in (talk, other):
        each.say("Hello", **OPTIONS)

    class Enough(Exception):
        pass

    def stop(piece: str) -> None:
        raise Enough

    with pytest.raises(Enough):
        talk.say("Tell me a long story with many words in it", told=stop, **OPTIONS)
    layer = model.model.language_model.layers[2].self_attn
    failing = layer.register_forward_pre_hook(lambda *_: (_ for _ in ()).throw(Enough))
    with pytest.raises(Enough):  # in the middle of a pass: two layers have stored its rows, two have not
        talk.say("Another one", **OPTIONS)
    failing.remove()
    assert talk.cache.ledger.tokens == talk.cache.get_seq_length() == other.cache.get_seq_length()
    assert talk.say("Bye", **OPTIONS) == other.say("Bye", **OPTIONS)


def test_a_text_model_refuses_pictures_and_answers_text(processor: InternVideo3Processor) -> None:
    torch.manual_seed(0)
    model = InternVideo3ForCausalLM(InternVideo3TextConfig(**tiny_text())).eval()
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = processor.chat_template
    talk = Conversation(model, tokenizer)
    assert talk.say("Hello", **OPTIONS)
    with pytest.raises(UsageError, match="text alone"):
        talk.say("See", videos=[clip(0)], **OPTIONS)


def run(*arguments: str, spoken: str = "") -> Any:
    return CliRunner().invoke(vidence, arguments, input=spoken)


def test_chat_sees_a_video_file_and_answers_each_line_of_a_pipe(
    model: Any, processor: InternVideo3Processor, tmp_path: Path, make_video: Any
) -> None:
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    arguments = ["chat", "--model", str(tmp_path), "--max-tokens", "5"]
    seen = ["--video", str(make_video("seen.mp4", frames=50)), "--cache", "int8"]
    done = run(*arguments, *seen, spoken="What is it?\n\nAnd now?\n")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("\n") >= 2
    unseen = run(*arguments, spoken="What is it?\n")
    assert unseen.stdout.splitlines()[0] != done.stdout.splitlines()[0]  # the video reached the model
    missing = run(*arguments, "--video", str(tmp_path / "none.mp4"), spoken="What?\n")
    assert missing.exit_code == 3
    (tmp_path / "model.safetensors").write_bytes(b"")
    broken = run(*arguments, spoken="What?\n")
    assert broken.exit_code == 4
    assert "model.safetensors: damaged" in broken.stderr


def test_a_kept_conversation_goes_on_as_if_it_had_not_ended(
    model: Any, processor: InternVideo3Processor, tmp_path: Path
) -> None:
    talk, later = Conversation(model, processor), Conversation(model, processor)
    talk.say("What is this?", videos=[clip(0)], **OPTIONS)
    talk.say("Is it?", **{**OPTIONS, "max_new_tokens": 1})  # the one token has no row yet
    talk.ids_BT = talk.ids_BT[:, : talk.cache.get_seq_length()]
    talk.keep(tmp_path / "talk.latent", made_by="these")
    later.resume(tmp_path / "talk.latent", made_by="these")
    assert later.say("And now?", **OPTIONS) == talk.say("And now?", **OPTIONS)
    with pytest.raises(StoreError, match="written by 'these'"):
        later.resume(tmp_path / "talk.latent", made_by="others")


def test_chat_goes_on_from_the_file_it_kept(
    model: Any, processor: InternVideo3Processor, tmp_path: Path, make_video: Any
) -> None:
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    arguments = ["chat", "--model", str(tmp_path), "--max-tokens", "5"]
    keep = ["--keep", str(tmp_path / "talk.latent")]
    video = ["--video", str(make_video("seen.mp4", frames=50))]
    first = run(*arguments, *keep, *video, spoken="What is it?\n")
    assert first.exit_code == 0, first.stderr
    size = (tmp_path / "talk.latent").stat().st_size
    assert run(*arguments, *keep, spoken="And now?\n").exit_code == 0
    assert (tmp_path / "talk.latent").stat().st_size > size
    (tmp_path / "talk.latent").write_bytes(b"no cache")
    assert run(*arguments, *keep, spoken="And now?\n").exit_code == 5


def test_info_tells_what_context_costs_and_fits(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = InternVideo3TextConfig(**tiny_text(kv_lora_rank=[8, 16, 24, 24]))
    InternVideo3ForCausalLM(config).save_pretrained(tmp_path)
    found = model_info(tmp_path, torch.device("cpu"))
    assert found.cache_bytes_per_token == {
        "16 bits": 2 * (8 + 16 + 24 + 24 + 4 * 8),
        "8 bits": 8 + 16 + 24 + 24 + 4 * 8 + 4 * 4,
        "grouped-query": 2 * 4 * 2 * 2 * 16,
    }
    expected = (found.free_bytes - found.weights_bytes) // 208
    assert found.context_that_fits["16 bits"] == expected
    assert found.parameters == sum(one.numel() for one in InternVideo3ForCausalLM(config).parameters())
    done = run("model", "info", str(tmp_path), "--json")
    told = json.loads(done.stdout)
    assert told["cache_bytes_per_token"] == found.cache_bytes_per_token
    plain = run("model", "info", str(tmp_path))
    assert "exact attention, 4 layers, rows of 24 + 8" in plain.stdout
    assert run("model", "info", str(tmp_path / "none")).exit_code == 4
