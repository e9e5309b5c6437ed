# Installs buf into WORK with npm, at the version that package.json pins, unless it is there already.
# cmake -DSOURCE=tests/proto -DWORK=build/dev/buf -P install_buf.cmake
# There is no lock file: it would name buf's packages for every platform, and buf has no dependencies to lock.
file(READ ${SOURCE}/package.json package)
string(JSON wanted GET "${package}" devDependencies @bufbuild/buf)
set(buf ${WORK}/node_modules/@bufbuild/buf/package.json)
if(EXISTS ${buf} AND EXISTS ${WORK}/node_modules/.bin/buf)
  file(READ ${buf} installed)
  string(JSON version GET "${installed}" version)
  if(version STREQUAL wanted)
    return()
  endif()
endif()

find_program(NPM npm)
if(NOT NPM)
  message(FATAL_ERROR "npm is missing, and with it buf, which lints proto/: install Node.js (apt-get install npm).")
endif()
file(MAKE_DIRECTORY ${WORK})
file(COPY ${SOURCE}/package.json DESTINATION ${WORK})
execute_process(COMMAND ${NPM} install --no-package-lock --ignore-scripts --no-audit --no-fund
                WORKING_DIRECTORY ${WORK} TIMEOUT 120
                RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "npm could not install @bufbuild/buf ${wanted}, which lints proto/ (is there a network?):\n${output}")
endif()
