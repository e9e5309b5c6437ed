// Debian's gRPC is not instrumented, so the thread sanitizer does not see the locks inside it and takes what
// its inline headers and our handlers hand to each other for races. Everything else is still reported.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:grpc::\n"
         "race:libgrpc\n";
}
