# Builds the console callback code for the guest and gives its bytes to the machine library.
find_program(ISOCHRON_ALPHA_GCC alpha-linux-gnu-gcc REQUIRED)
find_program(ISOCHRON_ALPHA_OBJCOPY alpha-linux-gnu-objcopy REQUIRED)

set(console_dir ${CMAKE_CURRENT_LIST_DIR})
set(console_elf ${CMAKE_CURRENT_BINARY_DIR}/console.elf)
set(console_bin ${CMAKE_CURRENT_BINARY_DIR}/console.bin)
add_custom_command(
  OUTPUT ${console_bin}
  COMMAND ${ISOCHRON_ALPHA_GCC} -mcpu=ev67 -O2 -std=c11 -Wall -Wextra -Werror
          -ffreestanding -nostdlib -static -fno-pic -fno-stack-protector -fno-jump-tables
          -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns
          -mno-fp-regs -mbuild-constants -msmall-text
          -I${CMAKE_SOURCE_DIR} -T ${console_dir}/console.lds -Wl,--build-id=none
          -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments
          -o ${console_elf} ${console_dir}/entry.S ${console_dir}/callbacks.c
  COMMAND ${ISOCHRON_ALPHA_OBJCOPY} -O binary ${console_elf} ${console_bin}
  DEPENDS ${console_dir}/entry.S ${console_dir}/callbacks.c ${console_dir}/callbacks_io.h
          ${console_dir}/../console_layout.h ${console_dir}/console.lds
          ${CMAKE_SOURCE_DIR}/machine/firmware/firmware_layout.h
  COMMENT "Building the console callback code"
  VERBATIM)
isochron_embed_binary(isochron_machine_objects ConsoleImage ${console_bin}
  HEADER machine/firmware/embedded_images.h NAMESPACE isochron::machine)
