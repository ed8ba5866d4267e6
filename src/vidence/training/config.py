"""What a run is told: one TOML file, every field documented and checked; an unknown key is an error that names it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vidence.errors import UsageError

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class Part(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelPart(Part):
    """The model that is trained."""

    path: Path = Field(description="folder of the checkpoint to start from, with its processor")
    frozen: tuple[Literal["tower", "decoder", "embeddings"], ...] = Field(
        default=(), description="parts that keep their weights; the published recipe freezes none"
    )
    dtype: Literal["float32", "bfloat16"] = Field(
        default="float32",
        description="of activations and gradients' reduction; master weights are always float32",
    )
    recompute: bool = Field(
        default=False, description="recompute each layer's activations in the backward pass to save memory"
    )


class SourcePart(Part):
    """One source of samples."""

    kind: Literal["world", "chat", "release"] = Field(
        description="procedural worlds; chat jsonl with images and videos; or the release's meta json"
    )
    share: Positive = Field(default=1.0, description="how often it is drawn, against the other sources")
    path: Path | None = Field(default=None, description="chat: the jsonl file; release: the meta json")
    media_root: Path | None = Field(
        default=None, description="chat: folder that media's paths start from; default: the file's"
    )
    form: Literal["open", "choice", "grounding", "tool", "caption", "text"] = Field(
        default="choice",
        description="world: questions answered in words, by letter, by an interval, or after a closer look; captions "
        "of the video, or their text alone",
    )
    kinds: tuple[str, ...] | None = Field(default=None, description="world: kinds of question; default: all")
    options: bool = Field(
        True, description="world, form tool: a question lists its options; else it is answered in words"
    )
    worded: bool = Field(
        default=False,
        description="world: an option is answered by its words and then its letter, which small models find easier",
    )
    questions: int = Field(
        default=1,
        gt=0,
        description="world: how many are asked about a video, one after another, where it has them",
    )
    level: int = Field(default=1, ge=0, le=3, description="world: how much happens, 0 to 3")
    duration_s: tuple[Positive, Positive] = Field(
        default=(8, 8), description="world: shortest and longest, in seconds"
    )
    size: tuple[int, int] = Field(
        default=(96, 96), description="world: width and height of its frames in pixels"
    )
    languages: tuple[str, ...] = Field(default=("en",), description="world: of questions and captions")
    split: Literal["train", "test"] = Field(
        default="train", description="world: which casts, backgrounds and languages are used"
    )
    cast: Literal["drawn", "pictures"] = Field(
        default="drawn", description="world: drawn, or cut-out pictures that are installed"
    )
    first_seed: int = Field(default=0, ge=0, description="world: seed of its first world")
    worlds: int | None = Field(
        default=None, gt=0, description="world: how many there are before they come again; default: no end"
    )

    @model_validator(mode="after")
    def _complete(self) -> SourcePart:
        if (self.kind == "world") == (self.path is not None):
            raise ValueError(
                f"a source of kind {self.kind} {'has no' if self.kind == 'world' else 'needs a'} path"
            )
        if self.duration_s[0] > self.duration_s[1]:
            raise ValueError("duration_s: the shortest is above the longest")
        if self.questions > 1 and self.form not in ("open", "choice", "grounding"):
            raise ValueError(f"questions: form {self.form} takes one")
        return self


class SeeingPart(Part):
    """How much of a video is seen."""

    fps: Positive = Field(default=2.0, description="frames a second; published: 2, then 4")
    min_frames: int = Field(default=4, ge=1, description="frames of a short video")
    max_frames: int = Field(
        default=512, ge=1, description="frames of a long video; published: 512 (768 in its code), then 2,048"
    )
    max_frame_pixels: int | None = Field(
        default=None, gt=0, description="pixels a frame; default: the processor's own limit"
    )
    look_frames: int = Field(
        default=8, ge=1, description="frames of a closer look, where the model may call tools"
    )


class PhasePart(Part):
    """A stretch of the run; phases follow each other, as short to long."""

    steps: int = Field(gt=0, description="steps of the optimiser")
    rate: Positive = Field(description="peak learning rate")
    pack_tokens: int = Field(gt=0, description="tokens of a row; published: 65,536, then 262,144")
    packs: int = Field(default=1, gt=0, description="rows a step, over all processes together")
    seeing: SeeingPart = Field(default_factory=SeeingPart, description="how much of a video is seen")
    duration_s: tuple[Positive, Positive] | None = Field(
        default=None, description="of worlds in this phase; default: the source's"
    )
    level: int | None = Field(default=None, ge=0, le=3, description="the same of how much happens in them")


class OptimiserPart(Part):
    """AdamW with a cosine schedule in each phase; defaults are the published ones."""

    betas: tuple[Share, Share] = Field(default=(0.9, 0.95), description="decay of the moments")
    eps: Positive = Field(default=1e-8, description="added to the root of the second moment")
    weight_decay: float = Field(default=0.05, ge=0, description="of matrices; vectors have none")
    clip: Positive = Field(default=1.0, description="norm that gradients are clipped to")
    warmup: Share = Field(default=0.03, description="share of a phase in which the rate rises")
    floor: Share = Field(default=0.05, description="share of the peak rate that is left at a phase's end")


class ParallelPart(Part):
    """How processes share the work; the rest of them hold different rows."""

    sequence: int = Field(
        default=1, gt=0, description="processes that share one row; the model must be latent"
    )
    shard: bool = Field(
        default=True, description="shard weights, gradients and optimiser over processes (FSDP2)"
    )


class LearnPart(Part):
    """Stages 1 and 2."""

    normalisation: Literal["token", "square", "sample"] = Field(
        default="square",
        description="a token's weight by the n learned ones of its sample: 1, 1/sqrt(n), 1/n",
    )
    teacher: Path | None = Field(
        default=None, description="the unconverted checkpoint, whose logits are learned as well"
    )
    teacher_share: Share = Field(
        default=1.0, description="share of the loss that is divergence from the teacher"
    )


class RolloutPart(Part):
    """Stages 3 and 4: how the policy is sampled."""

    prompts: int = Field(default=8, gt=0, description="prompts a step, over all processes together")
    group: int = Field(default=8, gt=0, description="samples of each prompt")
    temperature: Positive = Field(
        default=1.0, description="of sampling, and of the probabilities that are trained"
    )
    max_new_tokens: int = Field(default=64, gt=0, description="longest answer, or longest turn")
    turns: int = Field(default=1, gt=0, description="most turns; above 1 the model may call tools")
    updates: int = Field(default=1, gt=0, description="steps of the optimiser on each batch of samples")


class ReinforcePart(Part):
    """Stage 3: group sequence policy optimisation."""

    rewards: dict[str, float] = Field(
        default_factory=lambda: {"answer": 1.0}, description="named rewards and their weights"
    )
    clip_low: Positive = Field(default=3e-4, description="how far below 1 a sequence's ratio counts")
    clip_high: Positive = Field(default=4e-4, description="how far above 1 a sequence's ratio counts")
    divergence: float = Field(
        default=1e-3, ge=0, description="weight of the divergence from the model the stage began with"
    )
    iou_band: tuple[Share, Share] = Field(
        default=(0.1, 0.7), description="grounding prompts are kept whose mean IoU lies within"
    )
    scaled: bool = Field(default=True, description="divide advantages by the group's deviation")


class DistillPart(Part):
    """Stage 4: reverse divergence from a teacher, on the student's own samples."""

    teacher: Path | None = Field(default=None, description="folder of the teacher")
    teacher_url: str | None = Field(
        default=None,
        description="or an OpenAI-compatible endpoint that echoes log-probabilities; of text alone",
    )
    teacher_model: str | None = Field(default=None, description="name of the teacher at that endpoint")
    most: Positive = Field(default=10.0, description="largest advantage of a token, in nats")


