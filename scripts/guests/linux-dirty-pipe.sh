# shellcheck shell=bash
# Recipe: linux-debug as linux.sh has it, with a fault of older kernels put back: kernel/dirty-pipe.patch, which says what it
# is. Gives also the sources that a debugger shows of it, below source/. In a file of its own, as linux-6.12.sh is.

linux_dirty_pipe_inputs() {
  printf '%s\n' "$ROOT/scripts/guests/linux-dirty-pipe.sh" "$GUEST_SOURCES/kernel/dirty-pipe.patch"
  linux_inputs linux-debug
}

# In a subshell: the sources that are patched are no other kernel's.
linux_dirty_pipe_build() (
  local out=$2 package file
  package=$(linux_package linux-debug)
  WORK=$WORK/dirty-pipe
  mkdir "$WORK"
  linux_unpack "$package"
  run_step "patch $package" "$LOG" patch -d "$WORK/$package" -p1 --fuzz=0 -i "$GUEST_SOURCES/kernel/dirty-pipe.patch"
  linux_build linux-debug "$out"
  for file in lib/iov_iter.c fs/pipe.c fs/splice.c; do
    mkdir -p "$out/source/${file%/*}"
    cp -p "$WORK/$package/$file" "$out/source/$file" # older than the kernel, as gdb likes it
  done
)
