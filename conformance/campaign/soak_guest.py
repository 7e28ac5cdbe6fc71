"""What scripts/soak records: how the guest is booted, and what it is told."""

import argparse

from conformance.guests.disk_root import boot_line

# A session whose log shows nearly everything that could go wrong: processes, timers, floating point, interrupts and what
# the kernel counts of them.
SESSION = r"""
expect "~ # "
send "uname -a; date\n"
expect "GNU/Linux"
expect "~ # "
send "for i in 1 2 3 4 5 6; do (sleep 0.0$i; echo $i $$) & done; wait\n"
expect "wait\r\n"
expect "~ # "
send "awk 'BEGIN { for (i = 1; i < 1000; ++i) s += sin(i) / i; print s }'; ps\n"
expect "ps\r\n"
expect "~ # "
at 1200M send "cat /proc/interrupts /proc/stat /proc/uptime; dmesg | tail -3\n"
expect "tail -3\r\n"
expect "~ # "
run 50M
send "poweroff -f\n"
"""

# The same with the root on a disk.
DISK_SESSION = r"""
expect "~ # "
send "dd if=/dev/urandom of=/mnt/random bs=65536 count={count} conv=fsync 2>/dev/null; echo written $?\n"
expect "\nwritten 0\r\n" within 2000G
expect "~ # "
send "md5sum /mnt/random; mount -o remount,ro / && poweroff -f\n"
"""
FILES_SESSION = r"""
expect "~ # "
send "mkdir /mnt/a /mnt/b; cd /mnt/a; mkdir $(seq 0 99); cd; i=0\n"
expect "~ # "
send "while [ $i -lt {files} ]; do echo $i >/mnt/a/$((i % 100))/$i; i=$((i + 1)); done; echo made $?\n"
expect "\nmade 0\r\n" within 2000G
send "tar cf - -C /mnt/a . | tar xf - -C /mnt/b; sync; echo 3 >/proc/sys/vm/drop_caches; echo copied $?\n"
expect "\ncopied 0\r\n" within 2000G
send "for d in a b; do (cd /mnt/$d; find . -type f | sort | xargs md5sum >/tmp/$d); done; wc -l </tmp/b\n"
expect "\n{files}\r\n" within 2000G
send "cmp /tmp/a /tmp/b; echo same $?\n"
expect "\nsame 0\r\n" within 2000G
send "mount -o remount,ro / && poweroff -f\n"
"""

# The same on several CPUs.
CPUS_SESSION = r"""
expect "~ # "
send "nproc; smp-load all; echo ended $?\n"
expect "\n{cpus}\r\n"
expect "\nended 0\r\n" within 200G
expect "~ # "
send "cat /proc/interrupts /proc/stat\n"
expect "\nsoftirq "
expect "~ # "
send "poweroff -f\n"
"""


def guest_arguments(options: argparse.Namespace) -> list[str]:
    """What boots the guest."""
    kernel = ["--kernel", options.kernel]
    if options.disk:
        disk = f"{str(options.image).replace(',', ',,')},interface={options.disk}"
        return [*kernel, "--append", boot_line(options.disk), "--disk", disk]
    guest = [*kernel, "--initrd", options.initrd, "--append", "console=ttyS0"]
    if options.cpus:
        guest += ["--cpus", str(options.cpus)]
    if options.schedule:
        guest += ["--schedule", options.schedule]
    return guest


def session(options: argparse.Namespace) -> str:
    """What the guest is told."""
    if options.cpus:
        return CPUS_SESSION.replace("{cpus}", str(options.cpus))
    if not options.disk:
        return SESSION
    if options.files:
        return FILES_SESSION.replace("{files}", str(options.files))
    return DISK_SESSION.replace("{count}", str(options.mib << 4))
