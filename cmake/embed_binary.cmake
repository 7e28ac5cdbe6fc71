# isochron_embed_binary(TARGET FUNCTION FILE HEADER header NAMESPACE namespace): compiles the bytes of FILE into TARGET.
#
# The library gains the function
#     std::span<const uint8_t> NAMESPACE::FUNCTION();
# declared in HEADER. FILE may be the output of a custom command; the bytes follow it when it
# changes.
set(ISOCHRON_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed_binary_script.cmake)

function(isochron_embed_binary TARGET FUNCTION BINARY)
  cmake_parse_arguments(PARSE_ARGV 3 embed "" "HEADER;NAMESPACE" "")
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded_${FUNCTION}.cc)
  add_custom_command(
    OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -DBINARY=${BINARY} -DFUNCTION=${FUNCTION} -DOUTPUT=${source}
            -DHEADER=${embed_HEADER} -DNAMESPACE=${embed_NAMESPACE}
            -P ${ISOCHRON_EMBED_SCRIPT}
    DEPENDS ${BINARY} ${ISOCHRON_EMBED_SCRIPT}
    COMMENT "Embedding ${FUNCTION}"
    VERBATIM)
  target_sources(${TARGET} PRIVATE ${source})
endfunction()
