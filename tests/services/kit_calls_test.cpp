// The interceptors on a real server and a real client in this process: one line and one count for each call
// on each side, whatever its end, and no call that waits for the log's reader.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <future>
#include <nlohmann/json.hpp>

#include "services/kit/call_policy.h"
#include "services/kit/interceptors.h"
#include "tests/services/support.h"

namespace breakwire::kit {
namespace {

using services_test::Clock;
using services_test::eventually;
using services_test::Millis;
using namespace std::chrono_literals;

const std::string method = "shop.v1.OrdersService/CreateOrder";

/// Somewhere for lines to go, read back at any time.
struct Lines {
  Lines() : fd(::memfd_create("lines", 0)) {}
  ~Lines() { ::close(fd); }
  std::vector<nlohmann::json> all() const {
    std::string text(1 << 20, ' ');
    auto size = ::pread(fd, text.data(), text.size(), 0);
    std::istringstream in(text.substr(0, static_cast<size_t>(std::max<ssize_t>(size, 0))));
    std::vector<nlohmann::json> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
  }
  const int fd;
};

/// Does as the request's order_id says.
class Orders : public shop::v1::OrdersService::CallbackService {
 public:
  grpc::ServerUnaryReactor* CreateOrder(grpc::CallbackServerContext* context,
                                        const shop::v1::CreateOrderRequest* request,
                                        shop::v1::CreateOrderResponse*) override {
    if (request->order_id() == "throw") throw std::runtime_error("a handler's own fault");
    auto* reactor = context->DefaultReactor();
    if (request->order_id() == "hold") {
      std::lock_guard lock(mutex_);
      held_.push_back(reactor);
    } else if (request->order_id() == "refuse") {
      reactor->Finish({grpc::StatusCode::FAILED_PRECONDITION, "sold out"});
    } else if (request->order_id() == "third time lucky" && ++asked_ < 3) {
      reactor->Finish({grpc::StatusCode::UNAVAILABLE, "busy"});
    } else {
      reactor->Finish(grpc::Status::OK);
    }
    return reactor;
  }
  std::size_t held() const {
    std::lock_guard lock(mutex_);
    return held_.size();
  }
  void release() {
    std::vector<grpc::ServerUnaryReactor*> held;
    {
      std::lock_guard lock(mutex_);
      held.swap(held_);
    }
    for (auto* reactor : held) reactor->Finish(grpc::Status::OK);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<grpc::ServerUnaryReactor*> held_;
  std::atomic<int> asked_{0};
};

/// A server with the interceptors of the kit, and a client with them.
class Shop {
 public:
  explicit Shop(CallLog& server_log, CallLog& client_log) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.SetContextAllocator(span_carrying_contexts());
    builder.experimental().SetInterceptorCreators(server_interceptors(server_log));
    builder.RegisterService(&orders);
    server_ = builder.BuildAndStart();
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    arguments.SetServiceConfigJSON(service_config({}));
    channel = grpc::experimental::CreateCustomChannelWithInterceptors(
        "127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials(), arguments,
        client_interceptors(client_log));
  }
  ~Shop() {
    orders.release();
    server_->Shutdown(std::chrono::system_clock::now() + 5s);
  }

  grpc::Status call(const std::string& order_id, Millis deadline = 5s,
                    grpc::ClientContext* context = nullptr) {
    grpc::ClientContext own;
    if (context == nullptr) context = &own;
    context->set_deadline(std::chrono::system_clock::now() + deadline);
    shop::v1::CreateOrderRequest request;
    request.set_order_id(order_id);
    shop::v1::CreateOrderResponse response;
    return shop::v1::OrdersService::NewStub(channel)->CreateOrder(context, request, &response);
  }

  Orders orders;
  std::shared_ptr<grpc::Channel> channel;

