"""Sources that are topics of Kafka, from librdkafka's own brokers on loopback: each message lands once."""

import json
import uuid
from pathlib import Path

import pytest

import backbone
from backbone.connectors import kafka_origin
from backbone.connectors.landing import LandingZone

confluent_kafka = pytest.importorskip("confluent_kafka")


class Brokers:
    """Brokers of their own for a test, which live as long as the producer that they belong to."""

    def __init__(self) -> None:
        self.producer = confluent_kafka.Producer(
            {"bootstrap.servers": "none", "test.mock.num.brokers": 2, "log_level": 0}
        )
        found = self.producer.list_topics(timeout=20).brokers.values()
        self.address = ",".join(f"{one.host}:{one.port}" for one in found)
        self.topic = f"orders-{uuid.uuid4().hex[:8]}"

    def send(self, *values: bytes | None) -> None:
        for number, value in enumerate(values):
            self.producer.produce(self.topic, value=value, key=b"k%d" % number, partition=number % 2)
        assert self.producer.flush(20) == 0


@pytest.fixture
def brokers():
    return Brokers()


@pytest.fixture
def project(tmp_path: Path, brokers: Brokers) -> Path:
    (tmp_path / "sources").mkdir()
    (tmp_path / "backbone.yml").write_text("name: shop\n")
    (tmp_path / "sources/orders.yml").write_text(
        f"from: {{kafka: '{brokers.address}', topic: {brokers.topic}}}\n"
        "template: {format: ndjson}\n"
        "columns: {kafka_partition: integer, kafka_offset: integer, id: integer, price: decimal(2)}\n"
    )
    return tmp_path


def orders(*numbers: int) -> list[bytes]:
    return [b'{"id": %d,\n "price": %d.10}' % (n, n) for n in numbers]


def ids(root: Path) -> list[int]:
    return [row[0] for row in backbone.open(root).sql("SELECT id FROM trusted.orders ORDER BY id").rows()]


def test_messages_land_once_with_what_they_say(project, brokers):
    brokers.send(*orders(1, 2, 3))
    assert backbone.open(project).run().status == "published"
    (file,) = backbone.open(project).environment.landing.registry.files("orders")
    first = json.loads(file.path.read_text().splitlines()[0])
    assert (first["kafka_key"], first["kafka_offset"]) == ("k0", 0)
    assert '"price": 1.10' in file.path.read_text()

    assert backbone.open(project).run().status == "nothing"
    brokers.send(*orders(4, 5))
    backbone.open(project).run()

    assert ids(project) == [1, 2, 3, 4, 5]


def test_killed_before_the_file_is_registered_it_is_fetched_again(project, brokers, monkeypatch):
    brokers.send(*orders(1, 2))

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LandingZone, "land_fetched", killed)
        with pytest.raises(KeyboardInterrupt):
            backbone.open(project).run()
    brokers.send(*orders(3))
    backbone.open(project).run()

    assert ids(project) == [1, 2, 3]


def test_values_that_are_no_objects_are_kept_as_they_are(project, brokers):
    brokers.send(b"plain, text", None, b"\xff\x00", b"[1]", b"{}")

    backbone.open(project).run()
    (file,) = backbone.open(project).environment.landing.registry.files("orders")
    lines = [json.loads(line) for line in file.path.read_text().splitlines()]

    assert sorted(str(line.get("value", "absent")) for line in lines) == [
        "None",
        "[1]",
        "absent",
        "ff00",
        "plain, text",
    ]


def test_what_is_wrong_is_told(project, brokers, monkeypatch):
    monkeypatch.setattr(kafka_origin, "TIMEOUT_SECONDS", 2.0)
    brokers.send(*orders(1))
    backbone.open(project).run()
    text = (project / "sources/orders.yml").read_text()
    (project / "sources/orders.yml").write_text(text.replace(brokers.topic, "nothing"))
    assert "there is no such topic" in backbone.open(project).run().failed[0].failure.message
    (project / "sources/orders.yml").write_text(text.replace(brokers.address, "127.0.0.1:9"))
    assert "can't be read: " in backbone.open(project).run().failed[0].failure.message
    assert ids(project) == [1]
