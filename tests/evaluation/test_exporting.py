"""A run's answers as others read them: each format against one written by hand, and read back as its owner reads it."""

from __future__ import annotations

import ast
import csv
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from vidence.cli.group import vidence as cli
from vidence.errors import UsageError
from vidence.evaluation.benchmarks import benchmarks
from vidence.evaluation.exporting import export
from vidence.evaluation.exporting.submission import SUBMISSIONS
from vidence.evaluation.exporting.vlmevalkit import DATASETS
from vidence.evaluation.item import Item
from vidence.evaluation.record import failed, record
from vidence.evaluation.systems import Reply
from vidence.timeline import Span

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
BIRDS = ("a kite", "a gull & <a tern>", "a ball")


def bird(id: str, answer: int | None, video: str = "k1", **groups: str) -> Item:
    return Item(id, video, "What lands?", BIRDS, answer, groups=groups)


def ran(folder: Path, name: str, split: str, said: Sequence[tuple[Item, str | None]], **plan: Any) -> Path:
    """Write a run's folder, last question first; None: it could not be put."""
    form = benchmarks()[name].form
    lines = [
        failed(item, at, "gone") if text is None else
        record(item, at, "choice" if item.options else form, Reply(text), None)
        for at, (item, text) in enumerate(said)
    ]  # fmt: skip
    folder.mkdir()
    plan = {"split": split, "limit": None, "seed": 0, "shard": 0, "shards": 1, "control": False} | plan
    (folder / "manifest.json").write_text(json.dumps({"benchmark": name, "plan": plan}))
    (folder / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in reversed(lines)))
    (folder / "summary.json").write_text("{}")
    return folder


def submitted(tmp_path: Path, name: str, split: str, said: Sequence[tuple[Item, str | None]]) -> Any:
    run, out = ran(tmp_path / "run", name, split, said), tmp_path / "sent.json"
    export([run], "submission", out)
    return json.loads(out.read_text("utf-8"))


def table(path: Path) -> list[dict[str, Any]]:
    """Read a spreadsheet of one sheet, as far as it has plain texts and numbers."""
    with zipfile.ZipFile(path) as file:
        sheet = ElementTree.fromstring(file.read("xl/worksheets/sheet1.xml"))
    lines = [
        ["".join(cell.itertext()) if cell.get("t") == "inlineStr" else ast.literal_eval("".join(cell.itertext()))
         for cell in row]
        for row in sheet.iter(f"{MAIN}row")
    ]  # fmt: skip
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def tabled(tmp_path: Path, name: str, split: str, said: Sequence[tuple[Item, str | None]]) -> Any:
    run, out = ran(tmp_path / "run", name, split, said), tmp_path / "Vidence_Set.xlsx"
    export([run], "vlmevalkit", out)
    return table(out)


def first_letter(text: str, letters: str = "ABCD") -> str:
    """Find a letter as Video-MME's script and VLMEvalKit do: the first capital among them."""
    text = text.strip().replace("The answer is", "")
    found = re.search(f"[{letters}]", text)
    return found[0] if found and not (len(text.split()) > 10 and not found) else ""


def test_egoschema_is_a_number_by_name_as_json_and_as_csv(tmp_path: Path) -> None:
    said = [
        (bird("u1", None, "u1"), "B"),
        (bird("u2", None, "u2"), "who knows"),
        (bird("u3", None, "u3"), None),
    ]
    assert submitted(tmp_path, "egoschema", "full", said) == {"u1": 1, "u2": -1, "u3": -1}
    export([tmp_path / "run"], "submission", tmp_path / "sent.csv")
    assert (tmp_path / "sent.csv").read_text() == "q_uid,answer\nu1,1\nu2,-1\nu3,-1\n"