 private:
  std::unique_ptr<grpc::Server> server_;
};

/// How often `series` of a side stands in the metrics' text, summed over whatever other labels there are.
double counted(const CallLog& log, const std::string& name, const std::string& label) {
  std::istringstream text(log.metrics().text());
  double sum = 0;
  for (std::string line; std::getline(text, line);)
    if (line.starts_with(name + "{") && line.find(label) != std::string::npos)
      sum += std::stod(line.substr(line.rfind(' ')));
  return sum;
}

struct EndingCase {
  std::string name;
  std::string order_id;
  Millis deadline{5000};
  bool cancel = false;
  std::string code;         ///< in the lines
  std::string metric_code;  ///< in the metrics
  int answers = 0;          ///< messages that came back
};

class EveryEndingTest : public testing::TestWithParam<EndingCase> {};

TEST_P(EveryEndingTest, IsOneLineAndOneCountOnEachSide) {
  const auto& ending = GetParam();
  Lines server_lines, client_lines;
  {
    CallLog server_log("orders", server_lines.fd), client_log("storefront", client_lines.fd);
    {
      Shop shop(server_log, client_log);
      grpc::ClientContext context;
      auto status = std::async(std::launch::async,
                               [&] { return shop.call(ending.order_id, ending.deadline, &context); });
      if (ending.cancel) {
        EXPECT_TRUE(eventually([&] { return shop.orders.held() == 1; }));
        context.TryCancel();
      }
      EXPECT_EQ(code_name(status.get().error_code()), ending.code);
      // Also while the handler of a call that is over has not noticed yet.
      EXPECT_TRUE(eventually([&] {
        server_log.flush();
        return server_lines.all().size() == 1;
      }));
    }
    for (auto [log, side] : {std::pair{&server_log, "server"}, std::pair{&client_log, "client"}}) {
      std::string prefix = std::string("grpc_") + side;
      EXPECT_EQ(counted(*log, prefix + "_started_total", ""), 1) << side;
      EXPECT_EQ(counted(*log, prefix + "_handled_total", ""), 1) << side;
      EXPECT_EQ(counted(*log, prefix + "_handled_total", "\"" + ending.metric_code + "\""), 1) << side;
      EXPECT_EQ(counted(*log, prefix + "_handling_seconds_count", ""), 1) << side;
      const bool server = side == std::string("server");
      EXPECT_EQ(counted(*log, prefix + (server ? "_msg_received_total" : "_msg_sent_total"), ""), 1) << side;
      EXPECT_EQ(counted(*log, prefix + (server ? "_msg_sent_total" : "_msg_received_total"), ""),
                ending.answers)
          << side;
      EXPECT_EQ(counted(*log, prefix + "_timeouts_total", ""), ending.code == "DEADLINE_EXCEEDED" ? 1 : 0)
          << side;
    }
    EXPECT_EQ(server_log.in_flight.load(), 0);
  }
  // All is over and written: whatever came late would be here.
  for (const auto& [lines, side] :
       {std::pair{server_lines.all(), "server"}, std::pair{client_lines.all(), "client"}}) {
    ASSERT_EQ(lines.size(), 1U) << side;
    const auto& line = lines.front();
    EXPECT_EQ(line["side"], side);
    EXPECT_EQ(line["method"], method);
    EXPECT_EQ(line["code"], ending.code) << side;
    EXPECT_GT(line["duration_ms"].get<double>(), 0);
    EXPECT_GT(line["deadline_left_ms"].get<int>(), 0);
    EXPECT_NE(line["peer"].get<std::string>().find("127.0.0.1:"), std::string::npos) << line;
    EXPECT_EQ(line["trace_id"].get<std::string>().size(), 32U);
    EXPECT_EQ(line["span_id"].get<std::string>().size(), 16U);
    EXPECT_EQ(line["ts"].get<std::string>().size(), 24U);
  }
  EXPECT_EQ(server_lines.all().front()["attempt"], 1);
  EXPECT_EQ(server_lines.all().front()["trace_id"], client_lines.all().front()["trace_id"]);
}

INSTANTIATE_TEST_SUITE_P(
    Endings, EveryEndingTest,
    testing::Values(
        EndingCase{.name = "Answer", .order_id = "a", .code = "OK", .metric_code = "OK", .answers = 1},
        EndingCase{.name = "Refusal",
                   .order_id = "refuse",
                   .code = "FAILED_PRECONDITION",
                   .metric_code = "FailedPrecondition"},
        // What gRPC 1.51 makes of a handler that throws.
        EndingCase{.name = "Exception",
                   .order_id = "throw",
                   .code = "UNIMPLEMENTED",
                   .metric_code = "Unimplemented"},
        EndingCase{.name = "Deadline",
                   .order_id = "hold",
                   .deadline = 150ms,
                   .code = "DEADLINE_EXCEEDED",
                   .metric_code = "DeadlineExceeded"},
        EndingCase{.name = "Cancel",
                   .order_id = "hold",
                   .cancel = true,
                   .code = "CANCELLED",
                   .metric_code = "Canceled"}),
    [](const auto& param) { return param.param.name; });

TEST(CallLogTest, ARetriedCallIsOneLineOfItsCallerWhichDoesNotKnowHowOftenItTried) {
  Lines server_lines, client_lines;
  {
    CallLog server_log("orders", server_lines.fd), client_log("storefront", client_lines.fd);
    Shop shop(server_log, client_log);
    EXPECT_TRUE(shop.call("third time lucky").ok());
  }
  ASSERT_EQ(server_lines.all().size(), 3U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(server_lines.all()[static_cast<size_t>(i)]["attempt"], i + 1);
  ASSERT_EQ(client_lines.all().size(), 1U);
  EXPECT_FALSE(client_lines.all().front().contains("attempt")) << client_lines.all().front();
}

TEST(CallLogTest, TheFlawLogOnlySuccessHidesFailuresAndStillCountsThem) {
  Lines lines;
  Flaws flaws;
  flaws.add(Flaw::log_only_success);
  CallLog log("orders", lines.fd, flaws), other("client", lines.fd, flaws);
  {
    Shop shop(log, other);
    EXPECT_FALSE(shop.call("refuse").ok());
    EXPECT_TRUE(shop.call("a").ok());
  }
  log.flush();
  other.flush();
  ASSERT_EQ(lines.all().size(), 2U);
  for (const auto& line : lines.all()) EXPECT_EQ(line["code"], "OK");
  EXPECT_EQ(counted(log, "grpc_server_handled_total", "FailedPrecondition"), 1);
}

TEST(CallLogTest, APipeThatNobodyReadsCostsLinesAndNoCallItsTime) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  for (std::string some(4096, '-'); ::write(ends[1], some.data(), some.size()) > 0;) {
  }
  ::fcntl(ends[1], F_SETFL, 0);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);

