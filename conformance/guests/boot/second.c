/* What the primary bootstrap starts: says so and powers off. */
#include "console.h"

void boot_main(u64 sp) {
  (void)sp;
  print("second stage\r\n");
}
