"""Boxes over time for tools that annotate: COCO (with track ids) and CVAT for video; and as a table."""

from __future__ import annotations

import csv
import io
import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as xml

from vidence.exports.plain import cell
from vidence.printable import printable, to_json_text
from vidence.senses.observation import Box
from vidence.timeline import Instant

PATH_COLUMNS = ("time_s", "frame", "track", "label", "x", "y", "w", "h", "score")


@dataclass(frozen=True, slots=True)
class Tracked:
    """One thing that was followed: its name, its label, its boxes over time, how sure."""

    name: str
    label: str
    path: tuple[tuple[Instant, Box], ...]
    score: float


@dataclass(frozen=True, slots=True)
class Footage:
    """What boxes lie on: the file's name, its size in pixels, and the time of each frame."""

    name: str
    width: int
    height: int
    frame_times: Sequence[Instant]

    def frame(self, time: Instant) -> int:
        """Return the number of the frame on screen at a time."""
        return max(bisect_right(self.frame_times, time) - 1, 0)


def to_coco(tracks: Sequence[Tracked], footage: Footage) -> str:
    """Write COCO: one image a frame that was looked at, boxes in pixels, `track_id` as in COCO's tracking kin."""
    frames: dict[int, int] = {}  # number of the frame → id of the image
    labels = {label: number for number, label in enumerate(dict.fromkeys(t.label for t in tracks), 1)}
    annotations = []
    for track_id, track in enumerate(tracks, 1):
        for time, box in track.path:
            image = frames.setdefault(footage.frame(time), len(frames) + 1)
            x, y, w, h = _pixels(box, footage)
            annotations.append({
                "id": len(annotations) + 1, "image_id": image, "category_id": labels[track.label],
                "bbox": [round(x, 2), round(y, 2), round(w, 2), round(h, 2)], "area": round(w * h, 2), "iscrowd": 0,
                "track_id": track_id, "score": round(track.score, 4),
            })  # fmt: skip
    images = [
        {"id": id, "file_name": f"frame_{number:06d}.png", "width": footage.width, "height": footage.height,
         "frame": number, "time_s": round(float(footage.frame_times[number]), 6) if footage.frame_times else 0.0}
        for number, id in sorted(frames.items())
    ]  # fmt: skip
    categories = [{"id": id, "name": label, "supercategory": ""} for label, id in labels.items()]
    found = {
        "info": {"description": printable(footage.name), "version": "1.0"}, "licenses": [], "images": images,
        "annotations": annotations, "categories": categories,
        "tracks": [{"id": n, "name": t.name, "category_id": labels[t.label]} for n, t in enumerate(tracks, 1)],
    }  # fmt: skip
    return to_json_text(found) + "\n"


def to_cvat(tracks: Sequence[Tracked], footage: Footage) -> str:
    """Write CVAT for video 1.1: key frames where a thing was looked at, and an "outside" one where it is gone."""
    root = xml.Element("annotations")
    xml.SubElement(root, "version").text = "1.1"
    task = xml.SubElement(xml.SubElement(root, "meta"), "task")
    last = max(len(footage.frame_times) - 1, 0)
    told = {
        "name": printable(footage.name), "size": len(footage.frame_times), "mode": "interpolation", "start_frame": 0,
        "stop_frame": last,
    }  # fmt: skip
    for name, value in told.items():
        xml.SubElement(task, name).text = str(value)
    labels = xml.SubElement(task, "labels")
    for label in dict.fromkeys(track.label for track in tracks):
        xml.SubElement(xml.SubElement(labels, "label"), "name").text = printable(label)
    size = xml.SubElement(task, "original_size")
    xml.SubElement(size, "width").text, xml.SubElement(size, "height").text = (
        str(footage.width),
        str(footage.height),
    )
    for number, track in enumerate(tracks):
        drawn = xml.SubElement(root, "track", id=str(number), label=printable(track.label), source="auto")
        frames = {footage.frame(time): box for time, box in track.path}  # one box a frame
        for frame, box in sorted(frames.items()):
            _cvat_box(drawn, frame, box, footage, outside=False)
        if frames and (gone := max(frames) + 1) <= last:
            _cvat_box(drawn, gone, frames[gone - 1], footage, outside=True)
    xml.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + xml.tostring(root, encoding="unicode") + "\n"


def to_track_table(tracks: Sequence[Tracked], footage: Footage) -> str:
    """Write one row a box: RFC 4180 with a header; sides as shares of the picture."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(PATH_COLUMNS)
    for track in tracks:
        for time, box in track.path:
            sides = [round(side, 5) for side in (box.x, box.y, box.w, box.h)]
            named = (cell(track.name), cell(track.label))
            table.writerow(
                [round(float(time), 6), footage.frame(time), *named, *sides, round(track.score, 4)]
            )
    return out.getvalue()


def read_coco(text: str) -> list[tuple[float, int, str, Box]]:
    """Read what `to_coco` wrote: (time in seconds, track id, label, box), in order of time."""
    found = json.loads(text)
    images = {image["id"]: image for image in found["images"]}
    labels = {category["id"]: category["name"] for category in found["categories"]}
    rows = []
    for one in found["annotations"]:
        image = images[one["image_id"]]
        x, y, w, h = one["bbox"]
        box = Box(x / image["width"], y / image["height"], w / image["width"], h / image["height"])
        rows.append((image["time_s"], one["track_id"], labels[one["category_id"]], box))
    return sorted(rows, key=lambda row: row[:2])


def _pixels(box: Box, footage: Footage) -> tuple[float, float, float, float]:
    x, y = max(box.x, 0.0) * footage.width, max(box.y, 0.0) * footage.height
    w = min(box.w * footage.width, footage.width - x)
    h = min(box.h * footage.height, footage.height - y)
    return x, y, max(w, 0.0), max(h, 0.0)


def _cvat_box(drawn: xml.Element, frame: int, box: Box, footage: Footage, *, outside: bool) -> None:
    x, y, w, h = _pixels(box, footage)
    xml.SubElement(
        drawn, "box", frame=str(frame), outside=str(int(outside)), occluded="0", keyframe="1",
        xtl=f"{x:.2f}", ytl=f"{y:.2f}", xbr=f"{x + w:.2f}", ybr=f"{y + h:.2f}", z_order="0",
    )  # fmt: skip