  constexpr int calls = 200;
  std::string read;
  double dropped = 0;
  {
    Lines client_lines;
    CallLog log("orders", ends[1], {}, 16), client_log("client", client_lines.fd);
    {
      Shop shop(log, client_log);
      for (int i = 0; i < calls; ++i) {
        auto began = Clock::now();
        ASSERT_TRUE(shop.call("a").ok());
        ASSERT_LT(Clock::now() - began, 1s);
      }
    }
    const auto dropped_now = [&] {
      auto text = log.metrics().text();
      return std::stod(text.substr(text.find("\nlog_lines_dropped_total ") + 25));
    };
    dropped = dropped_now();
    EXPECT_GT(dropped, 0);
    // Now somebody reads: what was kept comes, and how many were not, without another call.
    EXPECT_TRUE(eventually([&] {
      std::string some(65536, ' ');
      auto size = ::read(ends[0], some.data(), some.size());
      if (size > 0) read += some.substr(0, static_cast<size_t>(size));
      return read.find("log_lines_dropped") != std::string::npos && read.ends_with("\n");
    }));
    EXPECT_EQ(dropped_now(), dropped);
  }
  int kept = 0;
  for (auto at = read.find(R"("side":"server")"); at != std::string::npos;
       at = read.find(R"("side":)", at + 1))
    ++kept;
  EXPECT_NE(
      read.find(R"({"event":"log_lines_dropped","count":)" + std::to_string(static_cast<int>(dropped)) + "}"),
      std::string::npos);
  EXPECT_EQ(kept + static_cast<int>(dropped), calls);
  for (int end : ends) ::close(end);
}

}  // namespace
}  // namespace breakwire::kit
