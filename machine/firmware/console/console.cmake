# Builds the console callback code for the guest and gives its bytes to the machine library.
find_program(ISOCHRON_ALPHA_GCC alpha-linux-gnu-gcc REQUIRED)
find_program(ISOCHRON_ALPHA_OBJCOPY alpha-linux-gnu-objcopy REQUIRED)

set(console_dir ${CMAKE_CURRENT_LIST_DIR})
# isochron_console(NAME FUNCTION [DEFINITIONS option...] SOURCES file...): one of the consoles.
function(isochron_console NAME FUNCTION)
  cmake_parse_arguments(PARSE_ARGV 2 console "" "" "DEFINITIONS;SOURCES")
  set(elf ${CMAKE_CURRENT_BINARY_DIR}/${NAME}.elf)
  set(bin ${CMAKE_CURRENT_BINARY_DIR}/${NAME}.bin)
  list(TRANSFORM console_SOURCES PREPEND ${console_dir}/)
  add_custom_command(
    OUTPUT ${bin}
    COMMAND ${ISOCHRON_ALPHA_GCC} -mcpu=ev67 -O2 -std=c11 -Wall -Wextra -Werror
            -ffreestanding -nostdlib -static -fno-pic -fno-stack-protector -fno-jump-tables
            -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns
            -mno-fp-regs -mbuild-constants -msmall-text ${console_DEFINITIONS}
            -I${CMAKE_SOURCE_DIR} -T ${console_dir}/console.lds -Wl,--build-id=none
            -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments
            -o ${elf} ${console_SOURCES}
    COMMAND ${ISOCHRON_ALPHA_OBJCOPY} -O binary ${elf} ${bin}
    DEPENDS ${console_SOURCES} ${console_dir}/callbacks_io.h ${console_dir}/disks.h
            ${console_dir}/../console_layout.h ${console_dir}/console.lds
            ${CMAKE_SOURCE_DIR}/machine/firmware/firmware_layout.h
    COMMENT "Building the console code ${NAME}"
    VERBATIM)
  isochron_embed_binary(isochron_machine_objects ${FUNCTION} ${bin}
    HEADER machine/firmware/embedded_images.h NAMESPACE isochron::machine)
endfunction()

isochron_console(console ConsoleImage SOURCES entry.S callbacks.c)
# With disks to boot from, and NVRAM. What boots a kernel by itself has the other one, whose bytes are in many logs.
isochron_console(console_disks DiskConsoleImage DEFINITIONS -DISOCHRON_CONSOLE_DISKS
  SOURCES entry.S callbacks.c disks.c bootstrap.c)
