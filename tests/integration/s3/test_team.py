"""A catalogue in PostgreSQL and data on S3: machines that share nothing else work on one lake."""

import pytest
from faults_shop import LATER, content, deliver, differences, unsound
from s3_proxy import s3_proxy, wait_for
from s3_server import BUCKET
from s3_shop import SMALL_DATASETS, make_small, strangers
from team_shop import ended, start

import backbone
from backbone.project.settings import alone_refused


@pytest.fixture(autouse=True)
def _with_sqlite():
    """What the other tests allow is not needed here."""
    assert alone_refused("sqlite")


@pytest.fixture
def machines(tmp_path, database, prefix, s3):  # noqa: ARG001 - it must be there
    """Two checkouts of one project, each with a local folder of its own."""
    for name in ("one", "other"):
        root = make_small(tmp_path / name)
        storage = f"storage: {{catalogue: 'postgres:${{PG_URL}}', data: 's3://{BUCKET}/{prefix}'}}\n"
        (root / "backbone.yml").write_text(f"name: shop\n{storage}")
        (root / "secrets.env").write_text(f"PG_URL={database}\n")
    return tmp_path / "one", tmp_path / "other"


def test_what_one_machine_publishes_another_reads_and_goes_on_from(machines, expected, tmp_path):
    one, other = machines
    assert backbone.open(one).run().status == "published"
    assert differences(content(other, SMALL_DATASETS), expected) == []
    assert unsound(backbone.open(other).doctor()) == []

    plain = make_small(tmp_path / "plain")
    for root in (other, plain):
        deliver(root, {"orders-4.csv": LATER["orders-4.csv"]})
        backbone.open(root).run()
    assert differences(content(one, SMALL_DATASETS), content(plain, SMALL_DATASETS)) == []
    assert strangers(one) == []
    assert not [path for root in machines for path in (root / "lake").rglob("*.parquet")]


def test_what_a_machine_has_put_and_not_published_yet_another_leaves_alone(machines, s3):
    one, other = machines
    backbone.open(one).run()
    (one / "exploitation/totals.sql").write_text("SELECT count(*) AS orders, 1 AS new FROM trusted.orders\n")
    (other / "exploitation/customer_days.sql").write_text("SELECT count(*) AS days FROM trusted.orders\n")
    with s3_proxy(s3.endpoint) as proxy, s3.as_environment(endpoint=proxy.endpoint):
        proxy.fail("stall", when=lambda r: r.method == "HEAD" and "/totals/" in r.path)
        proxy.fail("stall", when=lambda r: r.method == "HEAD" and "/customer_days/" in r.path)
        slow = start(one, "run", "--select", "exploitation.totals")
        killed = start(other, "run", "--select", "exploitation.customer_days")
        wait_for(lambda: len(proxy.struck) == 2, 100)
        killed.kill()
        killed.communicate()
        with s3.as_environment():
            assert {name.split("/")[2] for name in strangers(other)} == {"totals", "customer_days"}
            assert backbone.open(other).run("exploitation.customer_days").status == "published"
            assert {name.split("/")[2] for name in strangers(other)} == {"totals"}
        proxy.end()
        code, said = ended(slow)
        assert code == 0, said

    assert backbone.open(one).sql("SELECT orders, new FROM totals").rows() == [(61, 1)]
    assert strangers(other) == []


@pytest.mark.long
def test_backups_and_moving_there_and_back(machines, expected, tmp_path, prefix):
    one, _ = machines
    storage = (one / "backbone.yml").read_text()
    (one / "backbone.yml").write_text("name: shop\n")
    backbone.open(one).run()

    places = {"catalogue": "postgres:${PG_URL}", "data": f"s3://{BUCKET}/{prefix}"}
    backbone.open(one).migrate(places)
    assert "s3://" in (one / "backbone.yml").read_text()
    assert backbone.open(one).run().status == "nothing"
    assert differences(content(one, SMALL_DATASETS), expected) == []
    assert unsound(backbone.open(one).doctor()) == []
    assert strangers(one) == []

    backbone.open(one).backup(tmp_path / "backup")
    deliver(one, {"orders-4.csv": LATER["orders-4.csv"]})
    backbone.open(one).run()
    backbone.open(one).restore(tmp_path / "backup")
    assert differences(content(one, SMALL_DATASETS), expected) == []
    assert unsound(backbone.open(one).doctor()) == []

    backbone.open(one).run()
    after = content(one, SMALL_DATASETS)
    backbone.open(one).migrate({"catalogue": "sqlite", "data": "lake"})
    assert differences(content(one, SMALL_DATASETS), after) == []
    assert unsound(backbone.open(one).doctor()) == []
    assert storage != (one / "backbone.yml").read_text()
