"""The image without a container engine: the Dockerfile's own steps done in a root of their own, and its processes run
there as Compose runs them: another user, nothing writable but /tmp and the volume, no capability, no way to gain one.

Python and the system's files are this machine's. Needs root, for the mounts.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests import deployment
from tests.deployment import ROOT

BASE = Path(sys.base_prefix)
USER = deployment.one("USER")
SYSTEM = ("usr", "etc", "proc", "dev")

# Both run in mounts of their own, which end with the process.
BUILD = """set -eu
root=$1 base=$2
for each in /usr /etc "$base"; do mount --bind "$each" "$root$each"; mount -o remount,bind,ro "$root$each"; done
for each in /proc /dev; do mount --rbind "$each" "$root$each"; done
exec chroot "$root" sh -euc "cd /app; $3"
"""
RUN = """set -eu
root=$1 base=$2 files=$3 secrets=$4 user=$5; shift 5
mount --bind "$root" "$root"
for each in /usr /etc "$base"; do mount --bind "$each" "$root$each"; mount -o remount,bind,ro "$root$each"; done
for each in /proc /dev; do mount --rbind "$each" "$root$each"; done
mount --bind "$files" "$root/var/lib/webapi"
mount --bind "$secrets" "$root/run/secrets"
mount -o remount,bind,ro "$root"
mount -t tmpfs -o size=512m,mode=1777,nosuid,nodev,noexec tmpfs "$root/tmp"
exec chroot "$root" setpriv --reuid "${user%:*}" --regid "${user#*:}" --clear-groups --no-new-privs \\
  --bounding-set=-all --inh-caps=-all env --chdir=/app "$@"
"""
UNSHARE = ("unshare", "--mount", "--propagation", "private", "sh", "-c")


def can_be_made() -> bool:
    """Whether this process may make mounts of its own."""
    return os.geteuid() == 0 and subprocess.run([*UNSHARE, "true"], check=False, capture_output=True).returncode == 0


class Image:
    """`root` is a folder that holds what the image would."""

    def __init__(self, root: Path, folder: Path, log: Path) -> None:
        self.root = root
        self.files, self.secrets = folder / "files", folder / "secrets"
        self._log = log
        self._started: list[subprocess.Popen[bytes]] = []
        for each in (self.files, self.secrets):
            each.mkdir()
        os.chown(self.files, *(int(part) for part in USER.split(":")))

    def build(self) -> None:
        """Do what COPY and RUN of both stages say."""
        for each in (*SYSTEM, "tmp", "app", "opt", "run/secrets", "var/lib", str(BASE).lstrip("/")):
            (self.root / each).mkdir(parents=True, exist_ok=True)
        for each in ("bin", "lib", "lib64", "sbin"):
            (self.root / each).symlink_to(f"usr/{each}")
        for step in deployment.dockerfile():
            if step.word == "COPY" and not step.text.startswith("--from="):
                self._copy(step.text.split()[0])
            elif step.word == "RUN":
                path = {"PATH": f"{BASE}/bin:/usr/sbin:/usr/bin:/bin", "HOME": "/tmp", "PIP_NO_CACHE_DIR": "1"}
                outside = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
                words = [*UNSHARE, BUILD, "sh", str(self.root), str(BASE), step.text]
                with self._log.open("ab") as log:
                    subprocess.run(words, check=True, env={**outside, **path}, stdout=log, stderr=log)

    def start(self, words: Sequence[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
        """Run a command as a container does; the process is the command's own."""
        settings = [f"{name}={value}" for name, value in {**deployment.image_environment(), **environment}.items()]
        places = [str(each) for each in (self.root, BASE, self.files, self.secrets)]
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*UNSHARE, RUN, "sh", *places, USER, "-i", *settings, *words],
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        self._started.append(process)
        return process

    def run(self, words: Sequence[str], environment: Mapping[str, str], log: Path) -> str:
        """Run a command to its end and return what it said. Raises AssertionError when it fails."""
        before = log.stat().st_size if log.exists() else 0
        status = self.start(words, environment, log).wait(120)
        said = log.read_bytes()[before:].decode()
        assert status == 0, f"{words} ended with {status}: {said}"
        return said

    def stop(self) -> None:
        """Kill whatever still runs."""
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _copy(self, what: str) -> None:
        """A file, or all that .dockerignore lets in: it keeps everything out but the lines that begin with `!`."""
        lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        allowed = {line[1:] for line in lines if line.startswith("!")}
        kept_out = [re.sub(r"^\*\*/", "", line) for line in lines if line.startswith("**/")]

        def ignored(folder: str, names: list[str]) -> list[str]:
            return [name for name in names if any(fnmatch.fnmatch(name, each) for each in kept_out)]

        for name in allowed if what == "." else {what}:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.root / "app" / name, ignore=ignored)
            else:
                shutil.copy(ROOT / name, self.root / "app" / name)
