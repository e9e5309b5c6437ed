# The compiler's settings for every target: C++20, warnings, sanitizers, ccache.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# Dev: optimised enough to measure milliseconds, quick to compile, with line numbers for debuggers.
set(CMAKE_CXX_FLAGS_DEV "-O1 -g1")
set(CMAKE_C_FLAGS_DEV "-O1 -g1")
# Release keeps assertions: a harness that goes on after a bug of its own would blame the services.
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
set(CMAKE_C_FLAGS_RELEASE "-O2")

option(BREAKWIRE_WERROR "Treat warnings as errors" OFF)
set(BREAKWIRE_SANITIZE "" CACHE STRING "Sanitizers to build with, as -fsanitize= takes them")

add_library(breakwire_warnings INTERFACE)
target_compile_options(breakwire_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                                                    -Woverloaded-virtual -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE STREQUAL "Release")
  # False alarms of g++ 12 about std::string at -O2 and above (gcc bug 105329).
  target_compile_options(breakwire_warnings INTERFACE -Wno-restrict -Wno-stringop-overflow)
endif()
if(BREAKWIRE_WERROR)
  target_compile_options(breakwire_warnings INTERFACE -Werror)
endif()

if(BREAKWIRE_SANITIZE)
  add_compile_options(-fsanitize=${BREAKWIRE_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${BREAKWIRE_SANITIZE})
  if(BREAKWIRE_SANITIZE MATCHES undefined)
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # The sloppiness is what ccache's manual asks for with precompiled headers.
  set(ccache_command ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=true ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${ccache_command})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
  endif()
endif()
