# Every public header compiles alone. Most are what the source at the mirrored place includes first, which
# check_headers.py sees to; for each of the others there is one source that includes nothing else, twice over. Those are
# compiled with the include path and the flags of `options` only, so a header that leans on another one, or on a
# library that its layer links, fails the build.
function(add_headers_alone target include_folder source_folder options)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${include_folder} ${include_folder}/*.hpp)
  file(GLOB_RECURSE layer_sources CONFIGURE_DEPENDS RELATIVE ${source_folder} ${source_folder}/*.cpp)
  set(sources)
  foreach(header ${headers})
    string(REGEX REPLACE "^mnist_dist/|hpp$" "" mirrored ${header})
    if("${mirrored}cpp" IN_LIST layer_sources)
      continue()
    endif()
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${target}/${header}.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"\n#include \"${header}\"\n" @ONLY)
    list(APPEND sources ${source})
  endforeach()
  if(NOT sources)
    message(FATAL_ERROR "No headers in ${include_folder}")
  endif()
  add_library(${target} OBJECT ${sources})
  target_link_libraries(${target} PRIVATE ${options})
endfunction()
