# shellcheck shell=bash
# Recipe: Linux kernels from Debian's source packages. Gives vmlinux (ELF with symbols), vmlinuz (the same, gzip) and
# config. The guest linux is linux-debug without its DWARF, so that the two have the same code and one is compiled.

linux_package() {
  case $1 in
    linux-6.12) echo linux-source-6.12 ;;
    *) echo linux-source-6.1 ;;
  esac
}

linux_fragments() {
  local idle=wtint hz=128 version=6.1 debug=
  case $1 in
    linux | linux-debug) debug=1 ;;
    linux-6.12) version= ;;
    linux-hz1024) hz=1024 idle=poll ;;
    linux-poll) idle=poll ;;
    *) die "unknown Linux guest $1" ;;
  esac
  printf "$GUEST_SOURCES/kernel/%s.config\n" base ${version:+"$version"} "hz-$hz" "$idle" ${debug:+debug}
}

linux_inputs() {
  echo "$ROOT/scripts/guests/linux.sh"
  linux_fragments "$1"
  printf 'package:%s\n' "$(linux_package "$1")" gcc-12-alpha-linux-gnu binutils-alpha-linux-gnu
}

# Unpacks the source once a run. Most drivers that the board cannot have go without their C files: a third of the time.
linux_unpack() {
  local package=$1
  [[ -d $WORK/$package ]] && return
  run_step "unpack $package" "$LOG" tar -C "$WORK" -xf "/usr/src/$package.tar.xz" \
    --exclude='*/drivers/gpu/*.[ch]' --exclude='*/drivers/media/*.[ch]' --exclude='*/drivers/staging/*.[ch]' \
    --exclude='*/sound/*.[ch]' --exclude='*/Documentation/*.rst' --exclude='*/Documentation/*.yaml' --exclude='*.dts*'
}

# allnoconfig drops a wish whose dependencies are not met without a word.
linux_check_config() {
  local config=$1 line missing=
  shift
  while IFS= read -r line; do
    case $line in
      CONFIG_* | '# CONFIG_'*' is not set') ;;
      *) continue ;;
    esac
    grep -qxF -- "$line" "$config" && continue
    # An option that does not exist in this version is as good as one that is not set.
    [[ $line == '#'* ]] && ! grep -q "^${line:2:-11}=" "$config" && continue
    missing+=" $line"
  done < <(cat "$@")
  [[ -z $missing ]] || die "the kernel configuration lost:$missing"
}

# linux_compile NAME OUT: vmlinux as it was linked, and config.
linux_compile() {
  local name=$1 out=$2 package objects=$WORK/objects maps
  local -a fragments make
  package=$(linux_package "$name")
  mapfile -t fragments < <(linux_fragments "$name")
  linux_unpack "$package"

  rm -rf "$objects"
  mkdir "$objects"
  cat "${fragments[@]}" >"$objects/fragment"
  make=(make -C "$WORK/$package" "O=$objects" ARCH=alpha CROSS_COMPILE=alpha-linux-gnu-
    KBUILD_BUILD_USER=isochron KBUILD_BUILD_HOST=guests KBUILD_BUILD_VERSION=1
    "KBUILD_BUILD_TIMESTAMP=$GUEST_DATE")
  case $name in
    # 6.12: arch/alpha/mm/fault.c calls show_signal_msg, which only other architectures define.
    linux-6.12) make+=("KCFLAGS='-Dshow_signal_msg(...)=((void)0)'") ;;
    # DWARF names files where Debian's package is usually unpacked, wherever they were compiled.
    linux-debug)
      maps=$(printf -- "-fdebug-prefix-map=%s=/usr/src/$package " "$WORK/$package" "$objects")
      make+=("KCFLAGS=$maps" "KAFLAGS=$maps")
      ;;
  esac

  run_step "configure $name" "$LOG" "${make[@]}" "KCONFIG_ALLCONFIG=$objects/fragment" allnoconfig
  linux_check_config "$objects/.config" "${fragments[@]}"
  run_step "compile $name" "$LOG" "${make[@]}" "-j$(nproc)" vmlinux
  cp "$objects/vmlinux" "$out/vmlinux"
  cp "$objects/.config" "$out/config"
  rm -rf "$objects"
}

linux_build() {
  local name=$1 out=$2
  if [[ $name == linux ]]; then
    cp -R "$(guest_path linux-debug)/." "$out"
  else
    linux_compile "$name" "$out"
  fi
  [[ $name == linux-debug ]] || alpha-linux-gnu-strip --strip-debug "$out/vmlinux"
  gzip -n -9 <"$out/vmlinux" >"$out/vmlinuz"
}
