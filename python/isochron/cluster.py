"""Has the workers of a Dask cluster do the parts of `isochron query`, `replay` or `hunt`; started by their --dask.

`WANTED HOST:PORT PROGRAM N FILE... COMMAND...`: COMMAND with `--part list` tells the parts, workers run it with each of them, and COMMAND with
`--part join` here makes the answer of what they wrote (docs/query.md): of all parts, or else none; up to one that fails; or of the first that has
something to say, which no failure of another changes. Workers need the program and all files of the command at the same paths, and nothing of
this package.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import subprocess
import sys
from typing import Any

OK, INTERNAL, USAGE, DIFFERENCE, INTERRUPTED = 0, 1, 2, 3, 130
ALL, UP_TO, FIRST = "all", "up-to", "first"  # parts that are wanted
PATIENCE = 60  # seconds, for the scheduler and its first worker
ATTEMPTS = 3  # at a part whose program died


@dataclasses.dataclass
class Done:
    """What became of a part: as plain data, since it comes from elsewhere."""

    worker: str
    unseen: str = ""  # the path that the worker does not see
    code: int = 0
    output: bytes = b""
    errors: bytes = b""


def run_part(command: list[str], folder: str, paths: list[str]) -> tuple[Any, ...]:
    """Runs on a worker, which has nothing of this module: the fields of a Done."""
    import os  # pylint: disable=import-outside-toplevel,redefined-outer-name,reimported
    import subprocess  # pylint: disable=import-outside-toplevel,redefined-outer-name,reimported

    import distributed  # pylint: disable=import-outside-toplevel

    worker = distributed.get_worker().address
    for path in (*(os.path.join(folder, path) for path in paths), command[0], folder):
        if not os.access(path, os.R_OK):
            return worker, path
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode not in (0, 2, 3):
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-500:].decode(errors='replace')}")
    return worker, "", done.returncode, done.stdout, done.stderr


def part_command(program: str, words: list[str], part: str) -> list[str]:
    """What does a part; behind the command's name, since what follows -- is somebody else's."""
    return [program, words[0], "--part", part, *words[1:]]


class Failure(Exception):
    """Ends the program with a line and an exit code."""

    def __init__(self, code: int, line: str) -> None:
        super().__init__(line)
        self.code = code


def tell(line: str) -> None:
    print(f"isochron: {line}", file=sys.stderr, flush=True)


class Cluster:
    """The workers of a scheduler, of which those that do not see the recording are left alone."""

    def __init__(self, address: str) -> None:
        try:
            import distributed  # pylint: disable=import-outside-toplevel
        except ImportError:
            raise Failure(USAGE, "--dask needs the Python package distributed (python3-distributed)") from None
        self._timeout = (distributed.TimeoutError, TimeoutError)
        try:
            client: Any = distributed.Client
            self._client: Any = client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise Failure(USAGE, f"no Dask scheduler answers at {address}: {error}") from None
        try:
            self._client.wait_for_workers(1, timeout=PATIENCE)
        except self._timeout:
            raise Failure(USAGE, f"the Dask scheduler at {address} has no workers") from None
        self._blind: set[str] = set()

    def close(self) -> None:
        self._client.close()

    def width(self) -> int:
        """How many parts to have under way: some more than there are threads."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"]
        return 2 + 2 * sum(int(worker["nthreads"]) for worker in workers.values())

    def submit(self, *arguments: Any) -> Any:
        """Has a worker run a part. Dask itself gives it to another one when that dies."""
        where: dict[str, Any] = {}
        if self._blind:
            seeing = [name for name in self._client.scheduler_info(n_workers=-1)["workers"] if name not in self._blind]
            if not seeing:
                raise Failure(USAGE, "no worker of the Dask cluster sees the files")
            where = {"workers": seeing, "allow_other_workers": True}
        return self._client.submit(run_part, *arguments, pure=False, retries=ATTEMPTS, **where)

    def result(self, future: Any, seconds: float) -> Done | None:
        """None: it is not there yet."""
        try:
            return Done(*future.result(timeout=seconds))
        except self._timeout:
            if future.status != "error":
                return None
            raise

    def leave_out(self, done: Done) -> None:
        """The worker does not see something."""
        if done.worker not in self._blind:
            tell(f"the worker {done.worker} does not see {done.unseen}; it is left out")
        self._blind.add(done.worker)

    def cancel(self, futures: list[Any]) -> None:
        self._client.cancel(futures)


class Joiner:
    """The program that makes the answer, on our standard output."""

    def __init__(self, program: str, words: list[str]) -> None:
        self._process = subprocess.Popen(part_command(program, words, "join"), stdin=subprocess.PIPE)

    def ended(self) -> bool:
        return self._process.poll() is not None

    def take(self, output: bytes) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(output)
            self._process.stdin.flush()

    def finish(self) -> int:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        code = self._process.wait()
        return code if code >= 0 else 128 - code

    def abandon(self) -> None:
        """There will be no answer."""
        self._process.kill()
        self.finish()


class Work:
    """The parts of a command, joined in their order."""

    def __init__(self, cluster: Cluster, wanted: str, program: str, words: list[str], paths: list[str]) -> None:
        self._cluster, self._wanted, self._program, self._words = cluster, wanted, program, words
        self._folder = os.getcwd()
        # Whatever else a worker misses, the program itself says.
        self._paths = paths
        self._futures: dict[int, Any] = {}

    def _submit(self, part: str) -> Any:
        return self._cluster.submit(part_command(self._program, self._words, part), self._folder, self._paths)

    def _await(self, number: int, part: str, joiner: Joiner) -> Done | None:
        """None: nobody wants it any more."""
        while not joiner.ended():
            try:
                done = self._cluster.result(self._futures[number], 0.5)
            except Exception as error:  # the worker's or the cluster's
                raise Failure(INTERNAL, f"part {part} failed on the Dask cluster: {error}") from None
            if done is None:
                continue
            if not done.unseen:
                return done
            self._cluster.leave_out(done)
            self._futures[number] = self._submit(part)
        return None

    def run(self, parts: list[str]) -> int:
        joiner = Joiner(self._program, self._words)
        failed: Done | None = None
        ended = False
        try:
            for number, part in enumerate(parts):
                for ahead in range(len(self._futures) + number, min(len(parts), number + self._cluster.width())):
                    self._futures[ahead] = self._submit(parts[ahead])
                done = self._await(number, part, joiner)
                if done is None:
                    break
                del self._futures[number]
                joiner.take(done.output)
                if done.code != OK:
                    failed = done
                    break
                if self._wanted == FIRST and done.output:
                    break
            ended = True
        finally:
            self._cluster.cancel(list(self._futures.values()))
            if self._wanted == ALL and (failed is not None or not ended):
                joiner.abandon()
                code = OK
            else:
                code = joiner.finish()
        if failed is None or code != OK:
            return code
        sys.stderr.buffer.write(failed.errors)
        return failed.code


def list_parts(program: str, words: list[str]) -> list[str]:
    """They are all that there is on standard output; what is wrong is told by the program."""
    command = part_command(program, words, "list")
    listing = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    if listing.returncode != OK:
        sys.exit(listing.returncode)
    return listing.stdout.decode().split()


def main() -> int:
    wanted, address, program, files, *rest = sys.argv[1:]
    paths, words = rest[: int(files)], rest[int(files) :]
    try:
        parts = list_parts(program, words)
        cluster = Cluster(address)
        try:
            return Work(cluster, wanted, program, words, paths).run(parts)
        finally:
            cluster.close()
    except Failure as failure:
        tell(str(failure))
        return failure.code
    except KeyboardInterrupt:
        return INTERRUPTED

