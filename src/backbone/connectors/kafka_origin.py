"""Topics of Kafka: what is in them that hasn't landed becomes one file, a JSON object a message.

Offsets are no consumer group's but part of the registry of landed files, in the transaction that registers the file: a
kill between any two steps neither loses nor doubles a message.
"""

import json
import logging
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backbone.connectors.fetching import Fetched, Note, Question, secret_parts
from backbone.connectors.secrets import concealed
from backbone.errors import MissingExtraError, OriginError

TIMEOUT_SECONDS = 20.0
_POLL_SECONDS = 0.2
_TOLD_EVERY_SECONDS = 0.5
_QUIET = logging.getLogger("backbone.kafka")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False
Offsets = dict[int, int]
"""For each partition, the offset of the first message that has not landed."""


def fetch_messages(question: Question, part: Path, note: Note) -> Fetched | None:
    """Write the messages of a topic that have not landed, up to those that are there now; None where there are none.

    Raises:
        OriginError: no broker answers, there is no such topic, or it has fewer messages than have landed.
        MissingExtraError: confluent-kafka isn't installed.
    """
    try:
        from confluent_kafka import Consumer, KafkaException
    except ImportError as error:
        raise MissingExtraError("Reading from Kafka", "kafka") from error
    parts = secret_parts(question)
    settings = {
        "bootstrap.servers": parts["kafka"],
        "group.id": "backbone",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
    }
    known: Offsets = {int(key): value for key, value in json.loads(question.memory or "{}").items()}
    try:
        with closing(Consumer(settings, logger=_QUIET)) as consumer:
            begin, end = _bounds(consumer, parts["topic"], known, question)
            if begin == end:
                return None
            count = _write(_messages(consumer, parts["topic"], begin, end, question), part, question, note)
    except KafkaException as error:
        why = concealed(str(error.args[0].str() if error.args else error))
        raise OriginError(
            f"{question.told} can't be read: {why}. Nothing is lost; once it can be: backbone run"
        ) from None
    return Fetched(f"{parts['topic']}.ndjson", json.dumps(end)) if count else None


def _bounds(consumer: Any, topic: str, known: Offsets, question: Question) -> tuple[Offsets, Offsets]:
    """Where each partition is to be read from, and where it ends now."""
    from confluent_kafka import TopicPartition

    found = consumer.list_topics(topic, timeout=TIMEOUT_SECONDS).topics[topic]
    if found.error or not found.partitions:
        raise OriginError(f"{question.told} can't be read: there is no such topic. Look at the name under `from`")
    begin, end = Offsets(), Offsets()
    for number in sorted(found.partitions):
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=TIMEOUT_SECONDS)
        if known.get(number, low) > high:
            raise OriginError(
                f"{question.told} has {high:,} messages in partition {number}, of which {known[number]:,} have landed: "
                "it was made anew. What has landed stays; read it as another source"
            )
        begin[number], end[number] = max(low, known.get(number, low)), high
    return begin, end


def _messages(consumer: Any, topic: str, begin: Offsets, end: Offsets, question: Question) -> Iterator[Any]:
    """The messages between two offsets of each partition, one partition after the other."""
    from confluent_kafka import KafkaError, KafkaException, TopicPartition

    for number, last in end.items():
        if begin[number] == last:
            continue
        consumer.assign([TopicPartition(topic, number, begin[number])])
        heard, done = time.monotonic(), False
        while not done:
            message = consumer.poll(_POLL_SECONDS)
            if message is None:
                if time.monotonic() - heard > TIMEOUT_SECONDS:
                    raise OriginError(f"{question.told} stopped answering. Nothing is lost; once it does: backbone run")
                continue
            heard, error = time.monotonic(), message.error()
            if error and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - its name for that
                raise KafkaException(error)
            if not error and message.offset() < last:
                yield message
            # What is between messages (marks of transactions) has offsets, too.
            done = bool(error) or message.offset() + 1 >= last


def _write(messages: Iterator[Any], part: Path, question: Question, note: Note) -> int:
    count, told = 0, time.monotonic()
    with part.open("w", encoding="utf-8", newline="\n") as file:
        for message in messages:
            file.write(line_of(message))
            count += 1
            if time.monotonic() - told > _TOLD_EVERY_SECONDS:
                told = time.monotonic()
                note(f"{question.told}, {count:,} messages")
    return count


def line_of(message: Any) -> str:
    """A message as a line: where it was, its key, and the keys of its value; `value` where that is no object."""
    kind, milliseconds = message.timestamp()
    when = datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds") if kind else None
    about = {
        "kafka_partition": message.partition(),
        "kafka_offset": message.offset(),
        "kafka_timestamp": when,
        "kafka_key": _text(message.key()),
    }
    text = _text(message.value())
    if (inner := _members(text)) is None:
        return json.dumps({**about, "value": text}, ensure_ascii=False) + "\n"
    head = json.dumps(about, ensure_ascii=False)
    return f"{head[:-1]}, {inner}}}\n" if inner else f"{head}\n"


def _text(data: bytes | None) -> str | None:
    """What bytes say; hexadecimal where they are no text."""
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.hex()


def _members(text: str | None) -> str | None:
    """What is between the braces of an object in JSON, on one line, with its numbers as they are written."""
    try:
        if not isinstance(json.loads(text or "", parse_int=str, parse_float=str), dict):
            return None
    except (ValueError, RecursionError):
        return None
    # A line end in JSON is between values: within a text it is written \n.
    return (text or "").strip()[1:-1].replace("\r", " ").replace("\n", " ").strip()
