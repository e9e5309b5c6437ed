#include "harness/watch/metrics.h"

#include <boost/asio.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "harness/watch/exposition.h"

namespace breakwire::watch {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

constexpr auto use_result = asio::as_tuple(asio::use_awaitable);
constexpr uint64_t longest_answer = 16 * 1024 * 1024;

std::string sentence_of(const beast::error_code& error) {
  if (error == beast::error::timeout) return "no answer in time";
  if (error == asio::error::connection_refused) return "connection refused";
  if (error == http::error::body_limit) return "the answer is longer than 16 MiB";
  return error.message();
}

/// One question for a name's addresses.
struct LookUp {
  struct Answer {
    beast::error_code error;
    tcp::resolver::results_type endpoints;
  };
  explicit LookUp(asio::io_context& io) : resolver(io), answered(io) {}
  tcp::resolver resolver;
  asio::steady_timer answered;  // cancelled then
  std::optional<Answer> answer;
};

class Scraper final : public Watcher {
 public:
  Scraper(MetricsOptions options, history::Sink& sink)
      : options_(std::move(options)), sink_(sink), url_(parse_http_url(options_.url)), beat_(io_) {
    // It ends with io_; an exception can only be our own bug.
    asio::co_spawn(io_, scrape_for_ever(),
                   [](std::exception_ptr failure) { std::rethrow_exception(failure); });
    thread_ = std::thread([this] { io_.run(); });
  }

  ~Scraper() override {
    io_.stop();
    thread_.join();
  }

  /// A scrape that begins now.
  void catch_up(Instant since, Instant deadline) override {
    asio::post(io_, [this] {
      at_once_ = true;
      beat_.cancel();
    });
    std::unique_lock lock(mutex_);
    scraped_.wait_until(lock, deadline, [&] { return last_asked_ >= since; });
  }

 private:
  asio::awaitable<void> scrape_for_ever() {
    std::optional<beast::tcp_stream> connection;
    for (Instant due = Clock::now();;) {
      const Instant asked = Clock::now();
      history::MetricsSeen seen{.service = options_.service, .asked = asked, .samples = {}, .error = {}};
      if (!url_) {
        seen.error = "`" + options_.url + "` is no http:// URL";
      } else {
        const bool kept = connection.has_value();
        seen.error = co_await scrape(connection, seen.samples);
        // A service may close a connection that rested; only a fresh one's word counts.
        if (kept && !seen.error.empty() && Clock::now() - asked < options_.timeout)
          seen.error = co_await scrape(connection, seen.samples);
      }
      sink_.record(Clock::now(), std::move(seen));
      {
        const std::lock_guard lock(mutex_);
        last_asked_ = asked;
      }
      scraped_.notify_all();
      // Beats that passed during a scrape are left out, not made up for.
      while (due <= Clock::now()) due += options_.period;
      beat_.expires_at(due);
      if (!at_once_) co_await beat_.async_wait(use_result);
      at_once_ = false;
    }
  }

  /// One question and its answer over `connection`, made when there is none; the error, if there was one, and
  /// then there is no connection any more.
  asio::awaitable<std::string> scrape(std::optional<beast::tcp_stream>& connection,
                                      std::vector<history::MetricsSeen::Sample>& samples) {
    const bool fresh = !connection;
    if (fresh) connection.emplace(io_);
    const Instant deadline = Clock::now() + options_.timeout;
    connection->expires_at(deadline);
    beast::error_code error;
    if (fresh) error = co_await connect(*connection, deadline);
    http::response_parser<http::string_body> answer;
    answer.body_limit(longest_answer);
    if (!error) error = co_await exchange(*connection, answer);
    if (error || !answer.get().keep_alive()) connection.reset();
    if (error) co_return sentence_of(error);
    if (answer.get().result() != http::status::ok)
      co_return "HTTP " + std::to_string(answer.get().result_int()) + " from " + options_.url;
    Exposition read = read_exposition(answer.get().body(), options_.wished);
    samples = std::move(read.samples);
    co_return read.error;
  }

