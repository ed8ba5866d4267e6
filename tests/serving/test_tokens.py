"""Tokens: made once, kept as digests, taken back without a restart."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from vidence.cli.group import vidence
from vidence.errors import UsageError
from vidence.serving.guarding.tokens import Sessions, Tokens, digest_of, make_token
from vidence.serving.settings import Limits, Settings, read_limits
from vidence.serving.site import Site


def test_a_token_opens_and_is_kept_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    made = {name: make_token(name, path) for name in ("anna", "bert")}
    text = path.read_text()
    assert all(token not in text for token in made.values())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    tokens = Tokens(path)
    assert {tokens.holder(digest_of(token)) for token in made.values()} == {"anna", "bert"}
    assert tokens.holder(digest_of("vd-guess")) is None
    assert tokens.holder("") is None


def test_a_token_taken_out_of_the_file_is_refused_from_then_on(tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    token = make_token("anna", path)
    tokens, sessions = Tokens(path), Sessions()
    cookie = sessions.begin("anna", digest_of(token))
    assert sessions.holder(cookie, tokens) == "anna"
    path.write_text("# nobody\n")
    os.utime(path, (1, 1))
    assert tokens.holder(digest_of(token)) is None
    assert sessions.holder(cookie, tokens) is None


def test_a_session_ends(tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    token = make_token("anna", path)
    sessions = Sessions()
    cookie = sessions.begin("anna", digest_of(token))
    sessions.end(cookie)
    assert sessions.holder(cookie, Tokens(path)) is None


@pytest.mark.parametrize("name", ["", "../etc", "Anna", "a b", "a/b", "x" * 33, ".", "-a"])
def test_names_that_could_be_paths_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no name"):
        make_token(name, tmp_path / "tokens.txt")


def test_a_bad_line_is_told_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    path.write_text("anna sha256:" + "0" * 64 + "\n../x sha256:" + "0" * 64 + "\n")
    with pytest.raises(UsageError, match="line 2"):
        Tokens(path)


def test_the_command_prints_the_token_alone(tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    done = CliRunner().invoke(vidence, ["token", "anna", "--tokens", str(path)])
    assert done.exit_code == 0
    assert Tokens(path).holder(digest_of(done.stdout.strip())) == "anna"
    assert CliRunner().invoke(vidence, ["token", "anna", "--tokens", str(path)]).exit_code == 2


def test_nobody_else_is_let_in_without_tokens(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--tokens"):
        Site.open(Settings(host="0.0.0.0", root=tmp_path))


def test_limits_are_read_by_name() -> None:
    limits = read_limits(["queued_jobs=3", "duration_s=7.5"])
    assert (limits.queued_jobs, limits.duration_s, limits.asks) == (3, 7.5, Limits().asks)


@pytest.mark.parametrize(
    "text", ["jobs=3", "queued_jobs", "queued_jobs=many", "queued_jobs=-1", "duration_s=nan"]
)
def test_a_limit_that_is_none_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="--limit"):
        read_limits([text])
