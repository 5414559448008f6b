"""Sources at URLs, from a real server on loopback: what has changed lands, whole, and nothing else moves."""

import json
from pathlib import Path

import pytest
from http_server import Site, cut_off, http_server, meanwhile, status

import backbone
from backbone.connectors import http
from backbone.connectors.landing import LandingZone

ROWS = "id,name\n" + "".join(f"{n},name {n}\n" for n in range(5_000))


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setattr(http, "PAUSE_SECONDS", 0.01)
    with http_server() as one:
        one.files["people.csv"] = ROWS.encode()
        yield one


@pytest.fixture
def project(tmp_path: Path, site: Site) -> Path:
    (tmp_path / "sources").mkdir()
    (tmp_path / "backbone.yml").write_text("name: shop\n")
    (tmp_path / "sources/people.yml").write_text(
        f"from: {site.url('people.csv')}\ncolumns: {{id: integer, name: text}}\n"
    )
    return tmp_path


def landed(root: Path) -> list[bytes]:
    return [file.path.read_bytes() for file in backbone.open(root).environment.landing.registry.files("people")]


def count(root: Path) -> int:
    return backbone.open(root).sql("SELECT count(*) FROM trusted.people").rows()[0][0]


def test_what_is_at_a_url_lands_and_is_not_sent_again(project, site):
    assert backbone.open(project).run().status == "published"
    sent = site.sent
    report = backbone.open(project).run()

    assert (report.status, site.sent) == ("nothing", sent)
    assert landed(project) == [ROWS.encode()]
    assert count(project) == 5_000


def test_a_changed_file_is_a_new_version(project, site):
    backbone.open(project).run()
    site.files["people.csv"] = b"id,name\n9000,last\n"

    assert backbone.open(project).run().status == "published"
    assert landed(project) == [ROWS.encode(), b"id,name\n9000,last\n"]
    assert count(project) == 5_001


def test_a_plan_asks_nobody_and_says_who_will_be_asked(project, site):
    plan = backbone.open(project).plan()

    assert plan.asks == (("people", site.url("people.csv")),)
    assert site.asked == []


def test_what_was_cut_off_goes_on_where_it_was(project, site):
    site.faults.extend([cut_off(30_000), status(503), status(500)])

    assert backbone.open(project).run().status == "published"
    assert landed(project) == [ROWS.encode()]
    assert site.asked[-1]["range"] == "bytes=30000-"
    assert site.sent == len(ROWS)


def test_a_file_that_changes_while_it_is_resumed_is_taken_whole(project, site):
    def change() -> None:
        site.files["people.csv"] = b"id,name\n1,new\n"

    site.faults.extend([cut_off(30_000), meanwhile(change)])
    backbone.open(project).run()
    backbone.open(project).run()

    assert landed(project)[-1] == b"id,name\n1,new\n"
    assert all(one in (ROWS.encode(), b"id,name\n1,new\n") for one in landed(project))


def test_the_pause_that_a_server_asks_for_is_kept(project, site, monkeypatch):
    slept = []
    monkeypatch.setattr(http.time, "sleep", slept.append)
    site.faults.append(status(429, Retry_After="3"))

    assert backbone.open(project).run().status == "published"
    assert 3.0 in slept


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ([status(500)] * 9, "HTTP 500, asked 5 times. Nothing is lost"),
        ([status(503, Retry_After="900")], "to be asked again in 900 s"),
        ([status(401)], "it wants to know who asks"),
        ([cut_off(0)] * 9, "it ended after 0 of"),
    ],
)
def test_a_server_that_fails_fails_its_source_alone_and_loses_nothing(project, site, fault, said):
    backbone.open(project).run()
    (project / "sources/other.yml").write_text("from: other.csv\ncolumns: {id: integer}\n")
    (project / "other.csv").write_text("id\n1\n")
    site.faults.extend(fault)
    report = backbone.open(project).run()

    assert [step.dataset for step in report.failed] == ["formatted.people"]
    assert said in report.failed[0].failure.message
    assert count(project) == 5_000
    assert not list((project / "lake/landing/persistent").rglob("*.part"))
    site.faults.clear()
    assert not backbone.open(project).run().failed


def test_nobody_listening_is_told(project):
    url = "http://127.0.0.1:9/people.csv"
    (project / "sources/people.yml").write_text(f"from: {url}\ncolumns: {{id: integer}}\n")

    assert f"{url} can't be read: " in backbone.open(project).run().failed[0].failure.message


def test_names_come_from_the_server_and_lead_nowhere(project, site):
    site.headers["Content-Disposition"] = 'attachment; filename="../../etc/2024 people.csv"'
    site.redirects["people.csv"] = site.url("moved/x.csv")
    site.files["moved/x.csv"] = b"id,name\n1,x\n"

    (one,) = backbone.open(project).run().landed
    assert one.name == "2024 people.csv"


def test_a_password_is_sent_and_told_nowhere(project, site, monkeypatch):
    monkeypatch.setenv("PASSWORD", "kanari7f3a")
    monkeypatch.setenv("KEY", "kanari8f3a")
    url = site.url("people.csv?key=${KEY}").replace("//", "//ann:${PASSWORD}@")
    (project / "sources/people.yml").write_text(f"from: '{url}'\ncolumns: {{id: integer, name: text}}\n")
    backbone.open(project).run()
    assert site.asked[0]["authorization"] == "Basic YW5uOmthbmFyaTdmM2E="
    site.faults.extend([status(500)] * 9)
    message = backbone.open(project).run().failed[0].failure.message

    assert "${PASSWORD}" in message
    assert "kanari" not in message
    assert not [path for path in project.rglob("*") if path.is_file() and b"kanari" in path.read_bytes()]


def test_a_kill_after_registering_leaves_nothing_to_fetch_twice(project, site, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(LandingZone, "_keep", die)
        with pytest.raises(Killed):
            backbone.open(project).run()
    assert landed(project) == []
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        with pytest.raises(Killed):
            backbone.open(project).run()
    sent = site.sent
    backbone.open(project).run()

    assert landed(project) == [ROWS.encode()]
    assert site.sent == sent
    assert count(project) == 5_000


def test_add_and_peek_take_urls(tmp_path, site, capsys, monkeypatch):
    from backbone.cli import main

    monkeypatch.chdir(tmp_path)
    url = site.url("people.csv")
    for words in (["--format", "json", "peek", url], ["add", url], ["plan"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 0
    said = capsys.readouterr().out

    assert json.loads(said[: said.index("\n}") + 2])["path"] == url
    assert f"from: '{url}'" in (tmp_path / "sources/people.yml").read_text()
    assert f"{url}, whether there is anything new" in " ".join(said.split())
    assert len(landed(tmp_path)) == 1
