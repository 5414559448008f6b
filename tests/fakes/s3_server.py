"""A real S3 server on loopback: SeaweedFS, in one process, with a bucket, for as long as a block lasts.

    with s3_server() as server:
        with server.as_environment():     # AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, …
            ...

It is stopped by its process id; nothing of it stays. `server.restricted` may read and write and delete nothing.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

BUCKET = "backbone"
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Keys:
    """An account of the server."""

    access: str
    secret: str


@dataclass(frozen=True, slots=True)
class S3Server:
    """A server that runs: where, the accounts that it knows, and its process."""

    endpoint: str
    pid: int
    folder: Path
    admin: Keys = Keys("backboneadmin", "backboneadminsecret")
    restricted: Keys = Keys("backbonewriter", "backbonewritersecret")

    def variables(self, keys: Keys | None = None, endpoint: str = "") -> dict[str, str]:
        """The environment variables by which the standard chain finds this server."""
        one = keys or self.admin
        return {
            "AWS_ACCESS_KEY_ID": one.access,
            "AWS_SECRET_ACCESS_KEY": one.secret,
            "AWS_ENDPOINT_URL": endpoint or self.endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            # What the account of whoever runs the tests says must not be found.
            "AWS_CONFIG_FILE": str(self.folder / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "none"),
        }

    @contextmanager
    def as_environment(self, keys: Keys | None = None, endpoint: str = "") -> Iterator[None]:
        """Let this process find the server by the standard chain."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        with patch.dict(os.environ, {**kept, **self.variables(keys, endpoint)}, clear=True):
            yield


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """A server with an empty bucket `backbone`."""
    folder = Path(tempfile.mkdtemp(prefix="backbone-s3-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        ports = _free_ports(8)
        (folder / "accounts.json").write_text(json.dumps(_accounts()))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                _command(folder, ports), stdout=log, stderr=log, cwd=folder, start_new_session=True
            )
        stack.callback(_stop, process)
        server = S3Server(f"http://127.0.0.1:{ports[3]}", process.pid, folder)
        _wait(server, process)
        yield server


def _command(folder: Path, ports: list[int]) -> list[str]:
    names = ("master.port", "volume.port", "filer.port", "s3.port")
    options = {
        **dict(zip(names, ports, strict=False)),
        **{f"{name}.grpc": port for name, port in zip(names, ports[4:], strict=True)},
        "dir": folder / "data",
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "master.telemetry": "false",
        "master.volumeSizeLimitMB": 64,
        "master.electionTimeout": "200ms",
        "master.heartbeatInterval": "50ms",
        "volume.max": 100,
        "volume.preStopSeconds": 0,
        "filer.localSocket": folder / "filer.sock",
        "s3": "true",
        "s3.config": folder / "accounts.json",
        "s3.localSocket": folder / "s3.sock",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.autoCreateBucket": "false",
    }
    (folder / "data").mkdir()
    program = Path(sys.executable).with_name("weed")
    return [str(program), "server", *(f"-{name}={value}" for name, value in options.items())]


def _accounts() -> dict[str, object]:
    keys = S3Server("", 0, Path())
    actions = {keys.admin: ["Admin"], keys.restricted: ["Read", "List"]}
    return {
        "identities": [
            {"name": one.access, "credentials": [{"accessKey": one.access, "secretKey": one.secret}], "actions": may}
            for one, may in actions.items()
        ]
    }


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens at: held together, so that they differ."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _wait(server: S3Server, process: subprocess.Popen[bytes]) -> None:
    """Until the bucket is made, and a file of it can be written."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    until = time.monotonic() + _PATIENCE_SECONDS
    with server.as_environment():
        client = boto3.client("s3")
        while True:
            try:
                with suppress(client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
                    client.create_bucket(Bucket=BUCKET)
                client.put_object(Bucket=BUCKET, Key="ready", Body=b"ready")
                client.delete_object(Bucket=BUCKET, Key="ready")
                client.close()
            except (BotoCoreError, ClientError):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((server.folder / "log").read_text()[-2000:]) from None
                time.sleep(0.05)
            else:
                return


def _stop(process: subprocess.Popen[bytes]) -> None:
    """At once: what it has written goes anyway, and to end by itself takes it five seconds."""
    process.kill()
    process.wait()
