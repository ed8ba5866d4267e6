"""Talk with a model: each turn adds only its own tokens to the cache, so a video is seen once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList

from vidence.models.internvideo3.decoder import InternVideo3ForCausalLM
from vidence.models.internvideo3.latent import LatentCache
from vidence.models.internvideo3.modeling import InternVideo3ForConditionalGeneration
from vidence.models.internvideo3.stored import load_cache, save_cache
from vidence.models.internvideo3.turns import Speaker, Told, end_of_answer, inputs_of, unwritable, written


class Conversation:
    """A dialogue with its cache. `processor` is the model's, or for a text model its tokenizer.

    A turn that fails or is interrupted leaves no trace: the conversation stands as before it.
    """

    def __init__(
        self,
        model: InternVideo3ForConditionalGeneration | InternVideo3ForCausalLM,
        processor: Any,
        *,
        storage: str | None = None,
    ) -> None:
        self.model: Any = model
        self.processor = processor
        self.tokenizer = getattr(processor, "tokenizer", processor)
        self.cache = LatentCache(self.model.config.get_text_config(decoder=True), storage=storage)
        self.ids_BT = torch.zeros((1, 0), dtype=torch.int64, device=model.device)
        self.logprobs: tuple[float, ...] = ()  # of the last answer's tokens, the one that ends it included
        self.prefilled: list[int] = []  # tokens that each turn had to run through the model
        self.contexts: list[int] = []  # tokens that each turn had before it, in all
        self._open = False  # the last message goes on with what is said next
        self._held = 0  # tokens before the last answer

    @property
    def started(self) -> bool:
        """Tell whether anything was said yet."""
        return bool(self.ids_BT.shape[1])

    def say(
        self,
        text: str,
        *,
        videos: Sequence[Any] = (),
        images: Sequence[Any] = (),
        told: Told | None = None,
        max_new_tokens: int = 1024,
        **options: Any,
    ) -> str:
        """Answer `text` about the pictures of this and earlier turns; `told` receives the answer piece by piece.

        Options are those of `generate`.

        Raises:
            UsageError: the context does not fit the memory, or a text model is shown pictures.
            MediaError: a video cannot be read.
        """
        seen = [
            *({"type": "video", "video": one} for one in videos),
            *({"type": "image", "image": one} for one in images),
        ]
        content = [*seen, {"type": "text", "text": text}] if seen else text
        turn = [{"role": "user", "content": content}]
        return self.reply(turn, told=told, max_new_tokens=max_new_tokens, **options)

    def reply(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        told: Told | None = None,
        max_new_tokens: int = 1024,
        constraint: LogitsProcessor | None = None,
        **options: Any,
    ) -> str:
        """Answer messages that follow what was said so far; pictures stand in them as {"type": "video", "video": ...}.

        `constraint` forbids tokens at each step; how likely the model found the others is noted as without it.

        Raises:
            As `say`.
        """
        inputs = self._inputs(self._turn(messages), messages)
        if marks := unwritable(self.model.config):
            options["suppress_tokens"] = sorted({*marks, *options.get("suppress_tokens", ())})
        heard = _Heard()
        streamer = None if told is None else Speaker(self.tokenizer, told, skip_prompt=True)
        held, ids_BT = self._generated(
            inputs,
            max_new_tokens=max_new_tokens,
            logits_processor=LogitsProcessorList([heard, *([constraint] if constraint else [])]),
            streamer=streamer,
            **options,
        )
        self.ids_BT, self.logprobs, self._open = ids_BT, heard.of(ids_BT[0, held:]), False
        self._held = held
        return self.tokenizer.decode(ids_BT[0, held:], skip_special_tokens=True)

    def likelihoods(self, answers: Sequence[str]) -> tuple[float, ...]:
        """Return the log-probability of each of several answers in place of the last one, which stands afterwards."""
        asked_BT, found = self.ids_BT[:, : self._held], list[float]()
        for answer in answers:
            tokens = self.tokenizer(answer, add_special_tokens=False)["input_ids"]
            self.cache.crop_to(min(self.cache.get_seq_length(), self._held - 1))
            said = _Dictated(tokens, self._held)
            self._continued(
                asked_BT,
                max_new_tokens=len(tokens),
                do_sample=False,
                logits_processor=LogitsProcessorList([said]),
            )
            found.append(said.logprob)
        self.cache.crop_to(
            min(self.cache.get_seq_length(), self._held - 1)
        )  # the next turn reads on from there
        return tuple(found)

    def see(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Read messages without answering; the last is left open, and the next reply's first message goes on in it.

        What was seen may be kept, and different questions about it asked from there.

        Raises:
            As `say`.
        """
        turn = self._turn(messages, answers=False).removesuffix(f"{self.tokenizer.eos_token}\n")
        held, ids_BT = self._generated(self._inputs(turn, messages), max_new_tokens=1, do_sample=False)
        # A token had to be drawn, and is dropped; its row was never computed.
        self.ids_BT, self._open = ids_BT[:, :held], True

    def _generated(self, inputs: dict[str, Tensor], **options: Any) -> tuple[int, Tensor]:
        """Run the model on a turn's inputs; return how many tokens were held before it spoke, and all of them."""
        ids_BL = torch.cat([self.ids_BT, inputs.pop("input_ids")], 1)
        cached = self.cache.get_seq_length()
        if "mm_token_type_ids" in inputs:
            earlier = inputs["mm_token_type_ids"].new_zeros(1, self.ids_BT.shape[1])
            inputs["mm_token_type_ids"] = torch.cat([earlier, inputs["mm_token_type_ids"]], 1)
        try:
            ids_BT = self._continued(ids_BL, **inputs, **options)
        except BaseException:
            self.cache.crop_to(cached)
            raise
        self.prefilled.append(ids_BL.shape[1] - cached)
        self.contexts.append(ids_BL.shape[1])
        return ids_BL.shape[1], ids_BT

    def _continued(self, ids_BL: Tensor, **options: Any) -> Tensor:
        """Let the model go on from tokens, of which the cache holds the first."""
        return self.model.generate(
            input_ids=ids_BL,
            attention_mask=torch.ones_like(ids_BL),
            past_key_values=self.cache,
            pad_token_id=self.tokenizer.pad_token_id,
            eos_token_id=self.tokenizer.eos_token_id,
            **options,
        )

    def keep(self, path: Path, *, made_by: str) -> None:
        """Write what was seen and said; `made_by` names the weights (`loading.weights_name`).

        Raises:
            StoreError: the file cannot be written.
        """
        save_cache(self.cache, path, self.ids_BT[:, : self.cache.get_seq_length()].cpu(), made_by=made_by)

    def resume(self, path: Path, *, made_by: str, open_turn: bool = False) -> None:
        """Go on from where a conversation was kept: nothing in it is read or seen again.

        `open_turn` tells that it was kept after `see`.

        An answer that was cut short goes on without its last token, whose row had not been computed.

        Raises:
            StoreError: no such file, damaged, or kept by another model.
        """
        config = self.model.config.get_text_config(decoder=True)
        self.cache, ids_BT = load_cache(path, config, device=self.model.device, made_by=made_by)
        self.ids_BT, self._open = ids_BT.to(self.model.device), open_turn

    def _turn(self, messages: Sequence[Mapping[str, Any]], *, answers: bool = True) -> str:
        """Write messages as they follow what was said so far."""
        turn = written(self.processor, messages, answers=answers)
        if self._open:
            return turn.split("\n", 1)[1]  # without the line that opens a message: it was written before
        if not self.started:
            return turn
        return end_of_answer(self.tokenizer, int(self.ids_BT[0, -1])) + turn

    def _inputs(self, turn: str, messages: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        sees = not isinstance(self.model, InternVideo3ForCausalLM)
        inputs = inputs_of(self.processor, turn, messages, sees=sees)
        return {name: value.to(self.model.device) for name, value in inputs.items()}


class _Heard(LogitsProcessor):
    """Remember how likely each token was that came to be said, without keeping what else might have been."""

    def __init__(self) -> None:
        self.before: Tensor | None = None
        self.logprobs: list[float] = []

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """See a step's scores; the token said at the step before is known by now."""
        self._note(input_ids[0, -1])
        self.before = scores[0].float().log_softmax(-1)
        return scores

    def of(self, said_L: Tensor) -> tuple[float, ...]:
        """Return the log-probabilities of what was said."""
        self._note(said_L[-1])
        return tuple(self.logprobs)

    def _note(self, token: Tensor) -> None:
        if self.before is not None:
            self.logprobs.append(float(self.before[token]))


class _Dictated(LogitsProcessor):
    """Have given tokens said, and add up how likely they were."""

    def __init__(self, tokens: Sequence[int], held: int) -> None:
        self.tokens, self.held, self.logprob = tokens, held, 0.0

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Leave only the token whose turn it is."""
        token = self.tokens[input_ids.shape[1] - self.held]
        self.logprob += float(scores[0].float().log_softmax(-1)[token])
        only = torch.full_like(scores, -torch.inf)
        only[:, token] = 0.0
        return only
