"""Where the command line begins and ends: streams, errors and exit codes.

Exit codes: 0 done, 1 some dataset failed (or an error that we didn't foresee), 2 wrong use or configuration,
130 interrupted. A reader that goes away (`backbone sql … | head`) is no error.
"""

import contextlib
import errno
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Timer
from typing import IO, NoReturn

import click

from backbone.cli.settings import Settings
from backbone.errors import BackboneError, ProjectError

INTERRUPTED = 130
COMPLETE = "_BACKBONE_COMPLETE"
"""Set by a shell that asks for completions, to `bash_complete`, `zsh_complete` or `fish_complete`."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    _open_closed_streams()
    if asked := os.environ.get(COMPLETE):
        from backbone.cli.shells import complete

        sys.exit(complete(asked, COMPLETE))
    settings = Settings()
    code = _guarded(list(sys.argv[1:] if arguments is None else arguments), settings)
    sys.exit(max(code, _flushed()))


def _open_closed_streams() -> None:
    """Give every standard stream a file: else the next file that is opened would become standard output."""
    for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - open until the end
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # not a text stream of the interpreter's: a test's
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # as above


def _guarded(arguments: list[str], settings: Settings) -> int:
    try:
        from backbone.cli.app import app

        # not app.main(): its ways with Ctrl-C and closed pipes (exit code 1, blank lines) aren't ours
        with app.make_context("backbone", arguments, obj=settings) as context:
            app.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except BrokenPipeError:
        _drop_stdout()
    except KeyboardInterrupt:
        after_echo = "\n" if sys.stderr.isatty() else ""  # the terminal has written ^C
        complain(after_echo + ": ".join(filter(None, ["interrupted", settings.when_interrupted])))
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the last resort: people get one line, and more with --debug
        return explain(error, settings)
    return settings.code


def explain(error: Exception, settings: Settings) -> int:
    """Say what went wrong, and return the exit code for it."""
    if settings.debug:
        import traceback

        complain(*"".join(traceback.format_exception(error)).rstrip("\n").split("\n"))
        return error.exit_code if isinstance(error, BackboneError) else 1
    match error:
        case ProjectError():
            for problem in error.problems:
                complain(*str(problem).split("\n"))
        case BackboneError():
            complain(*str(error).split("\n"))
        case OSError() if error.filename:
            from backbone.troubles import trouble

            complain(trouble(error, Path.cwd()) or f"{error.filename}: {error.strerror}")
        case OSError(errno=errno.ENOSPC):  # whatever writes files names them
            complain("standard output: no space left where it goes. Send it elsewhere, or make space, and do it again")
        case _:
            complain(f"unexpected {type(error).__name__}: {str(error).split(chr(10))[0]}", _DEBUG_HINT)
    return error.exit_code if isinstance(error, BackboneError) else 1


_DEBUG_HINT = "  this is a fault of Backbone's: the same command with --debug shows where"


@contextlib.contextmanager
def ended_after(seconds: float, reason: str) -> Iterator[None]:
    """End the whole command if the block takes longer: a function that never returns can't be interrupted."""

    def end() -> None:
        complain(reason)
        os._exit(1)

    timer = Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def complain(first: str, *rest: str) -> None:
    """Say what went wrong, on standard error: the first line in red, and no secret in any."""
    from backbone.connectors.secrets import concealed

    with contextlib.suppress(OSError):  # nobody listens
        lines = [click.style(first, fg="red") if coloured(sys.stderr) else first, *rest, ""]
        sys.stderr.write(concealed("\n".join(lines)))


def coloured(stream: IO[str]) -> bool:
    """Whether a stream is a terminal that shows colours, and nobody asked for none (`NO_COLOR`)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _flushed() -> int:
    """Write out what is buffered while we can still say why it fails."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_stdout()
    except OSError as error:
        complain(f"standard output: {error.strerror}")
        _drop_stdout()
        return 1
    return 0


def _drop_stdout() -> None:
    """Let the interpreter's own last flush go nowhere."""
    with contextlib.suppress(OSError, ValueError):  # standard output is not a file: a test's
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
