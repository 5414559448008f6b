"""Medals, the countries that took part, and World Bank indicators: facts that were counted without Backbone."""

from collections.abc import Callable

import pytest

from backbone.model.reports import RunReport, StepReport
from backbone.workspace import Workspace, open_workspace

from .conftest import Ask, asking, made

SOURCES = {
    "medals": "Olympics_Data.csv",
    "countries": "Country_Level_Data.csv",
    "fitness": "ind_wbg_Economic_Fitness.csv",
    "energy": "ind_wbg_Sustainable_Energy_for_All.csv",
    "governance": "ind_wbg_Worldwide_Governance_Indicators.csv",
}
ROWS = {"medals": 8294, "countries": 2008, "fitness": 745, "energy": 1813, "governance": 1284}
MEDALS = {
    1992: 986, 1994: 183, 1996: 842, 1998: 205, 2000: 927, 2002: 234, 2004: 927,
    2006: 252, 2008: 952, 2010: 258, 2012: 958, 2014: 291, 2016: 972, 2018: 307,
}  # fmt: skip
MEASURES = (
    "year", "population", "gdp_constant_2010_usd", "land_area_km_sq", "population_percent", "gdp_percent",
    "land_area_percent",
)  # fmt: skip


@pytest.fixture(scope="session")
def olympics(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, RunReport]:
    workspace = made("olympics", tmp_path_factory.mktemp("olympics"), SOURCES)
    return workspace, workspace.run()


@pytest.fixture
def ask(olympics: tuple[Workspace, RunReport]) -> Ask:
    return asking(olympics[0])


def step(report: RunReport, dataset: str) -> StepReport:
    return next(s for s in report.steps if s.dataset == dataset)


def warnings(report: RunReport, dataset: str) -> dict[str, str]:
    return {f.rule.name: f.message for f in step(report, dataset).findings if f.level == "warned"}


def test_every_row_of_every_file_is_trusted(olympics: tuple[Workspace, RunReport], ask: Ask) -> None:
    workspace, report = olympics

    assert report.status == "published"
    assert workspace.quarantine().total == 0
    counts = " UNION ALL ".join(
        f"SELECT '{name}', count(*), (SELECT count(*) FROM formatted.{name}) FROM trusted.{name}" for name in ROWS
    )
    assert {name: counted for name, *counted in ask(counts)} == {name: [rows, rows] for name, rows in ROWS.items()}
    assert workspace.run().status == "nothing"


def test_files_are_read_as_they_are(ask: Ask) -> None:
    assert ask("SELECT typeof(year), typeof(iso), typeof(land_area_km_sq), typeof(notes) FROM countries LIMIT 1") == [
        ("BIGINT", "VARCHAR", "BIGINT", "VARCHAR")
    ]
    assert ask("SELECT * FROM formatted.fitness ORDER BY _record LIMIT 1") == [("AFG", "YR1996", 0.064491, 106.0)]


def test_ties_are_warned_about_and_kept(olympics: tuple[Workspace, RunReport], ask: Ask) -> None:
    assert warnings(olympics[1], "trusted.medals") == {"unique(all)": "9 rows (0.1%)"}
    groups = "SELECT count(*) FROM (SELECT *, count(*) AS n FROM medals GROUP BY ALL) WHERE n > 1"
    distinct = [f"(SELECT count(*) FROM (SELECT DISTINCT * FROM {name}))" for name in ROWS]
    assert ask(f"SELECT ({groups}), {', '.join(distinct)}") == [(8, 8285, 2008, 745, 1813, 1284)]


def test_only_empty_values_are_missing(ask: Ask) -> None:
    counts = (
        f"SELECT '{name}', * FROM (UNPIVOT (SELECT count(*) - count(COLUMNS(*)) FROM formatted.{name}) ON COLUMNS(*))"
        for name in ROWS
    )
    assert {(dataset, column): count for dataset, column, count in ask(" UNION ALL ".join(counts)) if count} == {
        ("countries", "notes"): 1882,
        ("fitness", "ef_efm_ovrl_xd"): 7,
        ("fitness", "ef_efm_rank_xd"): 7,
        ("energy", "c_1_1_access_electricity_tot"): 314,
        ("energy", "c_1_2_access_electricity_rural"): 476,
        ("governance", "cc_est"): 76,
        ("governance", "ge_est"): 86,
        ("governance", "pv_est"): 66,
        ("governance", "rq_est"): 84,
        ("governance", "va_est"): 45,
    }
    assert ask("SELECT count(*) FROM governance WHERE coalesce(cc_est, ge_est, pv_est, rq_est, va_est) IS NULL") == [
        (38,)
    ]


