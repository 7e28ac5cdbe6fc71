# shellcheck shell=bash
# Recipe: the initrd of the benchmarks: that of guest initrd with bench and bench-shell in /bin. Gives initrd.cpio.gz and
# programs/.

bench_inputs() {
  printf '%s\n' "$ROOT/scripts/guests/bench.sh" "$GUEST_SOURCES"/bench/*
  initrd_inputs initrd
}

# In two steps: an object under a temporary name would leave that name in the program's symbols.
bench_compile() {
  local source
  local -a objects=()
  for source in "$GUEST_SOURCES"/bench/*.c; do
    objects+=("$WORK/bench-$(basename "$source" .c).o")
    alpha-linux-gnu-gcc -std=gnu17 -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -mcpu=ev67 -c -o "${objects[-1]}" "$source"
  done
  alpha-linux-gnu-gcc -static -Wl,--no-relax -o "$1" "${objects[@]}" -lm
}

bench_build() {
  local out=$2 files=$WORK/bench
  mkdir -p "$files/bin"
  say "compiling the benchmark programs"
  bench_compile "$files/bin/bench"
  cp "$GUEST_SOURCES/bench/bench-shell" "$files/bin/bench-shell"
  chmod 755 "$files/bin/bench" "$files/bin/bench-shell"
  find "$files" -exec touch -d "$GUEST_DATE" {} +
  # The kernel takes archives one after the other.
  cp "$(guest_path initrd)/initrd.cpio.gz" "$out/initrd.cpio.gz"
  (
    cd "$files" || exit 1
    printf '%s\n' bin/bench bin/bench-shell | cpio -o -H newc --reproducible --owner=+0:+0 --quiet | gzip -n -9
  ) >>"$out/initrd.cpio.gz"
  cp -r "$files/bin" "$out/programs"
}
