"""What each command asks of the front door, prints and exits with."""

import json
from pathlib import Path

import pytest

from backbone.cli import documents

EVERY_COMMAND = (
    ("init", "demo"), ("add", "sales.csv"), ("peek", "sales.csv"), ("plan",), ("run",), ("status",), ("sql", "x"),
    ("show", "flights"), ("profile", "flights"), ("quarantine",), ("lineage", "flights"), ("trace", "flights", "a=1"),
    ("history",), ("doctor",), ("export", "flights", "--to", "out"),
)  # fmt: skip


def test_sql_as_json_is_an_array_of_objects(backbone):
    code, out, _ = backbone("sql", "from x", "--format", "json")

    assert code == 0
    assert out == (
        "[\n"
        '{"name": "Zoë, \\"Z\\"", "n": 9007199254740993, "mean": 0.5, "price": 12.50, "at": "2013-01-01T05:00:00",'
        ' "tags": ["a", null], "name_1": "x"},\n'
        '{"name": "line\\nbreak \\u001b[31m", "n": null, "mean": null, "price": null, "at": "2013-01-01",'
        ' "tags": [], "name_1": ""}\n'
        "]\n"
    )


def test_sql_as_csv_tells_null_from_empty(backbone):
    _, out, _ = backbone("--format", "csv", "sql", "from x")

    assert out == (
        'name,n,mean,price,at,tags,name_1\n"Zoë, ""Z""",9007199254740993,0.5,12.50,2013-01-01T05:00:00,'
        '"[""a"", null]",x\n"line\nbreak \x1b[31m",,nan,,2013-01-01,[],""\n'
    )


def test_plan_as_json(backbone):
    _, out, _ = backbone("plan", "--format", "json")

    assert json.loads(out)["steps"][1] == {
        "dataset": "exploitation.carrier_days",
        "action": "run",
        "reason": "trusted.flights changes; merge by carrier, date",
        "how": "incremental",
        "outputs": ["exploitation.carrier_days"],
        "files": [],
    }


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_json_has_the_documented_keys(backbone, command):
    _, out, _ = backbone(*command, "--format", "json")

    document = json.loads(out)
    if command[0] != "sql":
        described = documents.__doc__.split(f"`{command[0]}`:")[1].split("\n- ")[0]
        assert all(key in described for key in document), document.keys()


@pytest.mark.parametrize("command", [c for c in EVERY_COMMAND if c[0] not in ("init", "add")])
def test_csv_has_a_header_and_rows(backbone, command):
    _, out, err = backbone(*command, "--format", "csv")

    assert err == ""
    assert "," in out.splitlines()[0]
    assert len(out.splitlines()) > 1


def test_csv_is_refused_where_there_is_no_table(backbone):
    code, out, err = backbone("add", "sales.csv", "--format", "csv")

    assert (code, out) == (2, "")
    assert err == "this command prints no single table: use --format table or --format json\n"


@pytest.mark.parametrize(
    "arguments", [("--project", "shop", "--env", "prod", "plan"), ("plan", "--project", "shop", "--env", "prod")]
)
def test_shared_options_stand_before_or_after(backbone, front_door, arguments):
    backbone(*arguments)

    assert [("open", Path("shop"), "prod"), ("plan", (), False, ())] == front_door.CALLS


def test_selections_are_passed_on(backbone, front_door):
    backbone("plan", "--select", "+trusted.flights", "--select", "planes+", "--exclude", "zone:analysis", "--force")

    assert front_door.CALLS[1] == ("plan", ("+trusted.flights", "planes+"), True, ("zone:analysis",))


@pytest.mark.parametrize(
    ("words", "call"),
    [
        ((), (None, None, 0)),
        (("list",), (None, None, 0)),
        (("show",), (None, None, 20)),
        (("trusted.flights",), ("trusted.flights", None, 20)),
        (("list", "trusted.flights"), ("trusted.flights", None, 0)),
        (("show", "trusted.flights", "--run", "2f9c", "--limit", "3"), ("trusted.flights", "2f9c", 3)),
    ],
)
def test_quarantine_counts_or_shows(backbone, front_door, words, call):
    backbone("quarantine", *words)

    assert front_door.CALLS[1] == ("quarantine", *call)


