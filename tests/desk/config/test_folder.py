from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.desk.config.claiming import bind
from ringfence.desk.config.errors import CantStartError
from ringfence.desk.config.folder import FolderLock, open_folder
from ringfence.desk.config.secret import make_secret_key, secret_key


def test_an_absent_folder_is_made(tmp_path):
    open_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_new_folder_is_open_to_its_owner_alone(tmp_path):
    open_folder(tmp_path / "data")
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(CantStartError, match="not a folder: give another with --data"):
            open_folder(path)


def test_a_read_only_folder_is_refused():
    # Root may write anywhere but here.
    with pytest.raises(CantStartError, match=r"can't (make|write)"):
        open_folder(Path("/proc/self/fd"))


def test_a_second_process_is_told_who_has_the_folder(tmp_path):
    lock = FolderLock(tmp_path)
    lock.take()
    program = (
        "import sys; from pathlib import Path\n"
        "from ringfence.desk.config.folder import FolderLock\n"
        "FolderLock(Path(sys.argv[1]), tuple(sys.argv[2:])).take()"
    )
    second = [sys.executable, "-c", program, str(tmp_path)]
    refused = subprocess.run([*second, "monitor"], capture_output=True, text=True, check=False)
    assert f"(monitor) already runs on {tmp_path} as process {os.getpid()}" in refused.stderr
    lock.release()
    assert subprocess.run([*second, "monitor"], check=False).returncode == 0


def test_parts_of_one_folder_may_run_apart(tmp_path):
    gateway, rest = FolderLock(tmp_path, ("gateway",)), FolderLock(tmp_path, ("monitor", "web"))
    gateway.take()
    rest.take()
    gateway.release()
    rest.release()


def test_a_refused_lock_lets_go_of_what_it_had_taken(tmp_path):
    first = FolderLock(tmp_path, ("web",))
    first.take()
    with pytest.raises(CantStartError):
        FolderLock(tmp_path).take()
    gateway = FolderLock(tmp_path, ("gateway", "monitor"))
    gateway.take()
    gateway.release()
    first.release()


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    make_secret_key(tmp_path)
    key = secret_key(tmp_path)
    make_secret_key(tmp_path)
    assert secret_key(tmp_path) == key
    assert len(key) > 40
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0
    assert secret_key(tmp_path, "given") == "given"


def test_a_port_in_use_is_refused_by_number():
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    with pytest.raises(CantStartError, match=f"port {port} on 127.0.0.1 is in use.*--port"):
        bind("127.0.0.1", port)
    listener.close()


def test_an_address_that_is_not_ours_is_refused():
    with pytest.raises(CantStartError, match=r"can't listen on 192\.0\.2\.1"):
        bind("192.0.2.1", 0)
