# shellcheck shell=bash
# Recipe: a static BusyBox from Debian's source package. Gives busybox, the list of its links, and config.

# The upstream version that the recipe was written for; a later Debian revision of it is as good.
BUSYBOX_VERSION=1.35.0

busybox_inputs() {
  echo "$ROOT/scripts/guests/busybox.sh"
  echo "$GUEST_SOURCES/busybox/busybox.config"
  printf 'package:%s\n' gcc-12-alpha-linux-gnu binutils-alpha-linux-gnu libc6.1-dev-alpha-cross
}

# Writes the machine's own Debian entries, as deb-src, to directory $1. One-line (.list) and deb822 (.sources) formats.
busybox_write_apt_sources() {
  local parts=$1 suites entry
  suites=$(. /etc/os-release && echo "${VERSION_CODENAME:?}")
  suites="($suites|stable|oldstable)"
  shopt -s nullglob
  for entry in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [[ -r $entry ]] || continue
    sed -n -E "s@^[[:space:]]*deb([[:space:]]+(\[[^]]*\][[:space:]]+)?[^[:space:]]+[[:space:]]+$suites([-/]|[[:space:]]).*)@deb-src\1@p" \
      "$entry" >>"$parts/from-list.list"
  done
  for entry in /etc/apt/sources.list.d/*.sources; do
    sed '/^#/d' "$entry" | awk -v suites="$suites" '
      BEGIN { RS = ""; ORS = "\n\n"; IGNORECASE = 1 }
      tolower($0) ~ /(^|\n)enabled:[ \t]*(no|false|0)/ { next }
      $0 ~ "(^|\n)[Ss]uites:[^\n]*[ \t]" suites "([-/ \t\n]|$)" {
        if (sub(/(^|\n)[Tt]ypes:[^\n]*/, "\nTypes: deb-src")) { sub(/^\n/, ""); print }
      }' >>"$parts/from-deb822.sources"
  done
  shopt -u nullglob
  [[ -s $parts/from-list.list || -s $parts/from-deb822.sources ]]
}

# Brings the source package's files to directory $1, with apt settings of our own: /etc/apt stays as it is.
busybox_download() {
  local into=$1 apt=$WORK/apt
  local -a options
  rm -rf "$apt"
  mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/files"
  busybox_write_apt_sources "$apt/parts" ||
    die "found no Debian entry in /etc/apt/sources.list or /etc/apt/sources.list.d to take the BusyBox source from"
  options=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$apt/parts" -o "Dir::State::lists=$apt/lists"
    -o "Dir::Cache=$apt/cache" -o "APT::Sandbox::User=$(id -un)")
  run_step "fetch the source index" "$LOG" apt-get "${options[@]}" update
  (
    cd "$apt/files" || exit 1
    run_step "fetch the BusyBox source" "$LOG" apt-get "${options[@]}" --download-only source busybox
  )
  rm -rf "$into"
  mv "$apt/files" "$into"
}

busybox_build() {
  local out=$2 tree=$WORK/busybox source=$CACHE/sources/busybox-$BUSYBOX_VERSION
  local -a make
  mkdir -p "$CACHE/sources"
  compgen -G "$source/busybox_$BUSYBOX_VERSION*.dsc" >/dev/null || busybox_download "$source"
  compgen -G "$source/busybox_$BUSYBOX_VERSION*.dsc" >/dev/null ||
    die "this Debian's BusyBox is not version $BUSYBOX_VERSION; see scripts/guests/busybox.sh"
  rm -rf "$tree"
  run_step "unpack BusyBox" "$LOG" dpkg-source --no-check -x "$source"/busybox_*.dsc "$tree"

  # binutils 2.40 relaxes TLS wrongly: without --no-relax a static program dies in __ctype_init.
  make=(make -C "$tree" ARCH=alpha CROSS_COMPILE=alpha-linux-gnu- EXTRA_CFLAGS=-mcpu=ev67
    "EXTRA_LDFLAGS=-Wl,--no-relax")
  export KCONFIG_NOTIMESTAMP=1
  run_step "configure BusyBox" "$LOG" "${make[@]}" defconfig
  # Each line of the fragment replaces the line of the same option.
  local line option
  while IFS= read -r line; do
    option=$(grep -o 'CONFIG_[A-Z0-9_]*' <<<"$line" | head -n 1) || continue
    sed -i "/^$option=/d; /^# $option is not set/d" "$tree/.config"
    echo "$line" >>"$tree/.config"
  done < <(grep -E '^(CONFIG_|# CONFIG_)' "$GUEST_SOURCES/busybox/busybox.config")
  run_step "settle the BusyBox configuration" "$LOG" "${make[@]}" silentoldconfig
  run_step "compile BusyBox" "$LOG" "${make[@]}" "-j$(nproc)" busybox busybox.links
  cp "$tree/busybox" "$out/busybox"
  grep -v -e '^/bin/busybox$' -e '^/linuxrc$' "$tree/busybox.links" | LC_ALL=C sort >"$out/busybox.links"
  cp "$tree/.config" "$out/config"
  rm -rf "$tree"
}