  asio::awaitable<beast::error_code> connect(beast::tcp_stream& connection, Instant deadline) {
    beast::error_code not_an_address;
    const auto address = asio::ip::make_address(url_->host, not_an_address);
    if (!not_an_address) {
      const auto port = static_cast<uint16_t>(std::stoul(url_->port));
      auto [error] = co_await connection.async_connect(tcp::endpoint(address, port), use_result);
      co_return error;
    }
    const LookUp::Answer found = co_await look_up(deadline);
    if (found.error) co_return found.error;
    auto [error, endpoint] = co_await connection.async_connect(found.endpoints, use_result);
    co_return error;
  }

  /// The service's addresses. Without an answer by `deadline` it is a timeout, and the look-up goes on for
  /// the next scrape: the resolver asks on a thread of its own, one name after the other, and cannot be
  /// stopped.
  asio::awaitable<LookUp::Answer> look_up(Instant deadline) {
    if (!look_up_) {
      look_up_ = std::make_shared<LookUp>(io_);
      look_up_->resolver.async_resolve(
          url_->host, url_->port,
          [asked = look_up_](const beast::error_code& error, tcp::resolver::results_type endpoints) {
            asked->answer = {error, std::move(endpoints)};
            asked->answered.cancel();
          });
    }
    const auto asked = look_up_;
    asked->answered.expires_at(deadline);
    if (!asked->answer) co_await asked->answered.async_wait(use_result);
    if (!asked->answer) co_return LookUp::Answer{beast::error::timeout, {}};
    look_up_.reset();
    co_return *asked->answer;
  }

  asio::awaitable<beast::error_code> exchange(beast::tcp_stream& connection,
                                              http::response_parser<http::string_body>& answer) {
    http::request<http::empty_body> question{http::verb::get, url_->target, 11};
    question.set(http::field::host, url_->host + ":" + url_->port);
    question.set(http::field::accept, "text/plain;version=0.0.4");
    auto [unsent, sent] = co_await http::async_write(connection, question, use_result);
    if (unsent) co_return unsent;
    beast::flat_buffer buffer;
    auto [unread, received] = co_await http::async_read(connection, buffer, answer, use_result);
    co_return unread;
  }

  const MetricsOptions options_;
  history::Sink& sink_;
  const std::optional<HttpUrl> url_;
  std::mutex mutex_;
  std::condition_variable scraped_;
  Instant last_asked_{};
  asio::io_context io_{1};
  asio::steady_timer beat_;
  std::shared_ptr<LookUp> look_up_;  // under way
  bool at_once_ = false;             // the thread's own
  std::thread thread_;               // last: uses all else
};

}  // namespace

std::unique_ptr<Watcher> scrape_metrics(MetricsOptions options, history::Sink& sink) {
  return std::make_unique<Scraper>(std::move(options), sink);
}

std::optional<HttpUrl> parse_http_url(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) return std::nullopt;
  url.remove_prefix(scheme.size());
  const size_t slash = std::min(url.find_first_of("/?"), url.size());
  HttpUrl parsed{.host = {}, .port = "80", .target = std::string(url.substr(slash))};
  if (!parsed.target.starts_with('/')) parsed.target.insert(0, "/");
  std::string_view authority = url.substr(0, slash);
  std::string_view after_host = authority;
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    parsed.host = authority.substr(1, end - 1);
    after_host.remove_prefix(end + 1);
  } else {
    const size_t colon = std::min(authority.find(':'), authority.size());
    parsed.host = authority.substr(0, colon);
    after_host.remove_prefix(colon);
  }
  if (after_host.starts_with(':')) parsed.port = after_host.substr(1);
  const bool number = !parsed.port.empty() && parsed.port.size() <= 5 &&
                      parsed.port.find_first_not_of("0123456789") == std::string::npos &&
                      std::stoul(parsed.port) <= 65535;
  if (parsed.host.empty() || !number || (!after_host.empty() && !after_host.starts_with(':')))
    return std::nullopt;
  return parsed;
}

}  // namespace breakwire::watch
