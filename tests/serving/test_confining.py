"""What a worker gives up holds: memory, processor time, the network; and it does not outlive its server."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import pytest

linux = pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")


def confined(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process that may be confined."""
    head = "import socket, sys\nfrom vidence.serving import confining\n"
    return subprocess.run([sys.executable, "-c", head + code], capture_output=True, text=True)


@linux
def test_more_memory_than_allowed_is_not_had() -> None:
    done = confined(
        "confining.limit_memory(1 << 30)\n"
        "try:\n    bytearray(2 << 30)\nexcept MemoryError:\n    print('refused')\nprint(len(bytearray(1 << 20)))"
    )
    assert done.stdout.split() == ["refused", str(1 << 20)]


@linux
def test_more_time_than_allowed_ends_it() -> None:
    done = confined("confining.limit_time(0.1)\nwhile True: pass")
    assert done.returncode == -signal.SIGXCPU


@linux
def test_nothing_is_reached_over_the_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        reach = f"try:\n    socket.create_connection(('127.0.0.1', {port}), 5); print('reached')\n"
        reach += "except OSError:\n    print('refused')\n"
        done = confined("print(confining.drop_network())\n" + reach)
    if done.stdout.split()[0] == "False":
        pytest.skip("this system does not let a user leave the network")
    assert done.stdout.split() == ["True", "refused"]


@linux
def test_files_stay_its_own_without_the_network() -> None:
    done = confined(
        "import os, tempfile\nconfining.drop_network()\nwith tempfile.TemporaryDirectory() as folder:\n"
        "    path = os.path.join(folder, 'a')\n    open(path, 'w').write('x')\n"
        "    print(open(path).read(), os.stat(path).st_uid == os.getuid())"
    )
    assert done.stdout.split() == ["x", "True"], done.stderr
