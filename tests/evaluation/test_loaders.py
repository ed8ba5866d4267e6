"""Each benchmark's loader on an invented sample in its public layout, and on the real annotations where they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from vidence.errors import UsageError
from vidence.evaluation.benchmarks import benchmark, benchmarks
from vidence.evaluation.benchmarks.mvbench import FOLDERS
from vidence.evaluation.benchmarks.qvhighlights import joined
from vidence.evaluation.benchmarks.tomato import TASKS
from vidence.evaluation.files import Media, Videos, stretches
from vidence.evaluation.options import divided, prompted
from vidence.timeline import Span

REAL = Path(__file__).parents[2].parent / "shared/annotations"
LINES = "What lands?\nA. a kite\nB. a gull\nC. a ball"
PARTS = {"question": "What lands?", "options": ["a kite", "a gull", "a ball"]}
PICKED = {"question": "What lands?", "candidates": ["a kite", "a gull", "a ball"], "answer": "a gull"}
LETTERED = ["A. a kite", "B. a gull", "C. a ball"]
RIGHT = {"question": "What lands?", "options": ("a kite", "a gull", "a ball"), "answer": 1}
CALLED = {"question": "a gull lands", "answer": None}
ANEW = {"k1": {"duration": 9.5, "queries": [" a gull lands "], "spans": [[1.5, 2]]}}


@dataclass(frozen=True)
class Sample:
    """Annotation files as users download them, and the fields of the first item that is read from them."""

    name: str
    split: str
    files: Mapping[str, Any]
    want: Mapping[str, Any]
    drop: str = "question"  # without this field the last file's last row is damaged
    count: int = 1
    groups: Mapping[str, str] = field(default_factory=dict)


def spans(*times: tuple[float, float]) -> tuple[Span, ...]:
    return tuple(Span.of(start, end) for start, end in times)


def ego(**more: Any) -> dict[str, Any]:
    return {"q_uid": "u1", "question": "What lands?", **{f"option {at}": f"o{at}" for at in range(5)}, **more}


SAMPLES = [
    Sample(
        "video-mme",
        "all",
        {
            "videomme/test-00000-of-00001.parquet": [
                PARTS
                | {"videoID": "k1", "question_id": "1-1", "options": LETTERED, "answer": "B"}
                | {"duration": "short", "task_type": "counting", "domain": "birds"}
            ]
        },
        RIGHT | {"id": "1-1", "video": "k1"},
        groups={"duration": "short", "task": "counting"},
    ),
    Sample(
        "video-mme-v2",
        "test",
        {
            "test.parquet": [
                {"video_id": "001", "question_id": "001-1", "question": "What lands?", "answer": "B"}
                | {"options": LINES.partition("\n")[2], "group_type": "logic", "level": 2}
                | {"group_structure": "[1, 2, 3, 4]"}
            ]
        },
        RIGHT | {"video": "001"},
        groups={"group_type": "logic", "level": "2", "group_structure": "[1, 2, 3, 4]"},
    ),
    Sample(
        "longvideobench",
        "validation",
        {
            "validation-00000-of-00001.parquet": [
                {"id": "k1_0", "video_path": "k1.mp4", "question": "What lands?", "correct_choice": 1}
                | {"option0": "a kite", "option1": "a gull", "option2": "a ball", "option3": "N/A"}
                | {"option4": "N/A", "duration_group": 600, "question_category": "TOS"}
            ]
        },
        RIGHT | {"video": "k1.mp4"},
        groups={"duration": "600", "task": "TOS"},
    ),
    Sample(
        "longvideobench",
        "validation",
        {"lvb_val.json": [PICKED | {"id": "k1_0", "video_path": "k1.mp4", "correct_choice": 1}]},
        RIGHT,
    ),
    Sample(
        "mlvu",
        "dev",
        {
            f"json/{name}.json": [PICKED | {"video": "m.mp4", "question_type": name[2:]}]
            for name in ("1_plotQA", "2_needle", "3_ego", "4_count", "5_order")
        }
        | {
            "json/6_anomaly_reco.json": [PICKED | {"video": "m.mp4", "candidates": ["", ""], "answer": ""}],
            "json/7_topic_reasoning.json": [PICKED | {"video": "m.mp4", "question_type": "topic_reasoning"}],
        },
        RIGHT | {"id": "1_plotQA-1", "video": "1_plotQA/m.mp4"},
        count=6,
        groups={"task": "plotQA"},
    ),
    Sample(
        "mlvu",
        "dev-generation",
        {
            "8_sub_scene.json": [{"video": "m.mp4", "question": "Tell it.", "answer": "A gull lands."}],
            "9_summary.json": [{"video": "n.mp4", "question": "Sum up.", "answer": "A gull lands."}],
        },
        {"options": (), "answer": None, "text": "A gull lands."},
        count=2,
    ),
    Sample(
        "mlvu",
        "test",
        {"test-ground-truth/test_mcq_gt.json": [PICKED | {"video": "t.mp4", "question_id": "TR_1"}]},
        RIGHT | {"id": "TR_1", "video": "t.mp4"},
    ),
    Sample(
        "lvbench",
        "test",
        {
            "video_info.meta.jsonl": [
                {"key": "k1", "type": "sport", "qa": [{"uid": "7", "question": LINES, "answer": "B"}]},
                {"key": "k2", "qa": [{"question": LINES, "answer": "C", "time_reference": "9:00-None"}]},
            ]
        },
        RIGHT | {"id": "7", "video": "k1", "evidence": ()},
        drop="key",
        count=2,
    ),
    Sample(
        "lvbench",
        "test",
        {
            "lvbench_clean.json": [
                PICKED
                | {"video": "01", "candidates": ["(A) a kite", "(B) a gull", "(C) a ball"]}
                | {"answer": "(B) a gull", "question_type": ["reasoning"]}
                | {"time_reference": "59:58-01:02:03"}
            ]
        },
        RIGHT | {"video": "01", "evidence": spans((3598, 3723))},
        groups={"task": "reasoning"},
    ),
    Sample(
        "vrbench",
        "test",
        {
            "VRBench_eval.jsonl": [
                {"video_id": "k1", "video_path": "VRBench/videos/v001/k1.mp4"}
                | {
                    "mcq": {
                        "qa1": {
                            "question": "What lands?",
                            "options": {"A": "a kite", "B": "a gull", "C": "a ball"},
                            "answer": "B",
                            "reasoning_process": {"1": "It comes. [00:01:00->00:01:30]", "2": "No time."},
                            "reasoning_type": "Logical Linkage",
                        }
                    }
                }
            ]
        },
        RIGHT | {"id": "k1-qa1", "evidence": spans((60, 90))},
        drop="mcq",
        groups={"task": "Logical Linkage"},
    ),
    Sample(
        "egoschema",
        "subset",
        {"subset_answers.json": {"u1": 3}, "questions.json": [ego(), ego(q_uid="u2")]},
        {"video": "u1", "options": ("o0", "o1", "o2", "o3", "o4"), "answer": 3},
    ),
    Sample(
        "egoschema",
        "subset",
        {
            "Subset/test-00000-of-00001.parquet": [
                {"video_idx": "u1", "question": "What lands?", "option": LETTERED, "answer": "1"}
            ],
        },
        RIGHT,
    ),
    Sample(
        "egoschema", "full", {"questions.json": [ego(), ego(q_uid="u2")]}, {"answer": None}, "option 3", 2
    ),
    Sample(
        "nextqa",
        "val",
        {
            "val.csv": "video,qid,question,answer,type,a0,a1,a2,a3,a4\n"
            '40,6,"What, then,\nlands?",1,CW,a kite,a gull,a ball,a hat,a leaf\n'
        },
        {"id": "40-6", "video": "40", "question": "What, then,\nlands?", "answer": 1},
        drop="41,7,What",
        groups={"task": "causal"},
    ),
    Sample(
        "perception-test",
        "validation",
        {
            "mc_question_val/validation-00000-of-00001.parquet": [
                PARTS | {"video_name": "video_1", "question_id": "4", "answer_id": "1", "area": "physics"}
            ]
        },
        RIGHT | {"id": "video_1-4", "video": "video_1"},
        groups={"area": "physics"},
    ),
    Sample(
        "perception-test",
        "validation",
        {"all_valid.json": {"video_1": {"mc_question": [PARTS | {"id": 4, "answer_id": 1}]}}},
        RIGHT | {"id": "video_1-4", "video": "video_1"},
        drop="mc_question",
    ),
    Sample(
        "mvbench",
        "test",
        {f"json/{task}.json": [PICKED | {"video": "a.mp4", "start": 1.5, "end": 3.0}] for task in FOLDERS},
        RIGHT | {"video": "star/Charades_v1_480/a.mp4", "window": Span.of(1.5, 3)},
        count=20,
        groups={"task": "action_sequence"},
    ),
    Sample(
        "tomato",
        "test",
        {
            f"data/{task}.json": {"0": PARTS | {"answer": 1, "key": "2-03", "demonstration_type": "human"}}
            for task in TASKS.values()
        },
        RIGHT | {"id": "count-0", "video": "human/2-03.mp4"},
        count=6,
    ),
    *(
        Sample(
            "motionbench",
            split,
            {
                "video_info.meta.jsonl": [
                    {"video_path": "a.mp4", "question_type": "Camera Motion", "qa": [{"uid": "1"} | qa]}
                    for qa in ({"question": LINES, "answer": "B"}, {"question": LINES, "answer": "NA"})
                ]
            },
            want,
            drop="qa",
            groups={"task": "Camera Motion"},
        )
        for split, want in (("dev", RIGHT), ("test", RIGHT | {"answer": None}))
    ),
    Sample(
        "tempcompass",
        "multi-choice",
        {"multi-choice.json": {"10": {"speed": [{"question": LINES, "answer": "B. a gull"}]}}},
        RIGHT | {"video": "10"},
        drop="",
        groups={"task": "speed"},
    ),
    Sample(
        "tempcompass",
        "multi-choice",
        {
            "multi-choice/test-00000-of-00001.parquet": [
                {"video_id": "10", "dim": "speed", "question": LINES, "answer": "B. a gull"}
            ]
        },
        RIGHT,
    ),
    *(
        Sample(
            name, "timelens", {f"{file}-timelens.json": ANEW}, CALLED | {"spans": spans((1.5, 2))}, "spans"
        )
        for name, file in (
            ("qvhighlights", "qvhighlights"),
            ("charades-sta", "charades"),
            ("activitynet", "activitynet"),
        )
    ),
    Sample(
        "qvhighlights",
        "val",
        {
            "highlight_val_release.jsonl": [
                {"qid": 5, "query": "a gull lands", "vid": "k1_0.0_150.0", "relevant_clip_ids": [4, 1, 2]}
            ]
        },
        CALLED | {"video": "k1_0.0_150.0", "spans": spans((2, 6), (8, 10))},
        drop="query",
    ),
    Sample(
        "charades-sta",
        "test",
        {"charades_sta_test.txt": "AB12C 0.1 7.25##a gull lands\n"},
        CALLED | {"video": "AB12C", "spans": spans((0.1, 7.25))},
        drop="AB12C 8.0 7.0##a gull",
    ),
    Sample(
        "charades-sta",
        "test",
        {
            "test-00000-of-00001.parquet": [
                {"video": "a.mp4", "caption": "a gull lands", "timestamp": [1.0, 2.0]}
            ]
        },
        CALLED | {"spans": spans((1, 2))},
        drop="timestamp",
    ),
    Sample(
        "activitynet",
        "val_2",
        {"val_2.json": {"v_k1": {"timestamps": [[0, 1.5]], "sentences": [" a gull lands"]}}},
        CALLED | {"video": "v_k1", "spans": spans((0, 1.5))},
        drop="sentences",
    ),
    Sample(
        "vsi-bench",
        "test",
        {
            "test.jsonl": [
                {"id": 0, "dataset": "scannet", "scene_name": "s1", "question": "What lands?"}
                | {"question_type": "object_rel_direction_easy", "options": LETTERED, "ground_truth": "B"},
                {"id": 1, "dataset": "scannet", "scene_name": "s1", "question": "How many gulls?"}
                | {"question_type": "object_counting", "options": None, "ground_truth": "4"},
            ]
        },
        RIGHT | {"video": "scannet/s1.mp4", "number": None},
        count=2,
        groups={"task": "object_rel_direction"},
    ),
    Sample(
        "mmsi-video",
        "single",
        {
            "mmsivideo.json": [
                {"id": "1", "type": "Planning", "ori_question": "<video>\nWhat lands?", "ground_truth": "B"}
                | {"options": LETTERED, "ref_images": images, "video_list": [{"path": "a/b.mp4"}] * videos}
                for images, videos in (([], 1), (["i.jpg"], 1), ([], 2))
            ]
        },
        RIGHT | {"video": "a/b.mp4", "also": ()},
        drop="ground_truth",
        groups={"task": "Planning"},
    ),
    Sample(
        "mmsi-video",
        "all",
        {
            "mmsivideo.json": [
                {
                    "id": "1",
                    "type": "Memory",
                    "ground_truth": "B",
                    "options": LETTERED,
                    "ref_images": ["i.jpg"],
                }
                | {"ori_question": "<video><video>\nWhat lands in <image>?"}
                | {"video_list": [{"path": "a/b.mp4"}, {"path": "a/c.mp4"}]}
            ]
        },
        RIGHT
        | {"question": "(video 1)(video 2)\nWhat lands in (image 1)?", "video": "a/b.mp4"}
        | {"also": ("a/c.mp4", "i.jpg")},
        drop="ground_truth",
    ),
    Sample(
        "mmsi-bench",
        "test",
        {
            "MMSI_Bench.parquet": [
                {"id": 7, "question_type": "MSR", "answer": "B", "images": [b"one", b"two"]}
                | {"question": "What lands?\nOptions: A: a kite, B: a gull, C: a ball, D: a hat"}
            ]
        },
        RIGHT
        | {"options": (*PARTS["options"], "a hat"), "id": "7", "video": "7_0.jpg", "also": ("7_1.jpg",)},
        drop="question",
        groups={"task": "MSR"},
    ),
    Sample(
        "mmsi-bench",
        "test",
        {
            "MMSI_Bench.jsonl": [
                {"id": 7, "question_type": "MSR", "answer": "D", "images": ["x/0007_0.jpg", "x/0007_1.jpg"]}
                | {"question": "What lands? Options: A: a kite\nB: a gull\nC: a ball\nD: at 3: a hat"}
            ]
        },
        {"options": (*PARTS["options"], "at 3: a hat"), "answer": 3, "also": ("0007_1.jpg",)},
        drop="images",
    ),
]
IDS = [f"{one.name}-{one.split}-{Path(list(one.files)[-1]).suffix[1:]}" for one in SAMPLES]


def put(folder: Path, files: Mapping[str, Any]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content)
        elif path.suffix == ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in content))
        elif path.suffix == ".parquet":
            arrow = pytest.importorskip("pyarrow")
            pytest.importorskip("pyarrow.parquet").write_table(arrow.Table.from_pylist(content), path)
        else:
            path.write_text(json.dumps(content))
    return folder


def damaged(content: Any, drop: str) -> Any:
    """Return content whose last row lacks a field; of text, with a line more."""
    if isinstance(content, str):
        return f"{content}{drop}\n"
    content = deepcopy(content)
    last = content[max(content)] if isinstance(content, dict) else content[-1]
    if drop:
        del last[drop]
    else:
        last["speed"][-1].pop("question")
    return content


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_a_sample_is_read(sample: Sample, tmp_path: Path) -> None:
    items = benchmark(sample.name).load(put(tmp_path, sample.files), sample.split)
    first = items[0]
    assert len(items) == sample.count
    assert {key: getattr(first, key) for key in sample.want} == sample.want
    assert sample.groups.items() <= first.groups.items()


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_a_damaged_row_is_named(sample: Sample, tmp_path: Path) -> None:
    name, content = list(sample.files.items())[-1]
    row = 2 if isinstance(content, str) else len(content)
    put(tmp_path, {**sample.files, name: damaged(content, sample.drop)})
    with pytest.raises(UsageError, match=rf"{Path(name).name}: row {row}\b"):
        benchmark(sample.name).load(tmp_path, sample.split)


@pytest.mark.parametrize("name", benchmarks())
def test_a_wrong_folder_says_what_was_looked_for(name: str, tmp_path: Path) -> None:
    one = benchmark(name)
    for split in one.splits:
        with pytest.raises(UsageError, match=r"holds no \S+\.(parquet|json|jsonl|csv|txt)"):
            one.load(tmp_path, split)
        with pytest.raises(UsageError, match="is no folder"):
            one.load(tmp_path / "gone", split)


def test_every_benchmark_has_a_sample_and_states_what_it_is() -> None:
    known = benchmarks()
    made = {"worldbench", "needle-films"}  # which are written and read back in test_made.py
    assert {one.name for one in SAMPLES} == set(known) - made
    assert len(known) == 21
    for name, one in known.items():
        assert one.name == name
        assert one.form in ("choice", "grounding", "number", "words", "open")
        assert 0 < one.frames.min_pixels <= one.frames.max_pixels
        assert one.title
        assert one.metric
        assert one.licence
        assert one.source
        assert "://" not in one.source + one.note


COUNTS = [
    ("video-mme", "all", "video_mme", 2700),
    ("longvideobench", "validation", "longvideobench", 1337),
    ("mlvu", "dev", "mlvu", 2174),
    ("mlvu", "dev-generation", "mlvu", 418),
    ("lvbench", "test", "lvbench", 1519),
    ("egoschema", "subset", "egoschema", 500),
    ("nextqa", "val", "nextqa", 4996),
    ("tempcompass", "multi-choice", "tempcompass", 1580),
    ("qvhighlights", "val", "qvhighlights", 1550),
    ("charades-sta", "test", "charades_sta", 3720),
    ("activitynet", "val_1", "activitynet", 17505),
]


@pytest.mark.parametrize(("name", "split", "folder", "count"), COUNTS)
def test_real_annotations_are_read(name: str, split: str, folder: str, count: int) -> None:
    if not (REAL / folder).is_dir():
        pytest.skip("no real annotations here")
    one = benchmark(name)
    items = one.load(REAL / folder, split)
    assert len(items) == count
    assert len({item.id for item in items}) == count
    assert all(item.question for item in items)
    if one.form == "grounding":
        assert all(item.spans and item.spans == tuple(sorted(item.spans)) for item in items)
        assert all(span.duration > 0 for item in items for span in item.spans)
    elif split == "dev-generation":
        assert all(item.text and not item.options for item in items)
    else:
        unanswered = [item for item in items if item.answer is None]
        assert len(unanswered) == (2 if name == "mlvu" else 0)
        assert all(0 <= item.answer < len(item.options) for item in items if item.answer is not None)
        assert all(2 < len(item.options) <= 5 or name == "tempcompass" for item in items)
        letters = [tuple(option[:2] for option in item.options[:2]) for item in items]
        assert not {("A.", "B."), ("(A", "(B")} & set(letters)
        assert "N/A" not in {option for item in items for option in item.options}


def test_the_evidence_of_lvbench_is_read() -> None:
    if not (REAL / "lvbench").is_dir():
        pytest.skip("no real annotations here")
    items = benchmark("lvbench").load(REAL / "lvbench", "test")
    # Two name no end, and 13 one before their start.
    assert sum(len(item.evidence) == 1 for item in items) == len(items) - 15


def test_windows_and_clips_of_qvhighlights_agree() -> None:
    path = REAL / "qvhighlights/highlight_val_release.jsonl"
    if not path.is_file():
        pytest.skip("no real annotations here")
    for row in map(json.loads, path.read_text().splitlines()):
        assert [list(each) for each in joined(row["relevant_clip_ids"])] == row["relevant_windows"]


def test_one_of_several_needles_may_have_no_answer_but_no_other_task(tmp_path: Path) -> None:
    files = dict(next(one for one in SAMPLES if one.split == "dev").files)
    odd = PICKED | {"video": "m.mp4", "answer": "a cloud", "question_type": "findNeedle"}
    put(tmp_path, files | {"json/2_needle.json": [odd]})
    assert [item.answer for item in benchmark("mlvu").load(tmp_path, "dev")].count(None) == 1
    put(tmp_path, files | {"json/2_needle.json": [odd | {"question_type": "plotQA"}]})
    with pytest.raises(UsageError, match=r"2_needle\.json: row 1.*a cloud"):
        benchmark("mlvu").load(tmp_path, "dev")


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("00:15-00:19", [(15, 19)]),
        ("[00:07:44->00:08:28] and 1:00:00 - 1:00:30.5", [(464, 508), (3600, 3630.5)]),
        ("102:00-103:00", [(6120, 6180)]),
        ("00:19-00:15", []),
        ("None-None", []),
        ("", []),
    ],
)
def test_stretches(text: str, want: list[tuple[float, float]]) -> None:
    assert stretches(text) == spans(*want)


def test_only_lines_that_count_from_a_are_options() -> None:
    assert divided("A. Lee asks: what lands?\nI. e. what?\n(A) a kite\n(B)a gull") == (
        "A. Lee asks: what lands?\nI. e. what?",
        ("a kite", "a gull"),
    )
    assert divided("What lands?") == ("What lands?", ())


def test_videos_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    paths = [tmp_path / "video" / home / "video_1.mp4" for home in ("clevrer/v", "perception/v")]
    for path in paths:
        path.parent.mkdir(parents=True)
        path.touch()
    videos = Videos(tmp_path)
    assert len(videos) == 2
    assert [videos.of(f"{home}/v/video_1.mp4") for home in ("clevrer", "perception")] == paths
    assert videos.of("elsewhere/video_1.mp4") == videos.of("video_1") == paths[0]
    assert videos.of("video_2") is None


LANDS = ("What lands?", ("a kite", "a gull", "a ball"))


@pytest.mark.parametrize(
    ("prompt", "want"),
    [
        (f"{LINES}\nAnswer with the option's letter from the given choices directly.", LANDS),
        (f"Select the best answer.\nRespond with only the letter (A, B, or C).\n{LINES}\nThe best answer is:", LANDS),
        ("Question:What lands?\nOption:\n(A) a kite\n(B) a gull\n(C) a ball\nOnly give the best option.", LANDS),
        ("What lands?\nAnswer the question using a single word or phrase.", ("What lands?", ())),
        ("Answer briefly: what lands?", ("Answer briefly: what lands?", ())),
        ("Select the bird.", ("Select the bird.", ())),
    ],
)  # fmt: skip
def test_a_prompt_is_divided_into_what_is_asked_and_the_options(prompt: str, want: tuple[str, Any]) -> None:
    assert prompted(prompt) == want


def test_pictures_are_found_where_their_name_says_so(tmp_path: Path) -> None:
    for name in ("v/k1.jpg", "v/k1.mp4", "p/7_0.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    media = Media(tmp_path)
    assert media.of("k1") == media.of("k1.mp4") == tmp_path / "v/k1.mp4"
    assert media.of("k1.jpg") == tmp_path / "v/k1.jpg"
    assert media.of("images/7_0.jpg") == tmp_path / "p/7_0.jpg"
    assert media.of("7_1.jpg") is None
