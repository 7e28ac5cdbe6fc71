# Writes HEADER, which defines ISOCHRON_REVISION: REVISION, else what git says of SOURCE, else "unknown". A tree with
# changes to tracked files is "...-dirty".
if(NOT REVISION)
  set(REVISION unknown)
  # A repository that SOURCE merely lies in is another project's.
  if(EXISTS ${SOURCE}/.git)
    execute_process(
      COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --match=
      OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed ERROR_QUIET)
    if(NOT failed)
      set(REVISION ${found})
    endif()
  endif()
endif()
file(WRITE ${HEADER}.new "#define ISOCHRON_REVISION \"${REVISION}\"\n")
execute_process(COMMAND ${CMAKE_COMMAND} -E copy_if_different ${HEADER}.new ${HEADER})
file(REMOVE ${HEADER}.new)
