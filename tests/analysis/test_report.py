"""`msgtrace report`: every document or none, over nothing of the user's, the same from the same trace."""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING

import pytest
import yaml
from click.testing import CliRunner

from msgtrace.command_line import cli
from msgtrace_analysis.commands import writing
from msgtrace_analysis.renderers.documents import DOCUMENTS, FORMS, render
from tests.analysis.hostile import hostile_trace
from tests.analysis.test_commands import complaint, msgtrace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

SINGLE = [name for name in DOCUMENTS if not name.endswith("/")]


def report(made: MadeTrace, *arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["report", "--db", str(made.path), *map(str, arguments)])


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def shop(made: MadeTrace) -> MadeTrace:
    for service, other in (("web", "mail"), ("mail", "billing")):
        send = made.send(
            service=service, channel="orders", channel_kind="queue", event_type=f"{service}.told", body={"id": 1}
        )
        made.receive(send, service=other, channel="orders", channel_kind="queue", event_type=f"{service}.told")
    made.write()
    return made


def test_all_documents_are_written_and_told(shop: MadeTrace, tmp_path: Path) -> None:
    out = tmp_path / "docs" / "messaging"
    done = report(shop, "--out", out)
    assert (done.exit_code, done.stdout) == (0, "")
    *lines, last = done.stderr.splitlines()
    assert [line.split("  ")[0] for line in lines] == [f"{out}/{name}" for name in DOCUMENTS]
    assert last.startswith("msgtrace: written in ")
    written = contents(out)
    assert set(SINGLE) <= set(written)
    assert {"asyncapi/web.yaml", "asyncapi/index.json", "schemas/web.told.json", "schemas/index.json"} <= set(written)


