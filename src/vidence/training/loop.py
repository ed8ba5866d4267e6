"""The one loop that every stage runs in: rows in, a step of the optimiser out, checkpoints between."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

from vidence.errors import UsageError
from vidence.training import saving
from vidence.training.chat import END
from vidence.training.config import Config, checked
from vidence.training.learner import Learner
from vidence.training.loading import load_learner
from vidence.training.log import Log
from vidence.training.packing import Pack, packed
from vidence.training.parallel import Processes, average_gradients, joined, shard, whole
from vidence.training.preparing import Preparer, Workshop
from vidence.training.schedule import adamw, freeze, phase_at, rate_at
from vidence.training.sequence import share_rows
from vidence.training.stages import STAGES
from vidence.training.stages.stage import Run, Stage
from vidence.training.trajectory import Trajectory

CHECKPOINTS, MODEL, ASKED = "checkpoints", "model", "config.json"
Tell = Callable[[str, int, int], None]


def train(name: str, config: Config, *, tell: Tell = lambda what, done, total: None) -> dict[str, float]:
    """Run a stage to its end, or on from its last checkpoint; return what was measured at the end.

    The trained model lies in `out/model`, measurements in `out/log.jsonl`.

    Raises:
        UsageError: the configuration does not fit the model, the data or what was begun in `out`.
        WeightsError: a checkpoint cannot be loaded.
    """
    with joined(config.parallel.sequence) as processes:
        return Trainer(name, config, processes, tell).run()


class Trainer:
    """One process' part in a run."""

    def __init__(self, name: str, config: Config, processes: Processes, tell: Tell) -> None:
        self.config, self.processes, self.tell = config, processes, tell
        _begin(name, config, leads=processes.leads)
        processes.wait()
        torch.manual_seed(config.seed)
        self.workshop = Workshop(Preparer(config))
        self.learner = load_learner(config.model.path, processes.device)
        self.learner.requires_grad_(True)
        freeze(self.learner, config.model)
        if config.model.recompute:
            self.learner.model.gradient_checkpointing_enable()
        self.dtype = torch.bfloat16 if config.model.dtype == "bfloat16" else torch.float32
        self.sharded = config.parallel.shard and not processes.alone
        self._copy = copy.deepcopy(self.learner) if self.sharded else None
        share_rows(self.learner, processes)
        if self.sharded:
            shard(self.learner, processes, self.dtype)
        self.optimiser = adamw(self.learner, config.optimiser)
        self.found = saving.checkpoints(config.out / CHECKPOINTS)
        first = int(self.found[-1].name.removeprefix("step-")) if self.found else 0
        self.log = Log(config.out, leads=processes.leads, resumed_at=first)
        run = Run(config, self.learner, self.whole, self.workshop, processes, self.log)
        self.stage: Stage = STAGES[name](run)
        self._filler = self._fill(self.workshop.preparer.processor)

    def run(self) -> dict[str, float]:
        """Train to the end."""
        config, step, phase = self.config, 0, -1
        if self.found:
            step, states = saving.resume(self.found[-1], self.learner, self.optimiser, self.processes)
            now, done = phase_at(config.phases, step)
            if step < config.steps and done:  # at a phase's beginning its streams are new
                phase = now
                self.stage.begin(config.phases[phase], phase)
                self.stage.restore(states)
        if not step and config.held_out:
            self.stage.begin(config.phases[0], 0)
            phase = 0
            self.log.step(0, self._measured())
        while step < config.steps:
            if (now := phase_at(config.phases, step)[0]) != phase:
                phase = now
                self.stage.begin(config.phases[phase], phase)
            values = self._step(step)
            step += 1
            self.tell("training", step, config.steps)
            if config.measure_every and step % config.measure_every == 0 and step < config.steps:
                values |= self._measured()
            if step % config.log_every == 0 or step == config.steps or "held_out_loss" in values:
                self.log.step(step, values)
            if step % config.save_every == 0 or step == config.steps:
                self._save(step)
        if phase < 0:  # resumed at the very end
            self.stage.begin(config.phases[-1], len(config.phases) - 1)
        measured = self._measured()
        self.log.step(step, measured)
        self.log.close()
        saving.export(config.out / MODEL, self.learner, self.workshop.preparer.processor, self.processes)
        return measured

    def whole(self) -> Learner:
        """Return the model unsharded, as it is now."""
        if self._copy is None:
            return self.learner.eval()  # in training, recomputed layers would forget their cache
        options = StateDictOptions(full_state_dict=True, broadcast_from_rank0=False)
        self._copy.load_state_dict(get_model_state_dict(self.learner, options=options))
        return self._copy.eval()

    def _step(self, step: int) -> dict[str, float]:
        start = time.monotonic()
        packs = [pack.to(self.processes.device) for pack in self.stage.packs(step)]
        self.learner.train()
        weight, tokens = sum(map(self.stage.weight, packs)), sum(pack.tokens for pack in packs)
        total, tokens = self.processes.total(weight, tokens)
        rows = self.processes.most(len(packs))
        self.optimiser.zero_grad()
        sums = self._accumulated(packs, rows, total)
        rate, norm = rate_at(self.config.phases, self.config.optimiser, step), 0.0
        if rows and total:
            norm = self._stepped(rate)
        told = {"rate": rate, "gradient_norm": norm, "tokens": tokens, "seconds": time.monotonic() - start}
        return self._values(sums) | self.stage.told() | told

    def _accumulated(self, packs: Sequence[Pack], rows: int, total: float) -> dict[str, list[float]]:
        """Add up the gradients of a step's rows, of which some process has `rows`; return sums by name."""
        sums: dict[str, list[float]] = {}
        for at in range(rows):
            mine = at < len(packs)
            with self._precision():
                loss = self.stage.loss(packs[at] if mine else self._filler)
            for name, (value, weight) in loss.sums.items() if mine else ():
                entry = sums.setdefault(name, [0.0, 0.0])
                entry[0] += value
                entry[1] += weight
            # Gradients are averaged over rows that are worked on at once; the mean is over the whole step.
            share = self.processes.rows / total if mine and total else 0.0
            (loss.value * share).backward()
        return sums

    def _stepped(self, rate: float) -> float:
        """Take a step of the optimiser; return the gradient's norm."""
        if not self.sharded:
            average_gradients(self.learner, self.processes)
        norm = torch.nn.utils.clip_grad_norm_(self.learner.parameters(), self.config.optimiser.clip)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        return float(whole(norm))

    def _values(self, sums: dict[str, list[float]]) -> dict[str, float]:
        """Average over all processes what was summed, which not every one of them may have."""
        names = sorted({name for each in self.processes.gathered(sorted(sums)) for name in each})
        flat = self.processes.total(*(value for name in names for value in sums.get(name, [0.0, 0.0])))
        pairs = zip(flat[::2], flat[1::2], strict=True)
        return {name: value / weight for name, (value, weight) in zip(names, pairs, strict=True) if weight}

    @contextmanager
    def _precision(self) -> Iterator[None]:
        """Compute in the dtype that is asked for; where weights are sharded, sharding does so."""
        with torch.autocast(
            self.processes.device.type, self.dtype, enabled=self.dtype != torch.float32 and not self.sharded
        ):
            yield

    def _measured(self) -> dict[str, float]:
        self.tell("measuring", 0, 1)
        return self.stage.measure()

    def _save(self, step: int) -> None:
        folder, state = self.config.out / CHECKPOINTS, self.stage.state()
        saving.save(folder, step, self.learner, self.optimiser, state, self.processes, self.config.keep)

    def _fill(self, processor: Any) -> Pack:
        """Make a row that weighs nothing, for a process that has fewer rows than others have."""
        number = processor.tokenizer.convert_tokens_to_ids(END)
        ids_L, kinds_L = torch.tensor([number, number]), torch.zeros(2, dtype=torch.int64)
        one = Trajectory("filler", ids_L, torch.tensor([False, True]), kinds_L, logprobs_L=torch.zeros(2))
        return packed([one], self.learner.place, self.learner.merge).to(self.processes.device)


def _begin(name: str, config: Config, *, leads: bool) -> None:
    """Enter what is asked for, or check that what was begun in the folder is the same.

    Raises:
        UsageError: it is not, naming what differs.
    """
    path, asked = config.out / ASKED, {"stage": name} | config.model_dump(mode="json")
    if path.is_file():
        begun = json.loads(path.read_text("utf-8"))
        known = checked({key: value for key, value in begun.items() if key != "stage"}, str(path))
        begun = {"stage": begun.get("stage")} | known.model_dump(
            mode="json"
        )  # fields that are newer have defaults
        differing = sorted(key for key in asked if begun[key] != asked[key])
        if differing:
            raise UsageError(
                f"{config.out}: was begun with other {', '.join(differing)}; give another out, or remove it"
            )
        return
    if leads:
        config.out.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(asked, indent=1) + "\n", encoding="utf-8")
        part.replace(path)
