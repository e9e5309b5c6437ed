#include "harness/process/guard.h"

#include "harness/process/guard_client.h"

namespace breakwire::process {

Guard::Guard(const GuardOptions& options) : client_(std::make_unique<GuardClient>(options)) {}
Guard::~Guard() = default;
pid_t Guard::pid() const { return client_->pid(); }
bool Guard::lost() const { return client_->lost(); }

}  // namespace breakwire::process