def test_the_same_trace_gives_the_same_bytes(made: MadeTrace, tmp_path: Path) -> None:
    hostile_trace(made)
    made.write()
    for seed in ("1", "2"):
        done = msgtrace("report", "--db", made.path, "--out", seed, cwd=tmp_path, PYTHONHASHSEED=seed, TZ=f"UTC{seed}")
        assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_every_file_has_a_mark_of_its_document(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    hostile_trace(made)
    found = findings()
    for name, entry in DOCUMENTS.items():
        for path, content in render(name, found).items():
            assert path.startswith(name)
            assert any(mark in content[: writing.BEGINNING] for mark in entry.marks), path
            assert content.endswith("\n")


@pytest.mark.parametrize("name", [*SINGLE, "schemas/web.told.json"])
def test_a_document_of_the_users_own_is_not_written_over(shop: MadeTrace, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    (out / name).parent.mkdir(parents=True)
    (out / name).write_text("written by hand\n")
    done = report(shop, "--out", out)
    assert done.exit_code == 1
    assert name in done.stderr
    assert "--force" in done.stderr
    assert contents(out) == {name: b"written by hand\n"}


def test_a_folder_that_cannot_be_written_to(shop: MadeTrace, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    said = complaint(msgtrace("report", "--db", shop.path, "--out", "file/below", cwd=tmp_path))
    assert "file/below" in said
    assert "--out" in said
    assert (tmp_path / "file").read_text() == "in the way"


def test_what_cannot_be_written_whole_is_not_written_at_all(shop: MadeTrace, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert report(shop, "--out", out).exit_code == 0
    (out / "schemas" / "index.json").unlink()
    (out / "schemas" / "index.json").mkdir()
    (out / "EVENT_FLOWS.json").write_text("written by hand")
    before = contents(out)
    done = report(shop, "--out", out, "--force")
    assert done.exit_code == 1
    assert "index.json: can't be written: Is a directory; nothing was" in done.stderr
    assert contents(out) == before
    (out / "schemas" / "index.json").rmdir()
    assert report(shop, "--out", out, "--force").exit_code == 0
    assert (out / "EVENT_FLOWS.json").read_text() != "written by hand"


def test_a_full_disk_leaves_nothing_behind(shop: MadeTrace, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    done = msgtrace("report", "--db", shop.path, "--out", out, cwd=tmp_path, limit_bytes=2_000)
    assert "can't be written" in complaint(done)
    assert not (tmp_path / "new").exists()


def test_files_that_are_no_more_go_and_others_stay(shop: MadeTrace, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert report(shop, "--out", out).exit_code == 0
    for folder in ("schemas", "asyncapi"):
        index = json.loads((out / folder / "index.json").read_text())
        gone = f"gone.{'json' if folder == 'schemas' else 'yaml'}"
        index["files"] += [gone, "mine.json", "../EVENT_FLOWS.json"]
        (out / folder / "index.json").write_text(json.dumps(index, indent=2))
        (out / folder / gone).write_text('x-msgtrace: {}\n"x-msgtrace"')
        (out / folder / "mine.json").write_text("{}")
    assert report(shop, "--out", out).exit_code == 0
    left = contents(out)
    assert {"schemas/mine.json", "asyncapi/mine.json", "EVENT_FLOWS.json"} <= set(left)
    assert not {"schemas/gone.json", "asyncapi/gone.yaml"} & set(left)


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        (["--only", "asyncapi.yaml", "--only", "schemas/web.told.json"], {"asyncapi.yaml", "schemas/web.told.json"}),
        (["--only", "asyncapi"], {"asyncapi/index.json", "asyncapi/web.yaml", "asyncapi/mail.yaml", "asyncapi/billing.yaml"}),
        (["--only", "asyncapi/web.yaml", "--only", "EVENT_FLOWS.json", "--format", "yaml"], {"asyncapi/web.yaml"}),
    ],
)  # fmt: skip
def test_only_what_is_wanted_is_written(
    shop: MadeTrace, tmp_path: Path, arguments: list[str], written: set[str]
) -> None:
    done = report(shop, "--out", tmp_path / "out", *arguments)
    assert done.exit_code == 0, done.stderr
    assert set(contents(tmp_path / "out")) == written


def test_one_document_goes_to_standard_output(shop: MadeTrace, tmp_path: Path) -> None:
    assert report(shop, "--out", tmp_path / "out").exit_code == 0
    for name in ("MESSAGING_GUIDE.md", "asyncapi/mail.yaml"):
        done = report(shop, "--only", name, "--out", "-")
        assert (done.exit_code, done.stderr) == (0, "")
        assert done.stdout == (tmp_path / "out" / name).read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (["--out", "-"], 2, "name it with --only"),
        (["--out", "-", "--only", "asyncapi"], 2, "--only asyncapi/billing.yaml"),
        (["--only", "guide"], 2, "MESSAGING_GUIDE.md"),
        (["--only", "schemas/nothing.json"], 1, "schemas/web.told.json"),
        (["--only", "EVENT_FLOWS.json", "--format", "yaml"], 2, "--format"),
    ],
)
def test_what_is_not_there_is_told(shop: MadeTrace, tmp_path: Path, arguments: list[str], code: int, hint: str) -> None:
    (tmp_path / "out").mkdir()
    done = report(shop, "--out", tmp_path / "out", *arguments)
    assert done.exit_code == code
    assert hint in done.stderr
    assert contents(tmp_path / "out") == {}


def test_every_document_is_of_a_form_and_is_read_as_such(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    hostile_trace(made)
    found = findings()
    assert {entry.form for entry in DOCUMENTS.values()} <= set(FORMS)
    for name in DOCUMENTS:
        for path, content in render(name, found).items():
            if path.endswith(".json"):
                json.loads(content)
            elif path.endswith(".yaml"):
                yaml.safe_load(content)


def test_places_that_know_no_second_name_are_written_to_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refused)
    (tmp_path / "a").write_text("before")
    assert writing.put({tmp_path / "a": "after", tmp_path / "b": "new"}) == {tmp_path / "a": 5, tmp_path / "b": 3}
    assert contents(tmp_path) == {"a": b"after", "b": b"new"}


def test_memory_goes_where_it_is_wanted_and_a_part_says_that_it_is_one(shop: MadeTrace, tmp_path: Path) -> None:
    out, memory = tmp_path / "out", tmp_path / "agent" / "messaging"
    done = report(shop, "--out", out, "--memory", memory, "--event", "web.told", "--since", "1h")
    assert done.exit_code == 0, done.stderr
    assert not (out / "memory").exists()
    assert {"index.json", "event_catalog.json", "websocket_events.json"} <= set(contents(memory))
    flows = json.loads((out / "EVENT_FLOWS.json").read_text())
    assert flows["trace"]["chosen"] == "--event web.told --since 1h"
    assert [each["name"] for each in flows["event_catalog"]] == ["web.told"]
    assert "--event web.told --since 1h" in (out / "MESSAGING_GUIDE.md").read_text()


def test_what_was_before_is_left_out(shop: MadeTrace) -> None:
    done = report(shop, "--only", "EVENT_FLOWS.json", "--out", "-", "--since", "2030-01-01T00:00:00")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["event_catalog"] == []
