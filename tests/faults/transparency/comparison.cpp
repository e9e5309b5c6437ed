#include "tests/faults/transparency/comparison.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace breakwire::http2::testing {
namespace {

using Kind = Travelled::Kind;

constexpr uint32_t refused_stream = 7, cancel = 8;
const std::string page(50'000, 'p');

std::string fault_of(const faults::Metadata& fields) {
  return std::string(faults::value_of(fields, "x-fault").value_or(""));
}

/// What of it concerns one stream, under no number.
Transcript of_stream(const Transcript& all, uint32_t id) {
  Transcript some = selected(all, [id](const Travelled& one) { return one.stream == id; });
  for (Travelled& one : some) one.stream = 0;
  return some;
}

Transcript without_resets(const Transcript& all) {
  return selected(all, [](const Travelled& one) { return one.kind != Kind::reset; });
}

std::optional<uint32_t> reset_code(const Transcript& all) {
  for (const Travelled& one : all) {
    if (one.kind == Kind::reset) return one.code;
  }
  return std::nullopt;
}

bool begins(const Transcript& part, const Transcript& whole) {
  for (size_t i = 0; i < part.size(); ++i) {
    if (i >= whole.size()) return false;
    if (part[i] == whole[i]) continue;
    const bool cut = i + 1 == part.size() && part[i].kind == Kind::data && whole[i].kind == Kind::data &&
                     !part[i].end && whole[i].bytes.starts_with(part[i].bytes);
    if (!cut) return false;
  }
  return true;
}

/// RELAY.md rule 4: the table is never larger than 4096 octets.
Transcript as_forwarded(Transcript all) {
  for (Travelled& one : all) {
    for (auto& [id, value] : one.settings) {
      if (id == 1) value = std::min(value, 4096u);
    }
  }
  return all;
}

Transcript control(const Transcript& all, bool with_last) {
  Transcript some = selected(all, [](const Travelled& one) { return one.stream == 0; });
  for (Travelled& one : some) {
    if (!with_last) one.last = 0;
  }
  return as_forwarded(std::move(some));
}

/// What "edit" makes of it, see `asked_for`.
void edit(Transcript& stream, bool request) {
  for (Travelled& one : stream) {
    if (one.kind != Kind::block) continue;
    if (request) {
      std::erase_if(one.fields, [](const auto& field) { return field.name == "x-fault"; });
      one.fields.push_back({"x-edited", "yes"});
      return;
    }
    if (faults::value_of(one.fields, ":status") == "103") continue;
    std::erase_if(one.fields, [](const auto& field) { return field.name == "x-a"; });
    one.fields.push_back({"x-edited", "yes"});
    return;
  }
}

class Comparison {
 public:
  Comparison(const RawPeer& client, const RawPeer& server, bool undisturbed)
      : client_(client), server_(server), undisturbed_(undisturbed) {
    for (const auto& [id, stream] : server.streams) {
      EXPECT_TRUE(ups_.emplace(stream.name, id).second) << "two streams of one call: " << stream.name;
    }
  }

  void run() {
    EXPECT_EQ(client_.complaints, std::vector<std::string>{});
    EXPECT_EQ(server_.complaints, std::vector<std::string>{});
    EXPECT_EQ(control(client_.got, undisturbed_), control(server_.sent, undisturbed_));
    EXPECT_EQ(control(server_.got, undisturbed_), control(client_.sent, undisturbed_));
    EXPECT_EQ(client_.ignored + server_.ignored, 0u) << "PRIORITY and unknown frames stay behind";
    for (const auto& [id, stream] : client_.streams) {
      SCOPED_TRACE("stream " + std::to_string(id));
      one_stream(id, stream);
    }
    if (undisturbed_) whole_order();
    EXPECT_TRUE(windows_agree(client_, server_))
        << client_.connection.send_window << " / " << server_.connection.receive_window << " and "
        << server_.connection.send_window << " / " << client_.connection.receive_window;
  }

 private:
  void one_stream(uint32_t down, const RawPeer::Stream& caller) {
    const Transcript asked = of_stream(client_.sent, down);
    const Transcript answered = of_stream(client_.got, down);
    const std::string fault = undisturbed_ ? "" : fault_of(asked.front().fields);
    const auto up = ups_.find(caller.name);
    const bool arrived = up != ups_.end();
    honest(down, caller, arrived ? up->second : 0);
    if (fault == "end" || fault == "page") {
      EXPECT_FALSE(arrived) << "it was answered before the service could see it";
      if (!caller.sent_reset && !caller.refused) answered_by_fault(fault, answered);
      return;
    }
    if (!arrived) {
      EXPECT_TRUE(caller.refused || caller.got_reset || (fault == "hold" && caller.sent_reset))
          << "it never arrived";
      EXPECT_EQ(without_resets(answered), Transcript{}) << "nobody can have answered it";
      return;
    }
    const RawPeer::Stream& callee = server_.streams.at(up->second);
    Transcript meant_request = asked, meant_response = of_stream(server_.sent, up->second);
    if (fault == "edit") edit(meant_request, true);
    if (fault == "edit") edit(meant_response, false);
    const Transcript served = of_stream(server_.got, up->second);
    if (!caller.broken() && !callee.broken()) {
      EXPECT_EQ(served, meant_request);
      EXPECT_EQ(answered, meant_response);
      if (undisturbed_) same_flow(caller, callee);
      return;
    }
    // Who breaks off a stream forgoes what is on its way.
    EXPECT_TRUE(begins(without_resets(served), without_resets(meant_request)));
    EXPECT_TRUE(begins(without_resets(answered), without_resets(meant_response)));
    if (caller.refused || callee.refused) return;
    if (caller.sent_reset && !callee.sent_reset && !callee.complete()) expect_code(served, asked);
    if (callee.sent_reset && !caller.sent_reset && !caller.complete()) expect_code(answered, meant_response);
  }

  /// Where a fault has held frames back, the relay may have put an end to the stream before (rule 8).
  void expect_code(const Transcript& received, const Transcript& meant) {
    const auto code = reset_code(received);
    if (!undisturbed_ && code == cancel) return;
    EXPECT_EQ(code, reset_code(meant));
  }

  /// What was said to be unprocessed was not forwarded, or not taken by the service itself (rule 11).
  void honest(uint32_t down, const RawPeer::Stream& caller, uint32_t up) {
    const bool taken = up != 0 && !(server_.sent_goaway && up > *server_.sent_goaway);
    if (caller.refused) {
      EXPECT_FALSE(taken) << "GOAWAY calls it unprocessed";
    }
    const auto code = reset_code(of_stream(client_.got, down));
    if (code == refused_stream && taken) {
      EXPECT_TRUE(server_.streams.at(up).sent_reset) << "REFUSED_STREAM, and not by the service";
    }
  }

  void answered_by_fault(const std::string& fault, const Transcript& answer) {
    ASSERT_FALSE(answer.empty());
    if (fault == "end") {
      EXPECT_EQ(faults::value_of(answer[0].fields, "grpc-status"), "10");
      EXPECT_TRUE(answer[0].end);
      return;
    }
    EXPECT_EQ(faults::value_of(answer[0].fields, ":status"), "502");
    ASSERT_GE(answer.size(), 2u);
    EXPECT_TRUE(answer[1].bytes == page && answer[1].end);
  }

  void same_flow(const RawPeer::Stream& caller, const RawPeer::Stream& callee) {
    EXPECT_EQ(callee.got_flow, caller.sent_flow);
    EXPECT_EQ(caller.got_flow, callee.sent_flow);
    expect_granted(callee.got_granted, caller);
    expect_granted(caller.got_granted, callee);
  }

  /// An increment that comes after all else on the stream may find it closed, and is of no use to anybody.
  static void expect_granted(uint64_t got, const RawPeer::Stream& granter) {
    EXPECT_GE(got, granter.granted_in_time);
    EXPECT_LE(got, granter.granted);
  }

  void whole_order() {
    const auto unbroken = [&](const Travelled& one) {
      if (one.stream == 0) return true;
      const auto caller = client_.streams.find(one.stream);
      const auto callee = server_.streams.find(one.stream);
      return caller != client_.streams.end() && callee != server_.streams.end() && !caller->second.broken() &&
             !callee->second.broken();
    };
    EXPECT_EQ(selected(server_.got, unbroken), as_forwarded(selected(client_.sent, unbroken)));
    EXPECT_EQ(selected(client_.got, unbroken), as_forwarded(selected(server_.sent, unbroken)));
  }

  const RawPeer& client_;
  const RawPeer& server_;
  const bool undisturbed_;
  std::map<std::string, uint32_t> ups_;
};

}  // namespace

faults::WireAction action_asked_for(const faults::CallReached& reached) {
  const std::string fault = fault_of(reached.call->metadata);
  if (fault == "edit" &&
      (reached.stage == faults::Stage::headers || reached.stage == faults::Stage::response_headers)) {
    const char* gone = reached.stage == faults::Stage::headers ? "x-fault" : "x-a";
    return faults::EditFields{.remove = {gone}, .set = {{"x-edited", "yes"}}, .rewrite = {}};
  }
  if (reached.stage != faults::Stage::headers) return faults::Forward{};
  if (fault == "hold") return faults::Hold{};
  if (fault == "end") return faults::EndCall{StatusCode::aborted, "ended", {{"x-a", "b"}}};
  if (fault == "page") return faults::AnswerHttp{502, {{"x-a", "b"}}, page};
  return faults::Forward{};
}

faults::Ruling asked_for(const faults::CallReached& reached) {
  faults::WireAction action = action_asked_for(reached);
  if (faults::is_effect(action)) return {.effects = {{.by = {"f"}, .action = std::move(action)}}};
  if (std::holds_alternative<faults::Forward>(action)) return {};
  return {.action = std::move(action), .by = {"f"}};
}

void expect_relayed(const RawPeer& client, const RawPeer& server, bool undisturbed) {
  Comparison(client, server, undisturbed).run();
}

bool windows_agree(const RawPeer& client, const RawPeer& server) {
  return client.connection.send_window == server.connection.receive_window &&
         server.connection.send_window == client.connection.receive_window;
}

}  // namespace breakwire::http2::testing
