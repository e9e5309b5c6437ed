#include "faults/relay/hangup_watch.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <boost/asio.hpp>
#include <system_error>
#include <utility>

namespace breakwire::relay {
namespace {

int new_epoll() {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) throw std::system_error(errno, std::system_category(), "epoll_create1");
  return epoll;
}

}  // namespace

HangupWatch::Token& HangupWatch::Token::operator=(Token&& other) noexcept {
  if (this != &other) {
    end();
    watch_ = std::exchange(other.watch_, nullptr);
    socket_ = other.socket_;
    key_ = other.key_;
  }
  return *this;
}

void HangupWatch::Token::end() {
  if (watch_ == nullptr) return;
  watch_->watched_.erase(key_);
  if (watch_->epoll_.is_open()) ::epoll_ctl(watch_->epoll_.native_handle(), EPOLL_CTL_DEL, socket_, nullptr);
  watch_ = nullptr;
}

HangupWatch::HangupWatch(boost::asio::io_context& io) : epoll_(io, new_epoll()) { wait(); }

HangupWatch::Token HangupWatch::watch(int socket, bool also_fin, Handler handler) {
  const auto key = ++last_key_;
  epoll_event event{};
  event.events = EPOLLONESHOT | (also_fin ? uint32_t{EPOLLRDHUP} : 0U);  // EPOLLERR and EPOLLHUP always are
  event.data.u64 = key;
  if (::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, socket, &event) != 0) return {};
  watched_.emplace(key, Entry{socket, std::move(handler)});
  return Token(*this, socket, key);
}

void HangupWatch::stop() { epoll_.close(); }

void HangupWatch::wait() {
  epoll_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [this](const boost::system::error_code& error) {
                      if (error) return;  // stopped
                      collect();
                      wait();
                    });
}

void HangupWatch::collect() {
  std::array<epoll_event, 64> events;
  const int count = ::epoll_wait(epoll_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
  for (int index = 0; index < count; ++index) {
    const auto& event = events[static_cast<size_t>(index)];
    const auto found = watched_.find(event.data.u64);
    if (found == watched_.end()) continue;  // ended by a handler before this one
    const auto handler = found->second.handler;
    if ((event.events & EPOLLERR) != 0) {
      handler(Hangup::reset);
    } else if ((event.events & EPOLLRDHUP) != 0) {
      // One shot is spent; a RST may still follow.
      epoll_event more{};
      more.events = EPOLLONESHOT;
      more.data.u64 = event.data.u64;
      ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_MOD, found->second.socket, &more);
      handler(Hangup::fin);
    }
    // EPOLLHUP alone: both directions were closed in order; whoever reads finds the end.
  }
}

}  // namespace breakwire::relay
