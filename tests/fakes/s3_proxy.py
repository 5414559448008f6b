"""A proxy before an S3 server, on loopback, that fails as real ones do: at requests that a test chooses.

    with s3_proxy(server.endpoint) as proxy:
        proxy.fail("503", when=lambda request: request.method == "PUT", times=2)

Faults: `drop` closes the connection before an answer, `stall` never answers, `cut` sends half of the answer's body,
`flip` changes a byte of what is sent, `lost` lets the request through and drops the answer; a number is an HTTP status.
"""

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_STALL_SECONDS = 60.0
_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came: `query` after the question mark."""

    method: str
    path: str
    query: str


@dataclass(slots=True)
class _Fault:
    what: str
    when: Callable[[Seen], bool]
    times: int
    after: int


@dataclass(slots=True)
class Proxy:
    """A proxy that runs. `seen` are all requests so far, `struck` those that a fault hit."""

    endpoint: str = ""
    seen: list[Seen] = field(default_factory=list)
    struck: list[Seen] = field(default_factory=list)
    _faults: list[_Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ended: threading.Event = field(default_factory=threading.Event)

    def fail(self, what: str, *, when: Callable[[Seen], bool] = lambda _: True, times: int = 1, after: int = 0) -> None:
        """Let the next `times` requests that `when` is true of fail, after as many have passed."""
        with self._lock:
            self._faults.append(_Fault(what, when, times, after))

    def heal(self) -> None:
        """Let nothing fail any more, and forget what was seen."""
        with self._lock:
            self._faults.clear()
            self.seen.clear()
            self.struck.clear()

    def fault(self, request: Seen) -> str:
        """What is to happen to a request."""
        with self._lock:
            self.seen.append(request)
            for one in self._faults:
                if not one.times or not one.when(request):
                    continue
                if one.after:
                    one.after -= 1
                    continue
                one.times -= 1
                self.struck.append(request)
                return one.what
        return ""

    def stall(self) -> None:
        """Say nothing until whoever asked has gone, or all ends."""
        self._ended.wait(_STALL_SECONDS)

    def end(self) -> None:
        """Let go of what stalls."""
        self._ended.set()


@contextmanager
def s3_proxy(endpoint: str) -> Iterator[Proxy]:
    """A proxy that passes everything on to `endpoint` until it is told to fail."""
    proxy = Proxy()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(proxy, urlsplit(endpoint).netloc))
    server.daemon_threads = True
    proxy.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.end()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(proxy: Proxy, host: str) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - a class with its proxy
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            path, _, query = self.path.partition("?")
            body = self._body()
            fault = proxy.fault(Seen(self.command, path, query))
            if fault == "drop":
                return self._hang_up()
            if fault == "stall":
                proxy.stall()
                return self._hang_up()
            if fault.isdigit():
                return self._answer(int(fault), {"Content-Type": "application/xml"}, _error(int(fault)))
            if fault == "flip" and body:
                middle = len(body) // 2
                body = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
            status, headers, answer = self._asked(body)
            if fault == "lost":
                return self._hang_up()
            return self._answer(status, headers, answer, cut=fault == "cut")

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815 - http.server's names

        def _body(self) -> bytes:
            if "chunked" in self.headers.get("Transfer-Encoding", ""):
                return self._chunked()
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def _chunked(self) -> bytes:
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline() not in {b"\r\n", b""}:
                pass
            return b"".join(parts)

        def _asked(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection(host, timeout=_STALL_SECONDS)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP | {"expect"}}
            # The server's own name is signed: it is passed on as it came.
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            if body or self.command in {"PUT", "POST"}:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            response = connection.getresponse()
            answer = response.read()
            kept = {name: value for name, value in response.getheaders() if name.lower() not in _HOP}
            if self.command == "HEAD":
                kept["Content-Length"] = response.getheader("Content-Length", "0")
            connection.close()
            return response.status, kept, answer

        def _answer(self, status: int, headers: dict[str, str], body: bytes, *, cut: bool = False) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if self.command != "HEAD" and status not in {204, 304}:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(body[: len(body) // 2] if cut else b"" if self.command == "HEAD" else body)
                self.wfile.flush()
            if cut:
                self._hang_up()

        def _hang_up(self) -> None:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_: object) -> None:
            """Nothing: what was asked is in `seen`."""

    return Handler


def _error(status: int) -> bytes:
    code = {503: "SlowDown", 500: "InternalError", 403: "AccessDenied"}.get(status, "ServiceUnavailable")
    return (
        f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>a fault that was asked for</Message></Error>".encode()
    )


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until something is true."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.01)
