"""A real HTTP server on loopback that fails as it is told to: cuts off, stalls, answers 5xx, wants a pause."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Site:
    """What a server has. `faults` are met in turn, one a request; `asked` keeps requests, `sent` bytes."""

    files: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    faults: deque[Callable[["_Handler", bytes], bool]] = field(default_factory=deque)
    asked: list[dict[str, str]] = field(default_factory=list)
    sent: int = 0
    port: int = 0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        site = self.site
        site.asked.append({name.lower(): value for name, value in self.headers.items()})
        path = self.path.partition("?")[0].lstrip("/")
        if path in site.redirects:
            self.answer(302, {"Location": site.redirects[path], "Content-Length": "0"})
            return
        content = site.files.get(path)
        if content is None:
            self.answer(404, {"Content-Length": "0"})
            return
        if site.faults and site.faults.popleft()(self, content):
            return
        etag = f'"{hash(content) & 0xFFFFFF:x}"'
        if self.headers.get("If-None-Match") == etag:
            self.answer(304, {"ETag": etag})
            return
        known = {"ETag": etag, **site.headers}
        begin = 0
        if (wanted := self.headers.get("Range")) and self.headers.get("If-Range") == etag:
            begin = int(wanted.removeprefix("bytes=").rstrip("-"))
            known["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        self.answer(206 if begin else 200, {**known, "Content-Length": str(len(content) - begin)}, content[begin:])

    def answer(self, status: int, headers: dict[str, str], content: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.site.sent += len(content)

    def log_message(self, *_: Any) -> None:
        pass


def cut_off(after: int) -> Callable[[_Handler, bytes], bool]:
    """Send only so many bytes of the file."""

    def fault(handler: _Handler, content: bytes) -> bool:
        headers = {"ETag": f'"{hash(content) & 0xFFFFFF:x}"', "Content-Length": str(len(content))}
        handler.answer(200, headers, content[:after])
        return True

    return fault


def status(code: int, **headers: str) -> Callable[[_Handler, bytes], bool]:
    """Answer with a status and no file."""

    def fault(handler: _Handler, _: bytes) -> bool:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        handler.answer(code, {"Content-Length": "0", **named})
        return True

    return fault


def meanwhile(change: Callable[[], None]) -> Callable[[_Handler, bytes], bool]:
    """Let something happen before the file is sent as ever."""

    def fault(_: _Handler, __: bytes) -> bool:
        change()
        return False

    return fault


@contextmanager
def http_server() -> Iterator[Site]:
    """A server for as long as the block lasts."""
    site = Site()
    handler = type("Handler", (_Handler,), {"site": site})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        site.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