def test_video_mme_is_by_video_and_read_by_its_script(tmp_path: Path) -> None:
    about = {"duration": "short", "task": "Counting Problem", "domain": "Knowledge", "sub_category": "Law"}
    said = [
        (bird("001-1", 1, **about), "The answer is B."),
        (bird("001-2", 2, **about), "A"),
        (bird("002-1", 0, "k2", **about), None),
    ]
    found = submitted(tmp_path, "video-mme", "all", said)
    choices = ["A. a kite", "B. a gull & <a tern>", "C. a ball"]
    asked = {"task_type": "Counting Problem", "question": "What lands?", "choices": choices}
    place = {"duration_category": "short", "video_category": "Knowledge", "video_subcategory": "Law"}
    first = {"question_id": "001-1", **asked, "answer": "B", "response": "The answer is B."}
    second = {"question_id": "001-2", **asked, "answer": "C", "response": "A"}
    third = {"question_id": "002-1", **asked, "answer": "A", "response": ""}
    assert found == [
        {"video_id": "001", **place, "questions": [first, second]},
        {"video_id": "002", **place, "questions": [third]},
    ]
    read = [(first_letter(q["response"]), q["answer"]) for video in found for q in video["questions"]]
    assert [(letter == answer) for letter, answer in read if letter] == [True, False]


def test_mlvu_is_a_list_of_options(tmp_path: Path) -> None:
    said = [(bird("AR_0", None, task="anomaly_reco"), "(C) a ball"), (bird("AO_1", None, task="order"), None)]
    assert submitted(tmp_path, "mlvu", "test", said) == [
        {"question_id": "AR_0", "question_type": "anomaly_reco", "option": "C"},
        {"question_id": "AO_1", "question_type": "order", "option": ""},
    ]


@pytest.mark.parametrize(("name", "split"), [("lvbench", "test"), ("motionbench", "test")])
def test_letters_by_uid_count_what_has_no_answer_as_wrong(name: str, split: str, tmp_path: Path) -> None:
    found = submitted(
        tmp_path, name, split, [(bird("8", 1), "B"), (bird("9", 1), "A"), (bird("10", 1), None)]
    )
    assert found == {"8": "B", "9": "A", "10": ""}
    truth = {"8": "B", "9": "B", "10": "B", "11": "B"}  # its script leaves out what the file does not have
    assert [found[uid] == answer for uid, answer in truth.items() if uid in found] == [True, False, False]


def test_annotations_without_uids_are_told_of(tmp_path: Path) -> None:
    run = ran(tmp_path / "run", "lvbench", "test", [(bird("k1-1", 1), "B")])
    with pytest.raises(UsageError, match=r"no uid .* k1-1; .* video_info"):
        export([run], "submission", tmp_path / "sent.json")


def test_nextqa_names_video_and_question(tmp_path: Path) -> None:
    found = submitted(
        tmp_path, "nextqa", "val", [(bird("40-6", 0, "40"), "A"), (bird("40-7", 2, "40"), None)]
    )
    assert found == {"40_6": {"prediction": 0, "answer": 0}, "40_7": {"prediction": None, "answer": 2}}


def test_tempcompass_is_by_video_and_aspect(tmp_path: Path) -> None:
    said = [(bird("k1-1", 1, task="speed"), "Answer: B"), (bird("k1-2", 0, task="speed"), "unsure")]
    found = submitted(tmp_path, "tempcompass", "multi-choice", said)
    question = "What lands?\nA. a kite\nB. a gull & <a tern>\nC. a ball"
    assert found == {
        "k1": {
            "speed": [
                {"question": question, "answer": "B. a gull & <a tern>", "prediction": "B"},
                {"question": question, "answer": "A. a kite", "prediction": "unsure"},
            ]
        }
    }
    right = [one["prediction"] == one["answer"][0] for one in found["k1"]["speed"]]
    assert right == [True, False]


def test_qvhighlights_has_a_window_of_every_query(tmp_path: Path) -> None:
    moment = Item("2579", "v_60.0_210.0", "a gull lands", spans=(Span.of(4, 10),))
    said = [(moment, "from 4.5 to 9 seconds"), (Item("31", "w", "a kite", spans=(Span.of(0, 2),)), "nowhere")]
    run, out = ran(tmp_path / "run", "qvhighlights", "val", said), tmp_path / "hl_val_submission.jsonl"
    export([run], "submission", out)
    first, second = (json.loads(line) for line in out.read_text().splitlines())
    assert first == {
        "qid": 2579,
        "query": "a gull lands",
        "vid": "v_60.0_210.0",
        "pred_relevant_windows": [[4.5, 9.0, 1.0]],
    }
    assert second["pred_relevant_windows"] == [[0.0, 0.0, 1.0]]


