"""The OpenAPI document is true: what it promises of every answer holds for requests that are made up from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

from serving.conftest import Served, ended, put, running
from vidence.serving.settings import Limits

EXAMPLES = 12  # of each route

# Not checked is that whatever fits the document is taken: which addresses may be fetched no schema can say.


@schemathesis.serializer("application/offset+octet-stream")
def _piece(_: object, value: object) -> object:
    """Send the piece of an upload as it is."""
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, videos: list[Path]) -> Iterator[Served]:
    """A library with one video, whose queue takes little."""
    limits = Limits(queued_jobs=5, open_uploads=5, requests_per_s=1e6, requests_at_once=1e6)
    with running(tmp_path_factory.mktemp("library"), limits) as served:
        with served.client() as client:
            ended(client, put(client, videos[0])["id"])
        yield served


def test_answers_are_what_the_document_says(site: Served) -> None:
    document = schemathesis.openapi.from_url(f"{site.address}/openapi.json")
    tried, failed = 0, dict[str, str]()
    for operation in (result.ok() for result in document.get_all_operations()):

        @hypothesis.given(case=operation.as_strategy())
        @hypothesis.settings(
            max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )  # fmt: skip
        def holds(case: schemathesis.Case) -> None:
            case.call_and_validate(
                base_url=site.address, timeout=60, excluded_checks=[positive_data_acceptance]
            )

        tried += 1
        try:
            holds()
        except BaseExceptionGroup as group:  # all that is false is told at once
            failed[operation.label] = "\n".join(map(str, group.exceptions))
    assert not failed, "\n\n".join(f"{label}: {why}" for label, why in failed.items())
    assert tried >= 25
