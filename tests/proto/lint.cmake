# Lints the contracts in PROTO with the buf that install_buf.cmake put into WORK.
# With -DWITHOUT=comment a copy is linted from which one comment was taken, and buf must name that very field.
# cmake -DPROTO=proto -DWORK=build/dev/buf [-DWITHOUT=comment] -P lint.cmake
set(linted ${PROTO})
if(WITHOUT)
  set(linted ${WORK}/without-${WITHOUT})
  file(REMOVE_RECURSE ${linted})
  file(COPY ${PROTO}/ DESTINATION ${linted})
  file(READ ${linted}/shop/v1/storefront.proto whole)
  string(REGEX REPLACE "  //[^\n]*\n(  int32 quantity = 2;\n)" "\\1" stripped "${whole}")
  if(stripped STREQUAL whole)
    message(FATAL_ERROR "storefront.proto has no commented field 'quantity' any more; choose another one to strip.")
  endif()
  file(WRITE ${linted}/shop/v1/storefront.proto "${stripped}")
endif()

execute_process(COMMAND ${WORK}/node_modules/.bin/buf lint ${linted} RESULT_VARIABLE result OUTPUT_VARIABLE output
                ERROR_VARIABLE output TIMEOUT 60)
if(WITHOUT)
  if(result EQUAL 0 OR NOT output MATCHES "storefront.proto:[0-9]+:[0-9]+:Field \"quantity\"")
    message(FATAL_ERROR "buf let a field without a comment pass:\n${output}")
  endif()
elseif(NOT result EQUAL 0)
  message(FATAL_ERROR "buf is not content with proto/:\n${output}")
endif()
