# shellcheck shell=bash
# Recipe: the initrd of guest initrd with smp-load, loads for several CPUs, in /bin. Gives initrd.cpio.gz and programs/.

smp_load_inputs() {
  printf '%s\n' "$ROOT/scripts/guests/smp-load.sh" "$GUEST_SOURCES"/smp/*
  initrd_more_inputs
}

smp_load_build() {
  local out=$2 files=$WORK/smp-load
  mkdir -p "$files/bin"
  say "compiling the loads for several CPUs"
  initrd_more_compile smp "$files/bin/smp-load"
  chmod 755 "$files/bin/smp-load"
  initrd_more_build "$files" "$out" bin/smp-load
  cp -r "$files/bin" "$out/programs"
}