def test_what_was_repaired_is_still_there_as_it_came(ask: Ask) -> None:
    query = """SELECT count(DISTINCT ioc_code), count(DISTINCT iso_code), count(*) FILTER (event LIKE '% '),
                      count(*) FILTER (region = 'noregion') FROM {}.medals"""

    assert ask(query.format("formatted")) == [(132, 131, 4, 140)]
    assert ask(query.format("trusted")) == [(131, 131, 0, 0)]
    assert ask(
        """SELECT count(*) FILTER (iso_code = 'EUN'), count(*) FILTER (iso_code = 'IOP'), count(*),
                  (SELECT count(*) FROM countries WHERE region IS NULL)
           FROM medals WHERE region IS NULL"""
    ) == [(135, 5, 140, 8)]


def test_keys(ask: Ask) -> None:
    twice = "(SELECT year, iso FROM countries GROUP BY ALL HAVING count(*) = 2)"

    assert ask(
        f"""SELECT count(DISTINCT (year, iso)), count(DISTINCT (year, olympic_type, iso)),
                   (SELECT (count(*), min(year), max(year)) FROM {twice})
            FROM countries"""
    ) == [(1945, 2008, (63, 1992, 1992))]


def test_a_key_that_is_none_is_refused(
    olympics: tuple[Workspace, RunReport], another: Callable[[Workspace], Workspace]
) -> None:
    workspace = another(olympics[0])
    path = workspace.root / "trusted" / "countries.yml"
    path.write_text(path.read_text().replace("[year, olympic_type, iso]", "[year, iso]"))

    report = open_workspace(workspace.root).run()

    failure = step(report, "trusted.countries").failure
    assert failure is not None
    assert "key(year, iso) is broken by 63 rows (3.1%)" in failure.message
    assert set(report.kept) == {
        "exploitation.development",
        "exploitation.medals_and_development",
        "exploitation.medals_in_context",
    }


def test_the_two_codes_are_not_the_same(ask: Ask) -> None:
    query = """SELECT count(*) FILTER (ioc_code <> iso_code),
                      count(DISTINCT iso_code) FILTER (iso_code IN (SELECT iso FROM countries)),
                      count(DISTINCT ioc_code) FILTER (ioc_code IN (SELECT iso FROM countries)),
                      count(*) FILTER ((year, iso_code) IN (SELECT (year, iso) FROM countries)),
                      count(*) FILTER ((year, ioc_code) IN (SELECT (year, iso) FROM countries))
               FROM {}.medals"""

    assert ask(query.format("formatted")) == [(1517, 131, 84, 8294, 6780)]
    assert ask(query.format("trusted"))[0][4] == 6781


def test_the_right_join_is_silent_and_the_wrong_ones_are_not(
    olympics: tuple[Workspace, RunReport], another: Callable[[Workspace], Workspace]
) -> None:
    workspace = another(olympics[0])
    for code in ("iso_code", "ioc_code"):
        (workspace.root / "exploitation" / f"by_{code}.sql").write_text(
            "SELECT event, countries.country FROM trusted.medals\n"
            f"JOIN trusted.countries ON countries.year = medals.year AND countries.iso = medals.{code}\n"
        )

    report = open_workspace(workspace.root).run()

    assert step(olympics[1], "exploitation.medals_in_context").rows == 8294
    assert warnings(olympics[1], "exploitation.medals_in_context") == {}
    assert step(report, "exploitation.by_iso_code").rows == 9208
    fans_out = warnings(report, "exploitation.by_iso_code")["joins(medals)"]
    assert "914 rows (11%) more" in fans_out
    assert "loses" not in fans_out
    loses = warnings(report, "exploitation.by_ioc_code")["joins(medals)"]
    assert "loses 1,513 rows (18.2%) of trusted.medals" in loses


