// RELAY.md, rule 5: ACKs belong to the SETTINGS that were sent, first in, first out; a fault may edit what
// one side announces, and the ledger (rule 2) and the tables (rule 4) stay sound.
#include <gtest/gtest.h>

#include "tests/faults/transparency/rules.h"

namespace breakwire::http2::testing {
namespace {

using faults::ControlFrame;

class RelayRule05SettingsAcks : public ::testing::Test {
 protected:
  using Values = std::map<uint16_t, uint32_t>;

  /// Armed on a connection that exists: ruled on as it is found, and asked about at each SETTINGS.
  void edit(Values values, bool to_caller = true, const std::string& by = "f") {
    edits_[by] = {.values = std::move(values), .to_caller = to_caller};
    arm();
    wire.session.act({by}, edits_[by], wire.now);
  }
  /// Armed before the connection came.
  void arm() {
    wire.host.control_rule = [this](const faults::ControlReached& reached) {
      faults::Ruling ruled;
      if (reached.frame != ControlFrame::settings) return ruled;
      for (const auto& [by, edit] : edits_) {
        if (edit.to_caller == (reached.direction == faults::Direction::response))
          ruled.effects.push_back({.by = {by}, .action = edit});
      }
      return ruled;
    };
  }
  void clear(const std::string& by = "f") {
    edits_.erase(by);
    wire.clear(by);
  }
  void client_acks() { wire.client(settings_ack); }

