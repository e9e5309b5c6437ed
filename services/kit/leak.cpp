#include "services/kit/leak.h"

#include <sys/socket.h>
#include <unistd.h>

#include <system_error>
#include <thread>

namespace breakwire::kit {

void leak_a_call() {
  ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  try {
    std::thread([] {
      for (;;) ::pause();
    }).detach();
  } catch (const std::system_error&) {
  }
}

}  // namespace breakwire::kit
