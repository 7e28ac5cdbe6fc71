# Assembles the PALcode and gives its bytes to the machine library as PalcodeImage(), its names as
# PalcodeSymbols(). Included by machine/CMakeLists.txt. Both follow every change of its sources.
find_program(ISOCHRON_ALPHA_GCC alpha-linux-gnu-gcc REQUIRED)
find_program(ISOCHRON_ALPHA_LD alpha-linux-gnu-ld REQUIRED)
find_program(ISOCHRON_ALPHA_OBJCOPY alpha-linux-gnu-objcopy REQUIRED)

set(palcode_dir ${CMAKE_CURRENT_LIST_DIR})
set(palcode_object ${CMAKE_CURRENT_BINARY_DIR}/palcode.o)
set(palcode_elf ${CMAKE_CURRENT_BINARY_DIR}/palcode.elf)
set(palcode_bin ${CMAKE_CURRENT_BINARY_DIR}/palcode.bin)
set(palcode_symbols ${CMAKE_CURRENT_BINARY_DIR}/palcode.symbols)
add_custom_command(
  OUTPUT ${palcode_bin} ${palcode_symbols}
  # The PAL opcodes of the 21264 exist under this architecture name only; without -mcpu gcc adds
  # none of its own.
  COMMAND ${ISOCHRON_ALPHA_GCC} -c -Wa,-m21264 -Wa,--fatal-warnings -I${CMAKE_SOURCE_DIR}
          -o ${palcode_object} ${palcode_dir}/palcode.S
  COMMAND ${ISOCHRON_ALPHA_LD} -T ${palcode_dir}/palcode.ld -o ${palcode_elf} ${palcode_object}
  COMMAND ${ISOCHRON_ALPHA_OBJCOPY} -O binary ${palcode_elf} ${palcode_bin}
  COMMAND ${ISOCHRON_ALPHA_OBJCOPY} --only-keep-debug --wildcard --strip-symbol=.L*
          ${palcode_elf} ${palcode_symbols}
  DEPENDS ${palcode_dir}/palcode.S ${palcode_dir}/pal_defs.inc ${palcode_dir}/palcode.ld
          ${palcode_dir}/entries.S ${palcode_dir}/callpal_privileged.S
          ${palcode_dir}/callpal_user.S ${palcode_dir}/memory.S ${palcode_dir}/exceptions.S
          ${palcode_dir}/interrupts.S ${palcode_dir}/machine_check.S ${palcode_dir}/halt.S
          ${palcode_dir}/reset.S ${CMAKE_SOURCE_DIR}/machine/firmware/firmware_layout.h
  COMMENT "Building the PALcode"
  VERBATIM)
isochron_embed_binary(isochron_machine_objects PalcodeImage ${palcode_bin}
  HEADER machine/firmware/embedded_images.h NAMESPACE isochron::machine)
isochron_embed_binary(isochron_machine_objects PalcodeSymbols ${palcode_symbols}
  HEADER machine/firmware/embedded_images.h NAMESPACE isochron::machine)