  std::map<std::string, faults::EditSettings> edits_;
  Wire wire;
};

TEST_F(RelayRule05SettingsAcks, AnOpenConnectionIsToldAtOnceAndItsAckIsOurs) {
  wire.begin();
  edit({{3, 1}});
  EXPECT_EQ(wire.to_client(), setting(3, 1));
  client_acks();
  EXPECT_EQ(wire.to_server(), "");
  EXPECT_EQ(wire.host.carried, (std::vector<FaultId>{{"f"}}));
  const auto hits = wire.seen<faults::FaultHit>();
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits[0].action, "edit_settings");
  clear();
  EXPECT_EQ(wire.to_client(), setting(3, 0x7fffffff)) << "it was never announced";
  client_acks();
  EXPECT_EQ(wire.to_server(), "");
  client_acks();  // one too many: the server's to judge
  EXPECT_EQ(wire.to_server(), settings_ack);
}

TEST_F(RelayRule05SettingsAcks, GenuineSettingsAreRewrittenAndTheLastOfThemIsRestored) {
  wire.begin();
  wire.server(setting(3, 100));
  wire.to_client();
  edit({{3, 1}});
  wire.server(setting(3, 200) + setting(6, 5));
  EXPECT_EQ(wire.to_client(), setting(3, 1) + setting(3, 1) + setting(6, 5));
  clear();
  wire.server(setting(3, 300));
  EXPECT_EQ(wire.to_client(), setting(3, 200) + setting(3, 300));
}

TEST_F(RelayRule05SettingsAcks, AcksAreTakenInTheOrderInWhichSettingsWereSent) {
  wire.begin();
  wire.server(setting(6, 1));
  edit({{3, 1}});
  wire.server(setting(6, 2));
  clear();
  wire.to_client();
  client_acks();
  EXPECT_EQ(wire.to_server(), settings_ack);
  client_acks();
  EXPECT_EQ(wire.to_server(), "");
  client_acks();
  EXPECT_EQ(wire.to_server(), settings_ack);
  client_acks();
  EXPECT_EQ(wire.to_server(), "");
}

TEST_F(RelayRule05SettingsAcks, ANewConnectionSeesTheEditInItsFirstSettings) {
  edits_["f"] = {.values = {{3, 1}, {4, 10}}};
  arm();
  wire.client(std::string(client_preface) + settings_frame());
  wire.server(settings_frame(hex("0003 00000064 0005 00008000")));
  EXPECT_EQ(wire.to_client(), settings_frame(hex("0003 00000001 0005 00008000 0004 0000000a")));
  EXPECT_EQ(wire.to_server(), std::string(client_preface) + settings_frame());
  EXPECT_TRUE(wire.host.carried.empty()) << "counted where SETTINGS are asked about";
  EXPECT_EQ(wire.seen<faults::FaultHit>().size(), 1u);
}

TEST_F(RelayRule05SettingsAcks, AnEditOfAConnectionThatIsStillOpeningWaitsForItsSettings) {
  wire.client(std::string(client_preface) + settings_frame());
  edit({{3, 1}});
  EXPECT_EQ(wire.to_client(), "");
  wire.server(settings_frame());
  EXPECT_EQ(wire.to_client(), setting(3, 1));

  Wire other;
  other.client(std::string(client_preface) + settings_frame());
  other.session.act({"f"}, faults::EditSettings{.values = {{3, 1}}}, other.now);
  other.clear("f");
  other.server(settings_frame());
  EXPECT_EQ(other.to_client(), settings_frame());
}

TEST_F(RelayRule05SettingsAcks, TheCallersAnnouncementIsEditedTowardsTheService) {
  wire.begin();
  edit({{4, 100}}, false);
  EXPECT_EQ(wire.to_server(), setting(4, 100));
  wire.server(settings_ack);
  EXPECT_EQ(wire.to_client(), "");
  wire.client(setting(4, 500) + setting(5, 20'000));
  EXPECT_EQ(wire.to_server(), setting(4, 100) + setting(5, 20'000));
  clear();
  EXPECT_EQ(wire.to_server(), setting(4, 500));
}

TEST_F(RelayRule05SettingsAcks, OverlappingFaultsAreUndoneOneByOne) {
  wire.begin();
  edit({{3, 5}, {4, 100}}, true, "a");
  edit({{3, 1}}, true, "b");
  EXPECT_EQ(wire.to_client(), settings_frame(hex("0003 00000005 0004 00000064")) + setting(3, 1));
  clear("b");
  EXPECT_EQ(wire.to_client(), setting(3, 5));
  clear("a");
  EXPECT_EQ(wire.to_client(), settings_frame(hex("0003 7fffffff 0004 0000ffff")));
}

TEST_F(RelayRule05SettingsAcks, OfTwoEditsOfOneValueThatOfTheLaterEntryOfTheTimelineIsSeen) {
  wire.begin();
  const auto streams = [&](uint32_t most, size_t order, const std::string& by) {
    wire.session.act({by}, faults::EditSettings{.values = {{3, most}}, .order = order}, wire.now);
  };
  streams(5, 2, "later");
  EXPECT_EQ(wire.to_client(), setting(3, 5));
  streams(1, 1, "earlier");  // although it was armed after the other
  EXPECT_EQ(wire.to_client(), setting(3, 5));
  clear("later");
  EXPECT_EQ(wire.to_client(), setting(3, 1));
}

TEST_F(RelayRule05SettingsAcks, ASmallerWindowIsOpenedAgainForWhatWasPassedOn) {
  wire.begin();
  wire.client(Wire::request(1));
  edit({{4, 100}});
  client_acks();
  EXPECT_EQ(wire.to_client(), setting(4, 100));
  wire.client(Wire::data(1, std::string(100, 'x')));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::data(1, std::string(100, 'x')));
  EXPECT_EQ(wire.to_client(), Wire::window_update(1, 100)) << "the server does not know that it has to";
  wire.server(Wire::window_update(1, 60) + Wire::window_update(0, 100));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 100)) << "its increments repay that";
  clear();
  client_acks();
  EXPECT_EQ(wire.to_client(), setting(4, 65'535));
  wire.server(Wire::window_update(1, 100));
  EXPECT_EQ(wire.to_client(), Wire::window_update(1, 60)) << "40 of them were given before";
}

TEST_F(RelayRule05SettingsAcks, ASmallerWindowNeverLetsMoreThroughThanTheReceiverTakes) {
  wire.begin();
  wire.server(setting(4, 150));
  client_acks();
  edit({{4, 100}});
  client_acks();
  wire.to_client();
  wire.to_server();
  wire.client(Wire::request(1) + Wire::data(1, std::string(100, 'x')));
  EXPECT_EQ(wire.to_client(), Wire::window_update(1, 50));
  wire.client(Wire::data(1, std::string(50, 'y')));
  EXPECT_EQ(wire.to_client(), "");
  wire.to_server();
  wire.server(Wire::window_update(1, 30));
  EXPECT_EQ(wire.to_client(), Wire::window_update(1, 30));
}

TEST_F(RelayRule05SettingsAcks, NoWindowStaysNone) {
  wire.begin();
  wire.client(Wire::request(1));
  edit({{4, 0}});
  client_acks();
  EXPECT_EQ(wire.to_client(), setting(4, 0));
  wire.server(Wire::headers(1, response_fields()));
  wire.to_client();
  clear();
  client_acks();
  EXPECT_EQ(wire.to_client(), setting(4, 65'535));
}

TEST_F(RelayRule05SettingsAcks, WhatALargerWindowLetsInWaitsForTheReceiversRoom) {
  wire.begin();
  wire.server(setting(4, 10));
  client_acks();
  edit({{4, 1000}});
  client_acks();
  wire.to_client();
  wire.to_server();
  wire.client(Wire::request(1) + Wire::data(1, "0123456789abcdefghij"));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::data(1, "0123456789"));
  wire.server(Wire::window_update(1, 4));
  EXPECT_EQ(wire.to_server(), Wire::data(1, "abcd"));
  EXPECT_EQ(wire.to_client(), Wire::window_update(1, 4)) << "increments pass as they are";
  clear();
  EXPECT_EQ(wire.to_client(), setting(4, 10));
  client_acks();
  wire.server(Wire::window_update(1, 6));
  EXPECT_EQ(wire.to_server(), Wire::data(1, "efghij"));
  EXPECT_EQ(wire.to_client(), Wire::window_update(1, 6));
}

TEST_F(RelayRule05SettingsAcks, WhatALargerFrameSizeLetsInIsCutForTheReceiver) {
  wire.begin();
  edit({{5, 100'000}});
  client_acks();
  wire.to_client();
  const std::string large(20'000, 'x');
  std::string block;
  append_field_block(block, 1, encode_literally(request_fields("s/M", {{"x-large", large}})), false, 100'000);
  wire.client(block + Wire::data(1, large));
  const std::string bytes = wire.to_server();
  size_t at = 0;
  std::string types;
  while (at < bytes.size()) {
    const FrameHeader header = parse_frame_header(bytes_of(bytes).data() + at);
    EXPECT_LE(header.length, 16'384u);
    types += std::to_string(static_cast<int>(header.type)) + " ";
    at += frame_header_size + header.length;
  }
  EXPECT_EQ(at, bytes.size());
  EXPECT_EQ(types, "1 9 0 0 ") << "HEADERS, CONTINUATION, DATA twice";
}

TEST_F(RelayRule05SettingsAcks, ATableCanBeTakenAwayAndGivenBackUnderAnIndexingSender) {
  // nghttp2 at both ends indexes, obeys and checks.
  World world;
  world.echo();
  const auto call = [&](const std::string& value) {
    const int32_t id = world.client.request(request_fields("s/M", {{"x-again", value}}), grpc_message("m"));
    world.run();
    EXPECT_EQ(world.server.streams[id].fields.back().value, value);
    EXPECT_EQ(world.client.streams[id].trailers, ok_trailers());
  };
  const auto values = [](uint32_t size) {
    return faults::EditSettings{.values = {{1, size}}, .to_caller = true};
  };
  world.run();
  call("one");
  call("one");
  world.session.act({"f"}, values(0), world.now);
  world.deliver();
  call("two");
  world.run();
  call("two");
  world.host.rule = [](const faults::CallReached& reached) {
    return faults::value_of(reached.call->metadata, "x-again") == "held" &&
                   reached.stage == faults::Stage::headers
               ? ruling(faults::EndCall{}, "status")
               : faults::Ruling{};
  };
  world.client.request(request_fields("s/M", {{"x-again", "held"}}), grpc_message("m"));
  call("three");  // re-encoded from here on
  world.session.fault_cleared({"f"}, world.now);
  world.deliver();
  call("three");
  call("three");
  EXPECT_EQ(world.complaints(), std::vector<std::string>{});
}

}  // namespace
}  // namespace breakwire::http2::testing