@pytest.mark.parametrize(
    ("words", "call"),
    [
        (
            ("fix", "flights", "13:118", "dest=JFK", "gate="),
            ("fix", "flights", {"13:118": {"dest": "JFK", "gate": None}}, ""),
        ),
        (("fix", "flights", "--suggested"), ("accept", "flights", (), "")),
        (("drop", "flights", "13:118", "--because", "a test"), ("drop", "flights", ("13:118",), "a test")),
        (("replay", "flights"), ("replay", "flights")),
    ],
)
def test_quarantine_settles(backbone, front_door, words, call):
    backbone("quarantine", *words)

    assert front_door.CALLS[1] == call


def test_values_to_fix_come_from_a_file(backbone, front_door, tmp_path):
    (tmp_path / "fixes.csv").write_text("record,dest,gate\n13:118,JFK,\n13:119,,A1\n")

    _, out, _ = backbone("quarantine", "fix", "flights", "--from", str(tmp_path / "fixes.csv"))

    assert front_door.CALLS[1] == ("fix", "flights", {"13:118": {"dest": "JFK"}, "13:119": {"gate": "A1"}}, "")
    assert out == ("fixed    2 rows of flights, in trusted/flights.csv\nnext: backbone quarantine replay flights\n")


def test_a_replay_says_what_came_of_the_rows(backbone):
    _, out, _ = backbone("quarantine", "replay", "flights")

    assert out.endswith(
        "2 fixed rows are no longer in quarantine\n"
        "1 fixed row set aside again:\n"
        "run   file   record  rule            values\n"
        "2f9c  f.csv  13:118  not_null(dest)  dest=∅\n"
    )


def test_repairs_are_listed_and_counted(backbone, front_door):
    _, out, _ = backbone("repairs", "trusted.flights", "--rule", "trim(all)", "--limit", "2")

    assert front_door.CALLS[1] == ("repairs", "trusted.flights", "trim(all)", 2)
    assert out == (
        "record  column  old       new        rule              evidence                   sure\n"
        "13:118  dest    ' JFK'    JFK        trim(all)         blanks at the ends         100%\n"
        "13:119  city    Barclona  Barcelona  determined(city)  most rows of the same zip   75%\n"
        "(3 more: --limit 5)\n"
        "rule              cells\n"
        "trim(all)             4\n"
        "determined(city)      1\n"
    )


def test_repairs_are_undone(backbone, front_door):
    _, out, _ = backbone("repairs", "trusted.flights", "--undo", "13:119.city")

    assert front_door.CALLS[1] == ("undo", "trusted.flights", "13:119.city")
    assert out == "undone    1 cell of trusted.flights, in trusted/flights.yml\nnext: backbone run\n"


def test_quarantine_rows_show_where_they_came_from(backbone):
    _, out, _ = backbone("quarantine", "show")

    assert out == (
        "dataset            run   file                 record  rule             values\n"
        "trusted.flights    2f9c  flights-2013-13.csv  13:118  not_null(dest)   carrier=UA flight=1545 dest=∅\n"
        "formatted.flights  2f9c  flights-2013-13.csv  13:640  too many fields  UA,1545,,,,\n"
        "(3 more: --limit 5)\n"
    )


@pytest.mark.parametrize(
    ("words", "call"),
    [
        (("sales.csv",), (None, ("sales.csv",), None, None, None)),
        (("data/2013-*",), (None, ("data/2013-*",), None, None, None)),
        (("flights", "a.csv", "b.csv"), ("flights", ("a.csv", "b.csv"), None, None, None)),
        (("flights",), ("flights", (), None, None, None)),
        (("sales.xlsx", "--part", "North"), (None, ("sales.xlsx",), None, "North", None)),
        (("sales.zip", "--member", "*.csv"), (None, ("sales.zip",), None, None, "*.csv")),
    ],
)
def test_add_tells_names_from_files(backbone, front_door, words, call):
    backbone("add", *words)

    assert [("add", *call)] == front_door.CALLS


