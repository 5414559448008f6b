"""What people see, as whole pages: at 40, 80 and 120 columns, and piped."""

import io
from dataclasses import replace

import pytest

from backbone.cli.drawing.runs import draw_plan, draw_run
from backbone.cli.drawing.screen import Screen


def page(draw, report, width=None):
    out = io.StringIO()
    draw(report, Screen(out, width=width))
    return out.getvalue()


def test_a_published_run_by_zone_then_what_to_look_at(front_door):
    assert page(draw_run, front_door.PUBLISHED, 120) == (
        "formatted     1 landed file    1,204 in    1,203 out  1 quarantined"
        "                                             0.1 s\n"
        "trusted       1 dataset      337,979 in  336,801 out  4 quarantined  1,174 merged away  29 repaired"
        "             0.9 s\n"
        "exploitation  2 datasets                 336,801 out"
        "                                                 1 warning  0.2 s\n"
        "              carrier_days  31 of 5,432 keys recomputed\n"
        "              ⚠ flight_conditions references(tailnum)  50,094 rows (14.9%), tolerated 20%\n"
        "                exploitation/flight_conditions.sql:4\n"
        "              to settle a warning: give its rule another tolerate, an except or a where, or mend the source\n"
        "published snapshot 14, run 2f9c. 5 rows to look at: backbone quarantine\n"
    )


def test_a_published_run_at_80_columns(front_door):
    assert page(draw_run, front_door.PUBLISHED, 80) == (
        "formatted     1 landed file  0.1 s\n"
        "              1,204 in, 1,203 out, 1 quarantined\n"
        "trusted       1 dataset  0.9 s\n"
        "              337,979 in, 336,801 out, 4 quarantined, 1,174 merged away, 29\n"
        "              repaired\n"
        "exploitation  2 datasets  0.2 s\n"
        "              336,801 out, 1 warning\n"
        "              carrier_days  31 of 5,432 keys recomputed\n"
        "              ⚠ flight_conditions references(tailnum)  50,094 rows (14.9%),\n"
        "                tolerated 20%  exploitation/flight_conditions.sql:4\n"
        "              to settle a warning: give its rule another tolerate, an except or\n"
        "                a where, or mend the source\n"
        "published snapshot 14, run 2f9c. 5 rows to look at: backbone quarantine\n"
    )


def test_a_published_run_at_40_columns(front_door):
    assert page(draw_run, front_door.PUBLISHED, 40) == (
        "formatted  1 landed file  0.1 s\n"
        "  1,204 in, 1,203 out, 1 quarantined\n"
        "trusted  1 dataset  0.9 s\n"
        "  337,979 in, 336,801 out, 4\n"
        "  quarantined, 1,174 merged away, 29\n"
        "  repaired\n"
        "exploitation  2 datasets  0.2 s\n"
        "  336,801 out, 1 warning\n"
        "  carrier_days  31 of 5,432 keys\n"
        "    recomputed\n"
        "  ⚠ flight_conditions\n"
        "    references(tailnum)  50,094 rows\n"
        "    (14.9%), tolerated 20%\n"
        "    exploitation/flight_conditions.sql:4\n"
        "to settle a warning: give its rule\n"
        "  another tolerate, an except or a\n"
        "  where, or mend the source\n"
        "published snapshot 14, run 2f9c. 5 rows\n"
        "  to look at: backbone quarantine\n"
    )


def test_a_failed_run_says_where_what_was_kept_and_what_next(front_door):
    assert page(draw_run, front_door.FAILED) == (
        "trusted       1 dataset  1 failed  0.2 s\n"
        "trusted.planes FAILED: in_range(seats) would quarantine every row of type = 'Rotorcraft' (5),"
        " 'Fixed wing single engine' (25)\n"
        "  trusted/planes.yml:7   - {in_range: seats, from: 20, to: 500, else: quarantine}\n"
        "  kept its last good version (snapshot 14), and so did exploitation.plane_use,"
        " exploitation.flight_conditions\n"
        "  meant? add may_vanish: [type].\n"
        "  look: backbone quarantine trusted.planes --run 2f9d\n"
        "nothing was published, run 2f9d.\n"
    )


def test_a_plan_says_why(front_door):
    assert page(draw_plan, front_door.Workspace().plan(), 80) == (
        "run   formatted.flights          new landed file flights-2013-13.csv (1 of 13)\n"
        "run   exploitation.carrier_days  trusted.flights changes; merge by carrier, date\n"
        "skip  1 dataset                  unchanged\n"
    )


@pytest.mark.parametrize("width", [20, 40, 80, 120])
def test_no_line_is_wider_than_the_terminal(front_door, width):
    text = page(draw_run, front_door.PUBLISHED, width) + page(draw_run, front_door.FAILED, width)

    assert max(map(len, text.splitlines())) <= max(width, len("exploitation/flight_conditions.sql:4") + 4)


def test_a_table_that_does_not_fit_becomes_blocks():
    out = io.StringIO()

    Screen(out, width=40).table(("name", "what", "where"), [("a" * 30, "b" * 30, "c" * 50), ("x", "", "z")])

    assert out.getvalue() == (f"name   {'a' * 30}\nwhat   {'b' * 30}\nwhere  {'c' * 32}…\n\nname   x\nwhere  z\n")


def test_wide_characters_are_aligned_and_control_characters_escaped():
    out = io.StringIO()

    Screen(out, width=40).table(("name", "n"), [("日本", "1"), ("a\x1b[31m\nb", "22")], right=[1])

    assert out.getvalue() == "name           n\n日本           1\na\\x1b[31m\\nb  22\n"


def test_markup_in_data_is_text():
    out = io.StringIO()

    Screen(out, width=80).line("[red]not red[/red] :smile:")

    assert out.getvalue() == "[red]not red[/red] :smile:\n"


def test_a_new_warning_is_shown_though_every_row_is_as_before(front_door):
    one = replace(front_door.PUBLISHED.steps[-1], status="unchanged")
    shown = page(draw_run, replace(front_door.PUBLISHED, steps=(one,), landed=(), quarantined=0), 120)
    assert "⚠ flight_conditions references(tailnum)  50,094 rows (14.9%), tolerated 20%" in shown