def test_vlmevalkit_video_mme(tmp_path: Path) -> None:
    about = {"duration": "short", "task": "Counting Problem", "domain": "Knowledge", "sub_category": "Law"}
    first, second = tabled(
        tmp_path, "video-mme", "all", [(bird("001-1", 1, **about), "B"), (bird("001-2", 2, **about), None)]
    )
    assert first == {
        "index": 0,
        "video": "k1",
        "video_path": "./video/k1.mp4",
        "duration": "short",
        "domain": "Knowledge",
        "candidates": "['A. a kite', 'B. a gull & <a tern>', 'C. a ball']",
        "sub_category": "Law",
        "task_type": "Counting Problem",
        "subtitle_path": "./subtitle/k1.srt",
        "question": "What lands?",
        "answer": "B",
        "prediction": "B",
    }
    assert (second["index"], second["answer"], second["prediction"]) == (1, "C", "-")
    assert [first_letter(row["prediction"]) == row["answer"] for row in (first, second)] == [True, False]


def test_vlmevalkit_longvideobench(tmp_path: Path) -> None:
    item = bird("k1_0", 2, "k1.mp4", duration="600", task="TOS", topic="birds")
    (row,) = tabled(tmp_path, "longvideobench", "validation", [(item, "The answer is C.")])
    assert row == {
        "index": 0,
        "id": "k1_0",
        "video": "k1",
        "video_path": "./videos/k1.mp4",
        "question": "What lands?",
        "candidates": repr(list(BIRDS)),
        "correct_choice": 2,
        "duration_group": 600,
        "question_category": "TOS",
        "topic_category": "birds",
        "prediction": "The answer is C.",
    }
    assert first_letter(row["prediction"], "ABCDE") == chr(ord("A") + row["correct_choice"])


def _worded_right(row: dict[str, Any]) -> bool:
    """Judge as VLMEvalKit's MVBench does without a judge: the first word of each, one within the other."""
    at = ast.literal_eval(row["candidates"]).index(row["answer"])
    option, said = f"({'abcdefgh'[at]})", row["prediction"].lower().split(" ")[0]
    return said.replace(".", "") in option or option in said


def test_vlmevalkit_mvbench_and_mlvu(tmp_path: Path) -> None:
    home = "star/Charades_v1_480"
    said = [(bird("action_sequence-1", 1, f"{home}/ZS.mp4", task="action_sequence"), "B")]
    said += [(bird("fine_grained_pose-1", 1, "nturgbd/S1.avi", task="fine_grained_pose"), None)]
    first, second = tabled(tmp_path, "mvbench", "test", said)
    assert first == {
        "index": 0,
        "task_type": "Action Sequence",
        "prefix": f"video/{home}/",
        "video": "ZS.mp4",
        "question": "What lands?",
        "answer": BIRDS[1],
        "candidates": repr(list(BIRDS)),
        "prediction": "B",
    }
    assert (second["task_type"], second["prefix"]) == ("Fine-grained Pose", "video/nturgbd/")
    assert [_worded_right(row) for row in (first, second)] == [True, False]
    (tmp_path / "mlvu").mkdir()
    (row,) = tabled(
        tmp_path / "mlvu", "mlvu", "dev", [(bird("2_needle-1", 1, "2_needle/n.mp4", task="findNeedle"), "B")]
    )
    assert (row["task_type"], row["prefix"], row["video"]) == ("needle", "./MLVU/video/2_needle", "n.mp4")


def test_vlmevalkit_vsi_bench_has_letters_and_numbers(tmp_path: Path) -> None:
    about = {"type": "object_counting", "dataset": "scannet", "task": "object_counting"}
    said = [(Item("7", "scannet/s1.mp4", "How many?", number=4.0, groups=about), "4")]
    said += [(bird("8", 0, "scannet/s1.mp4", **(about | {"type": "object_rel_distance"})), "A")]
    first, second = tabled(tmp_path, "vsi-bench", "test", said)
    assert (first["prefix"], first["video"], first["type"]) == ("scannet", "s1", "object_counting")
    assert (first["answer"], first["prediction"], first["candidates"]) == (4.0, "4", "")
    assert (second["answer"], second["prediction"]) == ("A", "A")


