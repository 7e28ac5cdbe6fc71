# shellcheck shell=bash
# Recipe: the initrd of the benchmarks: that of guest initrd with bench and bench-shell in /bin. Gives initrd.cpio.gz and
# programs/.

bench_inputs() {
  printf '%s\n' "$ROOT/scripts/guests/bench.sh" "$GUEST_SOURCES"/bench/*
  echo package:g++-12-alpha-linux-gnu
  initrd_more_inputs
}

bench_build() {
  local out=$2 files=$WORK/bench
  mkdir -p "$files/bin"
  say "compiling the benchmark programs"
  initrd_more_compile bench "$files/bin/bench"
  cp "$GUEST_SOURCES/bench/bench-shell" "$files/bin/bench-shell"
  chmod 755 "$files/bin/bench" "$files/bin/bench-shell"
  initrd_more_build "$files" "$out" bin/bench bin/bench-shell
  cp -r "$files/bin" "$out/programs"
}