def test_add_shows_rows_repairs_and_what_next(backbone):
    code, out, _ = backbone("add", "sales.csv")

    assert code == 0
    assert out == (
        "made     backbone.yml\n"
        "landed   flights-2013-13.csv, 1,204 records, 123.5 kB, sha256 5f0c5f0c5f0c…\n"
        "wrote    sources/sales.yml: csv, utf-8, comma, 2 columns; amount: NA means missing (3)\n"
        "\n"
        "  id  amount\n"
        "   1    9.50\n"
        "   2       ∅\n"
        "  … 12 rows\n"
        "\n"
        "⚠ 1 row set aside: line 7 has 4 fields instead of 2\n"
        'next: backbone sql "from sales"\n'
    )


def test_trace_is_a_tree(backbone, front_door):
    _, out, _ = backbone("trace", "exploitation.carrier_days", "carrier=UA", "where=a=b")

    assert front_door.CALLS[1] == ("trace", "exploitation.carrier_days", {"carrier": "UA", "where": "a=b"}, 1)
    assert out == (
        "exploitation.carrier_days  carrier=UA where=a=b  flights=165  group of 165 rows, exact\n"
        "└ trusted.flights  flight=1545 origin=EWR dest=IAH  no repairs, 1:1\n"
        "  └ flights-2013-01.csv  record 1, line 2  arrived 2026-03-02 09:14, sha256 81d2…\n"
        "  (164 more: --all)\n"
    )


def test_lineage_goes_up_and_down(backbone):
    _, out, _ = backbone("lineage", "exploitation.carrier_days.late")

    assert out == (
        "exploitation.carrier_days.late\n"
        "comes from\n"
        "└ trusted.flights.arr_delay  count(*) FILTER (arr_delay > 30)\n"
        "  └ formatted.flights.arr_delay\n"
        "    └ landing.flights.arr_delay  partial\n"
        "goes to\n"
        "└ model.late_arrivals\n"
        "partial: some of its origins could not be resolved\n"
    )


def test_output_file(backbone, tmp_path):
    code, out, _ = backbone("sql", "x", "-o", str(tmp_path / "a.csv"))

    assert (code, out) == (0, f"wrote 2 rows to {tmp_path / 'a.csv'}\n")


@pytest.mark.parametrize(
    ("mode", "command", "code", "out", "err"),
    [
        ("nothing", "run", 0, "nothing to do: 25 datasets unchanged\n", ""),
        ("nothing", "plan", 0, "nothing to do: 1 dataset unchanged\n", ""),
        ("locked", "run", 1, "", "another run (2f9b) is writing\n"),
        ("interrupted", "run", 130, "", "interrupted: nothing was published; run again to continue\n"),
        (
            "broken", "run", 1, "",
            (
                "unexpected ValueError: the sky fell\n"
                "  this is a fault of Backbone's: the same command with --debug shows where\n"
            ),
        ),
        (
            "misconfigured", "plan", 2, "",
            (
                "trusted/flights.yml:7:16: column 'air_tme' is not in formatted.flights. Did you mean 'air_time'?\n"
                "    - {in_range: air_tme, from: 10, to: 720, else: null}\n"
                "                 ^^^^^^^\n"
            ),
        ),
    ],
)  # fmt: skip
def test_how_commands_end(backbone, monkeypatch, mode, command, code, out, err):
    monkeypatch.setenv("BACKBONE_FAKE", mode)

    assert backbone(command) == (code, out, err)


