"""Spark as the engine of a lake whose catalogue is in PostgreSQL: the same datasets as on a laptop."""

import pytest
from faults_shop import LATER, backbone_run, content, deliver, differences, leftovers, make_shop, unsound
from team_shop import make_team_shop

import backbone

pytestmark = [pytest.mark.spark, pytest.mark.long, pytest.mark.timeout(1800), pytest.mark.usefixtures("java")]


def test_a_first_and_an_incremental_run_are_those_of_a_laptop(tmp_path, database):
    laptop = make_shop(tmp_path / "laptop")
    team = make_team_shop(tmp_path / "team", database, "engine: {spark: 'local[2]'}\nmemory_limit: 1GB\n")

    for delivery in ({}, LATER):
        for root in (laptop, team):
            deliver(root, delivery)
            ended = backbone_run(root, seconds=900)
            assert ended.returncode == 0, ended.stdout + ended.stderr
        assert differences(content(team), content(laptop)) == []

    assert leftovers(team) == []
    assert unsound(backbone.open(team).doctor()) == []
