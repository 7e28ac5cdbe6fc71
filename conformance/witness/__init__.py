"""The outside witness: QEMU runs what we run, and every difference is explained."""
