#include "services/kit/postgres/wake.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace breakwire::kit {

Wake::Wake() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Wake::~Wake() { ::close(fd_); }

void Wake::raise() {
  std::uint64_t one = 1;
  [[maybe_unused]] auto written = ::write(fd_, &one, sizeof one);  // fails only when raised beyond counting
}

void Wake::lower() {
  std::uint64_t count = 0;
  [[maybe_unused]] auto taken = ::read(fd_, &count, sizeof count);
}

bool Wake::raised() const {
  pollfd readable{.fd = fd_, .events = POLLIN, .revents = 0};
  return ::poll(&readable, 1, 0) == 1;
}

}  // namespace breakwire::kit