def test_tsv_says_the_same(tmp_path: Path) -> None:
    item = bird("k1_0", 2, "k1.mp4", duration="600", task="TOS", topic="birds")
    run = ran(tmp_path / "run", "longvideobench", "validation", [(item, 'so:\n"C"\tof course')])
    for kind in ("xlsx", "tsv"):
        export([run], "vlmevalkit", tmp_path / f"set.{kind}")
    with (tmp_path / "set.tsv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file, delimiter="\t")
    assert row == {name: str(value) for name, value in table(tmp_path / "set.xlsx")[0].items()}


def test_a_spreadsheet_is_one_to_pandas(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("openpyxl")
    item = bird("k1_0", 2, "k1.mp4", duration="600", task="TOS", topic="birds")
    run = ran(tmp_path / "run", "longvideobench", "validation", [(item, "  C \x0b=1+1"), (item, None)])
    export([run], "vlmevalkit", tmp_path / "set.xlsx")
    data = pandas.read_excel(tmp_path / "set.xlsx")
    assert data.to_dict("records") == table(tmp_path / "set.xlsx")
    assert data["prediction"][0] == "C =1+1"


def test_what_is_not_known_is_refused_by_name(tmp_path: Path) -> None:
    run = ran(tmp_path / "run", "tomato", "test", [(bird("count-1", 1), "B")])
    with pytest.raises(
        UsageError, match=r"no format of its own is known of tomato \(test\); .*mlvu \(test\)"
    ):
        export([run], "submission", tmp_path / "sent.json")
    with pytest.raises(UsageError, match=r"no table of tomato \(test\) is known; .*mvbench \(test\)"):
        export([run], "vlmevalkit", tmp_path / "sent.xlsx")
    subset = ran(tmp_path / "subset", "egoschema", "subset", [(bird("u1", 1), "B")])
    with pytest.raises(UsageError, match=r"egoschema \(full\)"):
        export([subset], "submission", tmp_path / "sent.json")
    full = ran(tmp_path / "full", "egoschema", "full", [(bird("u1", None), "B")])
    with pytest.raises(UsageError, match=r"takes \.json or \.csv"):
        export([full], "submission", tmp_path / "sent.txt")
    with pytest.raises(UsageError, match="holds no run"):
        export([tmp_path], "submission", tmp_path / "sent.json")


def test_every_format_is_of_a_benchmark_and_its_splits() -> None:
    known = benchmarks()
    assert all(set(one.splits) <= set(known[name].splits) for name, one in SUBMISSIONS.items())
    assert all(split in known[name].splits for name, split in DATASETS)


def test_runs_that_kept_no_questions_are_to_be_run_again(tmp_path: Path) -> None:
    run = ran(tmp_path / "run", "egoschema", "full", [])
    (run / "results.jsonl").write_text('{"id": "u1", "said": "B", "choice": 1}\n')
    with pytest.raises(UsageError, match="run it again"):
        export([run], "submission", tmp_path / "sent.json")


def test_shards_are_put_together_and_other_runs_are_not(tmp_path: Path) -> None:
    items = [bird(f"u{at}", None) for at in range(2)]
    parts = [
        ran(tmp_path / f"shard-{at}", "egoschema", "full", [(items[at], "AB"[at])], shard=at, shards=2)
        for at in range(2)
    ]
    assert export(parts, "submission", tmp_path / "sent.json").whole
    assert json.loads((tmp_path / "sent.json").read_text()) == {"u0": 0, "u1": 1}
    assert not export(parts[:1], "submission", tmp_path / "part.json").whole
    other = ran(tmp_path / "other", "egoschema", "full", [(items[0], "A")])
    with pytest.raises(UsageError, match="another run"):
        export([parts[0], other], "submission", tmp_path / "sent.json")


def test_the_command_writes_and_says_what_is_empty(tmp_path: Path) -> None:
    said = [(bird("u1", None), "B"), (bird("u2", None), None)]
    run = ran(tmp_path / "run", "egoschema", "full", said, limit=2)
    out = tmp_path / "new/sent.json"
    done = CliRunner().invoke(cli, ["bench", "export", str(run), "--format", "submission", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert json.loads(out.read_text()) == {"u1": 1, "u2": -1}
    assert "1 of them are empty" in done.stderr
    assert "part of the split" in done.stderr
    wrong = CliRunner().invoke(
        cli, ["bench", "export", str(run), "--format", "vlmevalkit", "--out", str(out)]
    )
    assert wrong.exit_code == 2