def test_a_failed_dataset_is_exit_code_1_in_every_format(backbone, monkeypatch):
    monkeypatch.setenv("BACKBONE_FAKE", "failed")

    assert backbone("run")[0] == 1
    code, out, _ = backbone("run", "--format", "json")
    assert code == 1
    assert json.loads(out)["steps"][0]["failure"]["at"] == "trusted/planes.yml:7:5"


def test_debug_shows_the_traceback(backbone, monkeypatch):
    monkeypatch.setenv("BACKBONE_FAKE", "broken")

    code, _, err = backbone("run", "--debug")

    assert code == 1
    assert "Traceback" in err
    assert "the sky fell" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("statsu",), "Error: there is no command 'statsu'. Did you mean 'status'?"),
        (("sql",), "Missing argument 'QUERY'"),
        (("sql", "x", "-o", "a.xlsx"), "can't tell the format of a.xlsx. Name it *.csv, *.json, *.parquet"),
        (("trace", "flights", "UA"), "expected KEY=VALUE, such as carrier=UA, not 'UA'"),
        (("quarantine", "a", "b"), "quarantine takes list, show, fix, replay or drop, then a dataset, not 'a b'"),
        (("quarantine", "fix"), "fix needs a dataset"),
        (("quarantine", "fix", "a", "13:118"), "fix needs a row and values: backbone quarantine fix a 12:640 dest=JFK"),
        (("quarantine", "fix", "a", "13:118", "JFK"), "expected COLUMN=VALUE, such as dest=JFK, not 'JFK'"),
        (
            ("quarantine", "fix", "a", "13:118", "b=c", "--from", "x.csv"),
            "fix takes its values from the command line or",
        ),
        (("quarantine", "drop", "a"), "drop needs rows, as file:record"),
        (("quarantine", "show", "a", "--suggested"), "--from and --suggested go with fix"),
        (("quarantine", "show", "a", "--because", "x"), "--because goes with fix and drop"),
        (("repairs", "a", "--rule", "b", "--undo", "c"), "--undo names the rule itself: backbone repairs a --undo 'b'"),
        (("plan", "--format", "xml"), "'xml' is not one of"),
    ],
)
def test_wrong_use_is_exit_code_2(backbone, arguments, says):
    code, out, err = backbone(*arguments)

    assert (code, out) == (2, "")
    assert says in err


def test_help_is_grouped_in_the_order_of_a_newcomer(backbone):
    code, out, _ = backbone()

    assert code == 0
    positions = [
        out.index(f"\n  {name} ") for name in ("init", "peek", "add", "plan", "run", "status", "sql", "doctor")
    ]
    assert positions == sorted(positions)
    assert "..." not in out.split("Begin:")[1]


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_every_command_has_help(backbone, command):
    code, out, _ = backbone(command[0], "--help")

    assert code == 0
    assert all(option in out for option in ("--project", "--env", "--format", "--debug"))


def test_export_says_what_is_where(backbone, front_door):
    code, out, err = backbone("export", "zone:exploitation", "planes", "--to", "out", "--as-of", "14", "--replace")

    assert (code, err) == (0, "")
    assert out == (
        "dataset                     rows      size  where\n"
        "exploitation.carrier_days  5,432  123.5 kB  out/carrier_days.parquet\n"
        "trusted.planes                 1  99 bytes  out/planes.parquet\n"
        "left out: trusted.planes in_range(seats): it tolerates 20% of rows\n"
        "exported 2 datasets, 123.6 kB, in 0.3 s: out, a folder of Parquet files\n"
        "as in snapshot 14 of nycflights, dev\n"
    )
    how = {"exclude": (), "as_of": "14", "schema": None, "replace": True, "system": False}
    assert front_door.CALLS[-1] == ("export", ("zone:exploitation", "planes"), "out", how)


def test_export_shows_no_sizes_where_they_are_not_known(backbone):
    assert backbone("export", "planes", "--to", "x.duckdb")[1].startswith("dataset                     rows  where\n")
