# shellcheck shell=bash
# Recipe: linux as linux.sh has it, without its DWARF and for several CPUs (kernel/smp.config).

# linux_smp COMMAND...: runs it with these options. To be called in a subshell, for it replaces a function of linux.sh.
# shellcheck disable=SC2317  # linux.sh calls it
linux_smp() {
  linux_fragments() { printf "$GUEST_SOURCES/kernel/%s.config\n" base 6.1 hz-128 wtint smp; }
  "$@"
}

linux_smp_inputs() (
  echo "$ROOT/scripts/guests/linux-smp.sh"
  linux_smp linux_inputs "$1"
)

linux_smp_build() (
  linux_smp linux_build "$@"
)