class Config(Part):
    """A run."""

    out: Path = Field(description="folder for checkpoints, logs and the trained model")
    seed: int = Field(default=0, ge=0, description="of the data's order and of sampling")
    model: ModelPart = Field(description="the model that is trained")
    sources: tuple[SourcePart, ...] = Field(min_length=1, description="what it is trained on")
    held_out: tuple[SourcePart, ...] = Field(default=(), description="what it is measured on")
    phases: tuple[PhasePart, ...] = Field(min_length=1, description="stretches of the run, in order")
    optimiser: OptimiserPart = Field(default_factory=OptimiserPart, description="AdamW and its schedule")
    parallel: ParallelPart = Field(default_factory=ParallelPart, description="how processes share the work")
    learn: LearnPart = Field(default_factory=LearnPart, description="stages 1 and 2")
    rollout: RolloutPart = Field(default_factory=RolloutPart, description="stages 3 and 4")
    reinforce: ReinforcePart = Field(default_factory=ReinforcePart, description="stage 3")
    distill: DistillPart = Field(default_factory=DistillPart, description="stage 4")
    workers: int = Field(
        default=2, ge=0, description="processes, beside each that learns, which prepare samples ahead"
    )
    bad_share: Share = Field(
        default=0.02, description="share of samples that may be unusable before the run stops"
    )
    log_every: int = Field(default=10, gt=0, description="steps between lines of the log")
    measure_every: int = Field(
        default=0, ge=0, description="steps between measurements on held-out samples; 0: only at the end"
    )
    held_out_samples: int = Field(default=64, gt=0, description="samples of each measurement")
    save_every: int = Field(default=100, gt=0, description="steps between checkpoints")
    keep: int = Field(default=2, gt=0, description="checkpoints that are kept")

    @property
    def steps(self) -> int:
        """Return the steps of all phases."""
        return sum(phase.steps for phase in self.phases)


