#include "faults/http2/session.h"

#include "faults/http2/session_core.h"

namespace breakwire::http2 {

Session::Session(SessionOptions options, SessionHost& host)
    : core_(std::make_unique<Core>(std::move(options), host)) {}
Session::~Session() = default;

void Session::receive(Side from, std::span<const uint8_t> bytes, Instant now) {
  core_->receive(from, bytes, now, false);
}
void Session::receive_lent(Side from, std::span<const uint8_t> bytes, Instant now) {
  core_->receive(from, bytes, now, true);
}
void Session::keep_output() { core_->keep_output(); }
bool Session::answers_pile_up() const { return core_->answers_pile_up(); }
void Session::written(Side to, uint64_t total, Instant now) { core_->written(to, total, now); }
void Session::peer_gone(Side side, bool reset, Instant now, FaultId by) {
  core_->peer_gone(side, reset, now, by);
}
void Session::act(const FaultId& fault, const faults::WireAction& action, Instant now) {
  core_->act(fault, action, now);
}
void Session::fault_cleared(const FaultId& fault, Instant now) { core_->fault_cleared(fault, now); }
void Session::advance(Instant now) { core_->advance(now); }
std::optional<Instant> Session::next_due() const { return core_->next_due(); }
std::string Session::take_output(Side to) { return core_->take_output(to).flat(); }
Gathered Session::gather_output(Side to) { return core_->take_output(to); }
bool Session::wants_input(Side from) const { return core_->wants_input(from); }
bool Session::holds_output(Side to) const { return core_->holds_output(to); }
void Session::flush_observations() { core_->flush_observations(); }
const std::optional<Session::Demand>& Session::demand() const { return core_->demand(); }
size_t Session::live_calls() const { return core_->live_calls(); }
uint64_t Session::ignored_frames() const { return core_->ignored_frames(); }

}  // namespace breakwire::http2
