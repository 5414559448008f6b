"""Ctrl-C during a run: it ends at once, or at the next step, and publishes nothing."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

Event = TypeVar("Event")


@contextmanager
def interruptible(on_event: Callable[[Event], None]) -> Iterator[Callable[[Event], None]]:
    """Make sure that an interrupt in the block is not lost.

    While DuckDB works, it reaches us as a `RuntimeError` of its client; in compiled callbacks of other libraries it may
    be swallowed. So it is noted as well, and raised again at the next event.

    Yields:
        What is to be called with each event in place of `on_event`.
    """
    noted = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        noted.set()
        signal.default_int_handler(number, frame)

    def on_each(event: Event) -> None:
        if noted.is_set():
            raise KeyboardInterrupt
        on_event(event)

    main = threading.current_thread() is threading.main_thread()
    handles = main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if handles:
        signal.signal(signal.SIGINT, note)
    try:
        yield on_each
    except RuntimeError as error:
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from error
        raise
    finally:
        if handles:
            signal.signal(signal.SIGINT, signal.default_int_handler)
