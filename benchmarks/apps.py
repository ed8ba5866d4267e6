"""What the applications find, against known truth, and how fast they are.

    python benchmarks/apps.py [--parts moderate,study,watch,catalogue] [--videos ../shared/videos] [--memory FILE]

Each part is a module of its own, apps_NAME.py, with `measure(videos, memory) -> (rows, bars)`; its results are written
as apps-NAME. Truth is that of worlds, and counts made by hand in benchmarks/truth/. `--memory` is a memory file in
which the clips are perceived already (it is added to); without it they are perceived anew, in a temporary one.
"""

from __future__ import annotations

import argparse
import importlib
import tempfile
from pathlib import Path

from common import write_results

HERE = Path(__file__).parent


def main() -> None:
    """Measure the parts that are asked for."""
    known = sorted(path.stem.removeprefix("apps_") for path in HERE.glob("apps_*.py"))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", default=",".join(known), help=f"of {', '.join(known)}")
    parser.add_argument("--videos", type=Path, default=HERE.parent.parent / "shared/videos")
    parser.add_argument("--memory", type=Path)
    told = parser.parse_args()
    parts = [part.strip() for part in told.parts.split(",") if part.strip()]
    for part in parts:
        if part not in known:
            parser.error(f"there is no part {part!r}; there are {', '.join(known)}")
    with tempfile.TemporaryDirectory() as folder:
        memory = told.memory or Path(folder) / "memory.sqlite"
        for part in parts:
            print(f"== {part}")
            rows, bars = importlib.import_module(f"apps_{part}").measure(told.videos, memory)
            write_results(f"apps-{part}", rows, bars)


if __name__ == "__main__":
    main()
