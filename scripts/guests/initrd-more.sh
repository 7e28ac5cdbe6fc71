# shellcheck shell=bash
# For recipes of initrds with more in them than that of guest initrd has.

initrd_more_inputs() {
  echo "$ROOT/scripts/guests/initrd-more.sh"
  initrd_inputs initrd
}

# initrd_more_compile NAME PROGRAM: the C and C++ files of conformance/guests/linux/NAME as one static program. C++ files have
# no exceptions and no RTTI, and of its library only what is in headers.
# In two steps: an object under a temporary name would leave that name in the program's symbols.
initrd_more_compile() {
  local name=$1 program=$2 source
  local -a objects=() options=(-O2 -Wall -Wextra -Werror -D_GNU_SOURCE -mcpu=ev67) compiler
  for source in "$GUEST_SOURCES/$name"/*.c*; do
    compiler=(alpha-linux-gnu-gcc -std=gnu17)
    [[ $source != *.cc ]] || compiler=(alpha-linux-gnu-g++ -std=gnu++20 -fno-exceptions -fno-rtti)
    objects+=("$WORK/$name-$(basename "${source%.*}").o")
    "${compiler[@]}" "${options[@]}" -c -o "${objects[-1]}" "$source"
  done
  alpha-linux-gnu-gcc -static -Wl,--no-relax -o "$program" "${objects[@]}" -lm
}

# initrd_more_build FILES OUT PATH...: OUT/initrd.cpio.gz is the initrd with these paths below FILES.
initrd_more_build() {
  local files=$1 out=$2
  shift 2
  find "$files" -exec touch -d "$GUEST_DATE" {} +
  # The kernel takes archives one after the other.
  cp "$(guest_path initrd)/initrd.cpio.gz" "$out/initrd.cpio.gz"
  (
    cd "$files" || exit 1
    printf '%s\n' "$@" | cpio -o -H newc --reproducible --owner=+0:+0 --quiet | gzip -n -9
  ) >>"$out/initrd.cpio.gz"
}
