# shellcheck shell=bash
# Recipe: linux-6.12 as linux.sh has it, without the drivers of disks and networks, for several CPUs (kernel/smp.config). In a
# file of its own, as linux-6.12.sh is.

# linux_6_12_smp COMMAND...: runs it with these options. To be called in a subshell, for it replaces a function of linux.sh.
# shellcheck disable=SC2317  # linux.sh calls it
linux_6_12_smp() {
  linux_fragments() { printf "$GUEST_SOURCES/kernel/%s.config\n" base hz-128 wtint smp; }
  "$@"
}

# To linux.sh it is linux-6.12, whose source it has.
linux_6_12_smp_inputs() (
  echo "$ROOT/scripts/guests/linux-6.12-smp.sh"
  linux_6_12_smp linux_inputs linux-6.12
)

linux_6_12_smp_build() (
  linux_6_12_smp linux_build linux-6.12 "$2"
)
