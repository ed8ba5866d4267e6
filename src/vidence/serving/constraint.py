"""Answers that keep to a JSON schema, whatever the model: of each next token only those that the schema allows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import llguidance
import llguidance.hf
import numpy as np
import torch
from torch import Tensor
from transformers import LogitsProcessor

from vidence.errors import UsageError


class Vocabulary:
    """A tokenizer as grammars need it; made once, for it takes a second."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokens = llguidance.hf.from_tokenizer(tokenizer)

    def constraint(self, schema: Mapping[str, Any]) -> Constraint:
        """Begin an answer that is to fit a JSON schema.

        Raises:
            UsageError: it is no schema that can be followed, and why.
        """
        try:
            grammar = llguidance.LLMatcher.grammar_from_json_schema(json.dumps(schema))
        except ValueError as fault:
            raise UsageError(f"the schema cannot be read: {fault}") from fault
        matcher = llguidance.LLMatcher(self.tokens, grammar)
        if matcher.is_error():
            raise UsageError(f"the schema cannot be followed: {matcher.get_error()}")
        return Constraint(matcher, self.tokens.eos_token)


class Constraint(LogitsProcessor):
    """Forbids all tokens but those with which the answer can still come to fit; of one answer, used once."""

    def __init__(self, matcher: llguidance.LLMatcher, end: int) -> None:
        self.matcher, self.end = matcher, end
        self._begun = False

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Take in the token said at the step before, and mask the scores (1, V) of the next."""
        if self._begun and not self.matcher.is_stopped():
            self.matcher.consume_token(int(input_ids[0, -1]))
        self._begun = True
        only = torch.full_like(scores, -torch.inf)
        if self.matcher.is_stopped():
            only[:, self.end] = 0.0
            return only
        words = np.frombuffer(self.matcher.compute_bitmask(), dtype=np.uint8)
        allowed = np.unpackbits(words, bitorder="little")[: scores.shape[1]].astype(bool)
        allowed_V = torch.zeros(scores.shape[1], dtype=torch.bool)
        allowed_V[: len(allowed)] = torch.from_numpy(allowed)
        return torch.where(allowed_V.to(scores.device), scores, only)


class Dictated(LogitsProcessor):
    """Leaves only the token whose turn it is, of an answer that is given; used once."""

    def __init__(self, tokens: Sequence[int]) -> None:
        self._left = iter(tokens)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Mask the scores (1, V) of the next token."""
        del input_ids
        only = torch.full_like(scores, -torch.inf)
        only[:, next(self._left)] = 0.0
        return only