def read_config(path: Path, changes: Sequence[str] = ()) -> Config:
    """Read a file of TOML, or of JSON where it is named so; relative paths are taken from its folder.

    `changes` are "table.key=value" in TOML, as the command line gives them.

    Raises:
        UsageError: the file cannot be read, or naming each key that is unknown or has a bad value.
    """
    read = json.loads if path.suffix == ".json" else tomllib.loads
    try:
        given: dict[str, Any] = read(path.read_text("utf-8"))
    except OSError as fault:
        raise UsageError(f"{path}: cannot be read: {fault.strerror}") from fault
    except ValueError as fault:
        raise UsageError(f"{path}: is no {path.suffix[1:].upper() or 'TOML'}: {fault}") from fault
    for change in changes:
        _change(given, change)
    return checked(given, str(path), path.parent)


def checked(given: dict[str, Any], name: str = "config", base: Path | None = None) -> Config:
    """Check values; relative paths are taken from `base`.

    Raises:
        UsageError: naming each key that is unknown or has a bad value.
    """
    try:
        config = Config.model_validate(given)
    except ValidationError as fault:
        faults = fault.errors()
        inner = {each["loc"][:depth] for each in faults for depth in range(1, len(each["loc"]))}
        lines = [
            _said(each) for each in faults if each["loc"] not in inner
        ]  # a table's own fault is of its fields
        raise UsageError(f"{name}: " + "; ".join(lines)) from fault
    return config if base is None else _rebased(config, base)


def described(part: type[Part] = Config, prefix: str = "") -> list[tuple[str, str, str | None, str]]:
    """List every field: its name in the file, its type, its default (None: it must be given), and its meaning."""
    found = list[tuple[str, str, str | None, str]]()
    for name, field in part.model_fields.items():
        inner = _part_of(field.annotation)
        if inner is not None:
            several = get_origin(field.annotation) is tuple
            found += described(inner, f"{prefix}{name}{'[]' if several else ''}.")
            continue
        default = None if field.is_required() else _written(field.get_default(call_default_factory=True))
        found.append((prefix + name, _type(field.annotation), default, field.description or ""))
    return found


def _part_of(annotation: Any) -> type[Part] | None:
    """Return the table that a field holds, one or several."""
    for each in (annotation, *get_args(annotation)):
        if isinstance(each, type) and issubclass(each, Part):
            return each
    return None


def _type(annotation: Any) -> str:
    """Write a type as a reader of TOML thinks of it."""
    origin, inner = get_origin(annotation), [each for each in get_args(annotation) if each is not type(None)]
    if origin is Literal:
        return " | ".join(map(str, inner))
    if origin is Annotated or (origin is not None and origin is not tuple and origin is not dict):
        return _type(inner[0])
    if origin is tuple:
        several = [_type(each) for each in inner if each is not Ellipsis]
        return f"list of {several[0]}" if Ellipsis in inner else f"[{', '.join(several)}]"
    if origin is dict:
        return f"table of {_type(inner[1])}"
    return {Path: "path", str: "text", int: "integer", float: "number", bool: "true | false"}.get(
        annotation, str(annotation)
    )


def _written(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        value = list(value)
    return json.dumps(value, default=str)


def _said(fault: Any) -> str:
    where = ".".join(map(str, fault["loc"])) or "file"
    if fault["type"] == "extra_forbidden":
        return f"{where}: is not known; leave it out or correct its name"
    given = str(fault["input"])
    said = f"{where}: {fault['msg'][0].lower()}{fault['msg'][1:]}"
    return (
        said
        if fault["type"] == "missing"
        else f"{said} (given {given if len(given) < 80 else given[:77] + '...'})"
    )


def _change(given: dict[str, Any], change: str) -> None:
    name, sign, value = change.partition("=")
    if not sign:
        raise UsageError(f"--set {change!r}: write table.key=value")
    try:
        read = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        read = value  # a bare word is a string
    *tables, key = name.strip().split(".")
    at: Any = given
    for table in tables:
        at = at[int(table)] if isinstance(at, list) else at.setdefault(table, {})
    if isinstance(at, list):
        at[int(key)] = read
    else:
        at[key] = read


def _rebased(part: Any, base: Path) -> Any:
    """Take relative paths from the folder of the file that names them."""
    changes: dict[str, Any] = {}
    for name in type(part).model_fields:
        value = getattr(part, name)
        if isinstance(value, Path):
            changes[name] = value if value.is_absolute() else base / value
        elif isinstance(value, Part):
            changes[name] = _rebased(value, base)
        elif isinstance(value, tuple) and value and isinstance(value[0], Part):
            changes[name] = tuple(_rebased(one, base) for one in value)
    return part.model_copy(update=changes)
