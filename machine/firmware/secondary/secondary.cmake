# Assembles what CPUs other than the primary run before they are started, and gives its bytes to the machine library.
set(secondary_dir ${CMAKE_CURRENT_LIST_DIR})
set(secondary_elf ${CMAKE_CURRENT_BINARY_DIR}/secondary.elf)
set(secondary_bin ${CMAKE_CURRENT_BINARY_DIR}/secondary.bin)
add_custom_command(
  OUTPUT ${secondary_bin}
  COMMAND ${ISOCHRON_ALPHA_GCC} -mcpu=ev67 -nostdlib -static -I${CMAKE_SOURCE_DIR}
          -T ${secondary_dir}/secondary.lds -Wl,--build-id=none -Wl,-z,noexecstack
          -Wl,--no-warn-rwx-segments -o ${secondary_elf} ${secondary_dir}/secondary.S
  COMMAND ${ISOCHRON_ALPHA_OBJCOPY} -O binary ${secondary_elf} ${secondary_bin}
  DEPENDS ${secondary_dir}/secondary.S ${secondary_dir}/secondary.lds
          ${CMAKE_SOURCE_DIR}/machine/firmware/firmware_layout.h
  COMMENT "Building the code of secondary CPUs"
  VERBATIM)
isochron_embed_binary(isochron_machine_objects SecondaryImage ${secondary_bin}
  HEADER machine/firmware/embedded_images.h NAMESPACE isochron::machine)
