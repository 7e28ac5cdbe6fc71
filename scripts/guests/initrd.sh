# shellcheck shell=bash
# Recipe: the initrd of the Linux guests: BusyBox, /init and the test programs. Gives initrd.cpio.gz and programs/.

initrd_inputs() {
  printf '%s\n' "$ROOT/scripts/guests/initrd.sh" "$GUEST_SOURCES"/initrd/*
  compgen -G "$GUEST_SOURCES/programs/*.[ch]"
  busybox_inputs busybox
}

# Prints what gen_init_cpio reads: the contents in a fixed order, all of them root's. $1: directory of the files.
initrd_list() {
  local files=$1 directory link program
  for directory in /bin /sbin /usr /usr/bin /usr/sbin /proc /sys /dev /tmp /root /etc; do
    echo "dir $directory 755 0 0"
  done
  echo "nod /dev/console 600 0 0 c 5 1"
  echo "nod /dev/null 666 0 0 c 1 3"
  echo "file /init $files/init 755 0 0"
  echo "file /etc/passwd $files/passwd 644 0 0"
  echo "file /etc/group $files/group 644 0 0"
  echo "file /bin/busybox $files/busybox 755 0 0"
  while IFS= read -r link; do
    echo "slink $link /bin/busybox 777 0 0"
  done <"$files/busybox.links"
  for program in "$files"/programs/*; do
    echo "file /bin/${program##*/} $program 755 0 0"
  done
}

# In two steps: an object under a temporary name would leave that name in the program's symbols.
initrd_compile_programs() {
  local source name
  for source in "$GUEST_SOURCES"/programs/*.c; do
    name=$(basename "$source" .c)
    alpha-linux-gnu-gcc -std=gnu17 -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -mcpu=ev67 -mieee \
      -c -o "$WORK/$name.o" "$source"
    alpha-linux-gnu-gcc -static -Wl,--no-relax -o "$1/$name" "$WORK/$name.o"
  done
}

initrd_build() {
  local out=$2 files=$WORK/initrd busybox
  busybox=$(guest_path busybox)
  mkdir -p "$files/programs"
  say "compiling the test programs"
  initrd_compile_programs "$files/programs"
  cp "$GUEST_SOURCES"/initrd/* "$busybox/busybox" "$busybox/busybox.links" "$files"
  # gen_init_cpio takes the time of a file from the file.
  find "$files" -type f -exec touch -d "$GUEST_DATE" {} +

  tar -C "$WORK" -xf /usr/src/linux-source-6.1.tar.xz --strip-components=2 linux-source-6.1/usr/gen_init_cpio.c
  gcc -O2 -o "$WORK/gen_init_cpio" "$WORK/gen_init_cpio.c"
  initrd_list "$files" >"$WORK/initrd.list"
  "$WORK/gen_init_cpio" -t "$(date -ud "$GUEST_DATE" +%s)" "$WORK/initrd.list" >"$WORK/initrd.cpio"
  gzip -n -9 <"$WORK/initrd.cpio" >"$out/initrd.cpio.gz"
  cp -r "$files/programs" "$out/programs"
}
