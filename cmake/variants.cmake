# Libraries in two variants: as they are, and with planted faults.
#
# Some sources have sites, places where a fault is planted for tests that show that it is found (jit/planted_bugs.h,
# machine/events/planted_breaks.h). They are compiled once with ISOCHRON_PLANTED=0, for the library NAME, and once with
# ISOCHRON_PLANTED=1, for NAME_planted; what else a library consists of is compiled once for both. What is linked from a
# library of one variant takes the same variant of everything below it: each says in its interface which it is, and CMake
# generates no program or library in whose closure they differ.

# isochron_declare_variant(TARGET 0|1): TARGET belongs to that variant, and so does all that links with it.
function(isochron_declare_variant TARGET VARIANT)
  set_target_properties(${TARGET} PROPERTIES INTERFACE_ISOCHRON_PLANTED ${VARIANT})
  set_property(TARGET ${TARGET} APPEND PROPERTY COMPATIBLE_INTERFACE_STRING ISOCHRON_PLANTED)
endfunction()

# isochron_library(NAME [SOURCES file...] [SITES file...] [PLANTED file...]): the libraries NAME and NAME_planted. SITES are
# the sources that have sites, PLANTED those that only the other variant has. Link them with isochron_link(); definitions
# and dependencies of SOURCES belong to the target NAME_objects.
function(isochron_library NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;SITES;PLANTED" ${ARGN})
  set(common)
  if(ARG_SOURCES)
    add_library(${NAME}_objects OBJECT ${ARG_SOURCES})
    set(common $<TARGET_OBJECTS:${NAME}_objects>)
  endif()
  add_library(${NAME} STATIC ${ARG_SITES})
  add_library(${NAME}_planted STATIC EXCLUDE_FROM_ALL ${ARG_SITES} ${ARG_PLANTED})
  target_compile_definitions(${NAME} PRIVATE ISOCHRON_PLANTED=0)
  target_compile_definitions(${NAME}_planted PRIVATE ISOCHRON_PLANTED=1)
  isochron_declare_variant(${NAME} 0)
  isochron_declare_variant(${NAME}_planted 1)
  foreach(library ${NAME} ${NAME}_planted)
    target_sources(${library} PRIVATE ${common})
    set_target_properties(${library} PROPERTIES LINKER_LANGUAGE CXX)
  endforeach()
endfunction()

# isochron_link(NAME [PUBLIC library...] [PRIVATE library...]): target_link_libraries() for both variants, of which each
# takes its own of `library` if that has variants.
function(isochron_link NAME)
  cmake_parse_arguments(ARG "" "" "PUBLIC;PRIVATE" ${ARGN})
  if(TARGET ${NAME}_objects)
    target_link_libraries(${NAME}_objects PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  endif()
  target_link_libraries(${NAME} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  foreach(scope PUBLIC PRIVATE)
    foreach(library IN LISTS ARG_${scope})
      if(TARGET ${library}_planted)
        string(APPEND library _planted)
      endif()
      target_link_libraries(${NAME}_planted ${scope} ${library})
    endforeach()
  endforeach()
endfunction()
