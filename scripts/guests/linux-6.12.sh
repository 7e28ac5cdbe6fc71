# shellcheck shell=bash
# Recipe: linux-6.12 as linux.sh has it, with the options of kernel/6.12.config and the drivers of kernel/disk.config. In a
# file of its own, since the other kernels are named for linux.sh and would have to be built anew for each change here.

# linux_6_12 COMMAND...: runs it with these options too. To be called in a subshell, for it replaces a function of linux.sh.
# shellcheck disable=SC2317  # linux.sh calls it
linux_6_12() {
  local -a common
  mapfile -t common < <(linux_fragments linux-6.12)
  linux_fragments() { printf '%s\n' "${common[@]}" "$GUEST_SOURCES/kernel/"{6.12,disk}.config; }
  "$@"
}

linux_6_12_inputs() (
  echo "$ROOT/scripts/guests/linux-6.12.sh"
  linux_6_12 linux_inputs "$1"
)

linux_6_12_build() (
  linux_6_12 linux_build "$@"
)
