"""Runs random sequences in batches, on this machine or on a Dask cluster, and collects verdicts and failures.

The same seeds give the same verdict file, whoever ran them and in whatever order. Finished batches stay in the output
directory: a campaign that was interrupted goes on when it is started again with the same arguments. scripts/campaign runs it.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from conformance.campaign.arguments import parse_seeds, positive

EQUAL, HOLES, USAGE, DIFFERENT = 0, 1, 2, 3
ATTEMPTS = 3  # for a batch whose worker died


def run_batch(program, engines, first, last, kind=()):
    """Runs seeds first to last, of what these options ask for. Returns verdict lines, output and saved failures as
    plain data."""
    with tempfile.TemporaryDirectory() as scratch:
        verdicts = pathlib.Path(scratch) / "verdicts"
        saved = pathlib.Path(scratch) / "failures"
        command = [program, "--engines", engines, "--seeds", f"{first}-{last}", "--stop-after", str(last - first + 1)]
        command += [*kind, "--verdicts", str(verdicts), "--save", str(saved)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        text = done.stdout.decode(errors="replace")
        if done.returncode not in (EQUAL, DIFFERENT):
            raise RuntimeError(f"seeds {first}-{last}: {program} ended with {done.returncode}: {text[-500:]}")
        failures = {path.name: path.read_text() for path in saved.glob("*")} if saved.is_dir() else {}
        return {"first": first, "last": last, "verdicts": verdicts.read_text(), "failures": failures,
                "report": text if done.returncode == DIFFERENT else ""}


def parse_arguments():
    parser = argparse.ArgumentParser(prog="campaign", description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="random_sequences, at the same path on every worker")
    parser.add_argument("--engines", default="ref,jit", help="the two engines (default: %(default)s)")
    parser.add_argument("--seeds", type=parse_seeds, default=(1, 20000), help="FIRST-LAST (default: 1-20000)")
    parser.add_argument("--board", action="store_true", help="machines with all devices instead of sequences alone")
    parser.add_argument("--cpus", action="store_true", help="the same with two to four CPUs, by any schedule")
    parser.add_argument("--batch", type=int, default=250, help="seeds a batch (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="batches at a time on this machine")
    parser.add_argument("--scheduler", metavar="HOST:PORT", help="the scheduler of a Dask cluster")
    parser.add_argument(
        "--patience", type=positive, default=60, metavar="SECONDS", help="wait so long for the scheduler (default: %(default)s)"
    )
    parser.add_argument("--output", type=pathlib.Path, required=True, help="directory for verdicts and failures")
    return parser.parse_args()


class LocalWorkers:
    """This machine: a thread a batch, each of which waits for a program."""

    def __init__(self, jobs):
        self.pool = concurrent.futures.ThreadPoolExecutor(jobs)

    def submit(self, arguments):
        return self.pool.submit(run_batch, *arguments)

    def as_completed(self, futures):
        return concurrent.futures.as_completed(futures)

    def close(self):
        self.pool.shutdown(cancel_futures=True)


class DaskWorkers:
    """A cluster. Dask itself runs a batch again whose worker died."""

    def __init__(self, address, patience):
        import distributed  # only who has a cluster needs it

        self.distributed = distributed
        self.client = distributed.Client(address, timeout=patience)

    def submit(self, arguments):
        return self.client.submit(run_batch, *arguments, pure=False, retries=ATTEMPTS)

    def as_completed(self, futures):
        return self.distributed.as_completed(futures)

    def close(self):
        self.client.close()


def connect(options):
    if options.scheduler is None:
        return LocalWorkers(options.jobs)
    try:
        return DaskWorkers(options.scheduler, options.patience)
    except ImportError:
        raise SystemExit("campaign: --scheduler needs the Python package distributed (python3-distributed)") from None
    except (OSError, ValueError) as error:
        print(f"campaign: no Dask scheduler answers at {options.scheduler}: {error}", file=sys.stderr)
        raise SystemExit(USAGE) from None


def kind_of(options):
    """What the program is asked for."""
    if options.cpus:
        return ["--board", "--cpus"]
    return ["--board"] if options.board else []


def batches(options):
    first, last = options.seeds
    for start in range(first, last + 1, options.batch):
        yield start, min(start + options.batch - 1, last)


def keep(directory, result):
    """Writes a batch at once, so that a file that exists is whole."""
    path = directory / f"{result['first']}-{result['last']}.json"
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(result))
    partial.rename(path)


def run_missing(options, directory):
    """Runs the batches that no file holds. Returns what failed for good."""
    missing = [b for b in batches(options) if not (directory / f"{b[0]}-{b[1]}.json").exists()]
    if not missing:
        return []
    workers = connect(options)
    total, done, problems = len(missing), 0, []
    try:
        kind = kind_of(options)
        futures = {workers.submit((options.program, options.engines, *batch, kind)): batch for batch in missing}
        for future in workers.as_completed(list(futures)):
            try:
                keep(directory, future.result())
                done += 1
            except Exception as error:  # the worker's or the cluster's; the batch is left for the next start
                problems.append(f"seeds {futures[future][0]}-{futures[future][1]}: {error}")
            print(f"\rcampaign: {done} of {total} batches", end="", file=sys.stderr, flush=True)
    finally:
        print(file=sys.stderr)
        workers.close()
    return problems


def summarize(options, directory):
    """Puts the batches together in the order of seeds. Returns the number of sequences that differ."""
    verdicts, failed = "", 0
    failures = options.output / "failures"
    for first, last in batches(options):
        result = json.loads((directory / f"{first}-{last}.json").read_text())
        verdicts += result["verdicts"]
        failed += result["verdicts"].count(" DIFFERENT\n")
        for name, text in sorted(result["failures"].items()):
            failures.mkdir(exist_ok=True)
            (failures / name).write_text(text)
        if result["report"]:
            failures.mkdir(exist_ok=True)
            (failures / f"report-{first}-{last}.txt").write_text(result["report"])
    (options.output / "verdicts").write_text(verdicts)
    return failed


def main():
    options = parse_arguments()
    if options.batch < 1 or options.jobs < 1 or not os.access(options.program, os.X_OK):
        print("campaign: --batch and --jobs are at least 1, and --program must be executable", file=sys.stderr)
        return USAGE
    # Other engines or another program are another campaign.
    kind = "".join(option.strip("-") + "-" for option in kind_of(options))
    name = "batches-" + kind + options.engines.replace(",", "-").replace("/", "_")
    directory = options.output / name
    directory.mkdir(parents=True, exist_ok=True)
    try:
        problems = run_missing(options, directory)
    except KeyboardInterrupt:
        print("campaign: interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    if problems:
        print("\n".join(problems[:5]), file=sys.stderr)
        print(f"campaign: {len(problems)} batches failed; the same command tries them again", file=sys.stderr)
        return HOLES
    failed = summarize(options, directory)
    first, last = options.seeds
    print(f"campaign: {last - first + 1} sequences on {options.engines}, {failed} differ; {options.output}/verdicts")
    return DIFFERENT if failed else EQUAL


if __name__ == "__main__":
    sys.exit(main())