def test_a_rule_that_would_delete_the_last_games_stops(
    olympics: tuple[Workspace, RunReport], another: Callable[[Workspace], Workspace]
) -> None:
    workspace = another(olympics[0])
    path = workspace.root / "trusted" / "medals.yml"
    path.write_text(path.read_text() + "  - {expect: year < 2018, else: quarantine}\n")

    report = open_workspace(workspace.root).run()

    failure = step(report, "trusted.medals").failure
    assert failure is not None
    assert "would quarantine every row of city = 'Pyeongchang' (307)" in failure.message
    assert asking(workspace)("SELECT count(*) FROM medals") == [(8294,)]


def test_a_quantile_says_nothing_about_years(ask: Ask) -> None:
    kept = ["c0 AS (FROM countries)"]
    kept += [
        f"c{n} AS (FROM c{n - 1} WHERE {column} < (SELECT quantile_cont({column}, 0.99) FROM c{n - 1}))"
        for n, column in enumerate(MEASURES, 1)
    ]
    left = f"""WITH {", ".join(kept)} SELECT (SELECT count(*) FROM c7), list(DISTINCT iso ORDER BY iso)
               FROM countries WHERE iso NOT IN (SELECT iso FROM c7)"""

    for dataset, rows in (("medals", 7987), ("countries", 1915)):
        assert ask(f"SELECT quantile_cont(year, 0.99), count(*) FILTER (year < 2018) FROM {dataset}") == [(2018, rows)]
    assert ask(left) == [(1792, ["BRA", "CHN", "IND", "JPN", "OAR", "RUS", "USA"])]


def test_medals(ask: Ask) -> None:
    assert ask("SELECT sum(gold), sum(silver), sum(bronze) FROM country_medals") == [(2679, 2672, 2943)]
    assert dict(ask("SELECT year, sum(medals) FROM country_medals GROUP BY year")) == MEDALS
    assert ask(
        """SELECT count(*) FILTER (olympic_type = 'summer'), count(*) FILTER (olympic_type = 'winter')
           FROM medals_in_context WHERE year = 1992"""
    ) == [(815, 171)]
    assert ask("SELECT iso, sum(medals) AS n FROM country_medals GROUP BY iso ORDER BY n DESC LIMIT 5") == [
        ("USA", 923),
        ("DEU", 603),
        ("CHN", 550),
        ("RUS", 545),
        ("FRA", 340),
    ]


def test_world_bank(ask: Ask) -> None:
    indicators = (
        f"""SELECT '{name}', count(DISTINCT economy),
                   count(DISTINCT economy) FILTER (economy IN (SELECT iso FROM countries)), min(time), max(time),
                   (SELECT count(*) FROM countries JOIN trusted.{name} ON economy = iso AND time = 'YR' || year)
            FROM trusted.{name}"""
        for name in ("fitness", "energy", "governance")
    )

    assert sorted(ask(" UNION ALL ".join(indicators))) == [
        ("energy", 259, 207, "YR1992", "YR2016", 1437),
        ("fitness", 149, 148, "YR1996", "YR2012", 731),
        ("governance", 214, 206, "YR1996", "YR2016", 1202),
    ]


def test_medals_and_development(olympics: tuple[Workspace, RunReport], ask: Ask) -> None:
    by_ioc_code = """SELECT count(*), sum(n)
                     FROM (SELECT year, ioc_code, count(*) AS n FROM formatted.medals GROUP BY ALL) AS m
                     JOIN development ON development.year = m.year AND iso = ioc_code"""

    assert "loses 1,277 rows" in warnings(olympics[1], "exploitation.development")["joins(countries)"]
    assert ask(
        """SELECT count(*), sum(medals), (SELECT (count(*), min(year), max(year)) FROM development)
           FROM medals_and_development"""
    ) == [(358, 4368, (731, 1996, 2012))]
    assert ask(by_ioc_code) == [(254, 3642)]
