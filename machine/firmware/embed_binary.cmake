# isochron_embed_binary(TARGET FUNCTION BINARY): compiles the bytes of the file BINARY into TARGET.
#
# The library gains the function
#     std::span<const uint8_t> isochron::machine::FUNCTION();
# declared in machine/firmware/embedded_images.h. BINARY may be the output of a custom command; the
# bytes follow it when it changes.
set(ISOCHRON_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed_binary_script.cmake)

function(isochron_embed_binary TARGET FUNCTION BINARY)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded_${FUNCTION}.cc)
  add_custom_command(
    OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -DBINARY=${BINARY} -DFUNCTION=${FUNCTION} -DOUTPUT=${source}
            -P ${ISOCHRON_EMBED_SCRIPT}
    DEPENDS ${BINARY} ${ISOCHRON_EMBED_SCRIPT}
    COMMENT "Embedding ${FUNCTION}"
    VERBATIM)
  target_sources(${TARGET} PRIVATE ${source})
endfunction()
