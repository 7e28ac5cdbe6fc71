"""Measures a guest that fetches a file over its network, by `isochron run` and `isochron record`.

Linux boots, has its network set up by DHCP, and fetches MIB mebibytes from a web server on the host's loopback with wget
(--net user). Runs are interleaved; prints the medians of wall and CPU seconds, their ratios, and
how much the log grows for each mebibyte.
"""

import contextlib
import http.server
import json
import pathlib
import random
import sys
import tempfile
import threading

from conformance.bench.common import BenchParser, measure, median
from conformance.bench.record_bench import script
from conformance.tree import guest_path


def parse_arguments():
    parser = BenchParser("network", __doc__, runs=3)
    parser.add_argument("--engine", default="jit", help="(default: jit)")
    parser.add_argument("--model", default="virtio", help="the guest's network device (default: virtio)")
    parser.add_argument("--mib", type=int, default=50, metavar="MIB", help="size of the file (default: 50)")
    parser.add_argument(
        "--contents", choices=["random", "zeros"], default="random", help="what a log compresses (default: random)"
    )
    parser.add_json_flag()
    return parser.parse_args()


@contextlib.contextmanager
def web_server(data):
    """Gives out the same bytes under every name. Yields its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(data)

        def log_message(self, *_):  # pylint: disable=arguments-differ
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def options_of(arguments, folder, commands):
    script_file = folder / f"script{len(commands)}"
    script_file.write_text(script(commands))
    return [
        "--kernel", str(guest_path("linux-disk") / "vmlinux"),
        "--initrd", str(guest_path("initrd-network") / "initrd.cpio.gz"),
        "--append", "console=ttyS0", "--script", str(script_file), "--engine", arguments.engine,
        "--net", f"user,model={arguments.model}",
    ]  # fmt: skip


def compare(arguments, port, folder):
    """Measurements of both ways, and the bytes of a log with the file and without."""
    setup = ["udhcpc -i eth0 -n -q"]
    fetch = [*setup, f"wget -q -O /tmp/file http://10.0.2.2:{port}/file"]
    read = lambda process: process.stdout.read()
    log = folder / "log"
    plain, recorded = [], []
    measure([arguments.isochron, "record", "-o", str(log), *options_of(arguments, folder, setup)], read)
    empty = log.stat().st_size
    options = options_of(arguments, folder, fetch)
    for number in range(arguments.runs):
        print(f"run {number + 1} of {arguments.runs}", file=sys.stderr)
        plain.append(measure([arguments.isochron, "run", *options], read))
        recorded.append(measure([arguments.isochron, "record", "-o", str(log), *options], read))
    return plain, recorded, log.stat().st_size, empty


def main():
    arguments = parse_arguments()
    size = arguments.mib << 20
    data = random.Random(1).randbytes(size) if arguments.contents == "random" else bytes(size)
    with tempfile.TemporaryDirectory() as folder, web_server(data) as port:
        plain, recorded, log_bytes, empty = compare(arguments, port, pathlib.Path(folder))
    figures = {
        what: {"run": median(plain, what), "record": median(recorded, what)} for what in ("wall seconds", "cpu seconds")
    }
    for row in figures.values():
        row["ratio"] = row["record"] / row["run"]
    figures["log bytes per MiB"] = (log_bytes - empty) / arguments.mib
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    print(
        f"medians of {arguments.runs} interleaved runs, engine {arguments.engine}, {arguments.model}, "
        f"{arguments.mib} MiB of {arguments.contents} bytes"
    )
    print(f"{'':<14}{'run':>9}{'record':>9}{'ratio':>8}")
    for what in ("wall seconds", "cpu seconds"):
        row = figures[what]
        print(f"{what:<14}{row['run']:>9.3f}{row['record']:>9.3f}{row['ratio']:>8.3f}")
    print(f"the log grows by {figures['log bytes per MiB']:.0f} bytes for each MiB, {empty} without a file")


if __name__ == "__main__":
    main()
