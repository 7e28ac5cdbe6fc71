# shellcheck shell=bash
# Recipe: linux as linux.sh has it, without its DWARF and with the drivers of kernel/disk.config. In a file of its own, as
# linux-6.12.sh is.

# linux_disk COMMAND...: runs it with these options. To be called in a subshell, for it replaces a function of linux.sh.
# shellcheck disable=SC2317  # linux.sh calls it
linux_disk() {
  linux_fragments() { printf "$GUEST_SOURCES/kernel/%s.config\n" base 6.1 hz-128 wtint disk; }
  "$@"
}

linux_disk_inputs() (
  echo "$ROOT/scripts/guests/linux-disk.sh"
  linux_disk linux_inputs "$1"
)

linux_disk_build() (
  linux_disk linux_build "$@"
)
