#include "services/payments/late_commits.h"

#include <grpcpp/alarm.h>

namespace breakwire::payments {

LateCommits::~LateCommits() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return outstanding_ == 0; });
}

void LateCommits::add(kit::Statement statement) {
  {
    std::lock_guard lock(mutex_);
    ++outstanding_;
  }
  auto alarm = std::make_shared<grpc::Alarm>();
  alarm->Set(std::chrono::system_clock::now() + delay,
             [this, alarm, statement = std::move(statement)](bool) mutable {
               alarm.reset();  // it holds this very function
               pool_.submit(std::move(statement), std::chrono::steady_clock::now() + patience,
                            [this](const kit::Answer&) {
                              std::lock_guard lock(mutex_);
                              --outstanding_;
                              changed_.notify_all();
                            });
             });
}

}  // namespace breakwire::payments
