// RELAY.md, rule 1: every field block is decoded in the order of arrival; it passes verbatim until something
// of that connection and direction has diverged, and is re-encoded from then on.
#include <gtest/gtest.h>

#include "tests/faults/transparency/rules.h"

namespace breakwire::http2::testing {
namespace {

using faults::Stage;

// An indexing sender refers to these ever after.
const faults::Metadata first{{"x-first", "a value that is worth an entry"}};
const faults::Metadata second{{"x-second", "another one, much like the first"}};
const faults::Metadata third{{"x-third", "and the last of them"}};

class RelayRule01FieldBlocks : public RuleTest {
 protected:
  /// Responses that share a table; what of them reaches the client.
  std::string response(StreamId id, const faults::Metadata& fields, bool end = true) {
    return block(server_side, id, fields, end);
  }
  std::vector<faults::Metadata> to_client() { return blocks_in(wire.to_client(), client_reads); }
  /// What the relay understood of the last request, which shares a table with those before.
  std::string last_method() { return wire.seen<faults::CallStarted>().back().method; }

  FieldEncoder server_side{4096}, client_side{4096};
  FieldDecoder client_reads, server_reads;
};

TEST_F(RelayRule01FieldBlocks, OfAStreamThatTheCallerResetAreDecoded) {
  wire.client(Wire::request(1, true) + Wire::request(3, true) + Wire::reset(1, Http2Error::cancel));
  wire.server(response(1, first));
  wire.server(response(3, first));
  EXPECT_EQ(to_client(), (std::vector<faults::Metadata>{first}));
}

TEST_F(RelayRule01FieldBlocks, OfAClosedStreamAreDecoded) {
  wire.client(Wire::request(1, true) + Wire::request(3, true));
  for (const auto& fields : {first, second, third}) wire.server(response(1, fields));
  wire.server(response(3, third));
  EXPECT_EQ(to_client(), (std::vector<faults::Metadata>{first, third}));
  EXPECT_FALSE(wire.session.demand());
}

TEST_F(RelayRule01FieldBlocks, OfAnUnknownStreamAreDecoded) {
  wire.client(block(client_side, 5, request_fields("s/Five"), true));
  wire.client(
      block(client_side, 3, request_fields("s/Skipped", second), true));  // closed by 5 (RFC 9113 §5.1.1)
  wire.client(block(client_side, 7, request_fields("s/Skipped", second), true));
  EXPECT_EQ(last_method(), "s/Skipped");
  EXPECT_EQ(blocks_in(wire.to_server(), server_reads),
            (std::vector<faults::Metadata>{request_fields("s/Five"), request_fields("s/Skipped", second)}));
}

TEST_F(RelayRule01FieldBlocks, ThatAreToBeDroppedAreDecoded) {
  wire.client(block(client_side, 1, request_fields("s/One"), false));
  wire.server(Wire::goaway(1));
  wire.client(block(client_side, 3, request_fields("s/Late", first), true));
  wire.client(block(client_side, 1, first, true));  // trailers of the one that goes on
  EXPECT_EQ(blocks_in(wire.to_server(), server_reads),
            (std::vector<faults::Metadata>{request_fields("s/One"), first}));
}

TEST_F(RelayRule01FieldBlocks, OfARequestWhoseUpstreamHasResetItAreDecoded) {
  wire.client(block(client_side, 1, request_fields("s/One"), false));
  wire.server(Wire::reset(1, Http2Error::internal_error));
  wire.client(block(client_side, 1, second, true));
  wire.client(block(client_side, 3, request_fields("s/Three", second), true));
  EXPECT_EQ(last_method(), "s/Three");
  EXPECT_EQ(blocks_in(wire.to_server(), server_reads),
            (std::vector<faults::Metadata>{request_fields("s/One"), request_fields("s/Three", second)}));
}

TEST_F(RelayRule01FieldBlocks, AreVerbatimWithTheirPaddingAndContinuationsWhileNothingHasDiverged) {
  const std::string fields = client_side.encode(request_fields("s/M"));
  const std::string frames = frame(FrameType::headers, flag::padded | flag::priority, 1,
                                   hex("02 00000000 07") + fields.substr(0, 5) + hex("0000")) +
                             frame(FrameType::continuation, 0, 1, "") +
                             frame(FrameType::continuation, flag::end_headers, 1, fields.substr(5));
  wire.client(frames);
  EXPECT_EQ(wire.to_server(), frames);
}

TEST_F(RelayRule01FieldBlocks, ThatWereHeldWithoutBeingOvertakenAreVerbatim) {
  wire.fault(Stage::headers, faults::Hold{}, "hang");
  const std::string held = block(client_side, 1, request_fields("s/M", first), true);
  wire.client(held);
  wire.clear("hang");
  wire.host.rule = {};
  const std::string next = block(client_side, 3, request_fields("s/M", first), true);
  wire.client(next);
  EXPECT_EQ(wire.to_server(), held + next);
}

struct DivergingCase {
  std::string name;
  faults::Ruling ruling;  // about the call on stream 3, at its headers
  friend void PrintTo(const DivergingCase& one, std::ostream* out) { *out << one.name; }
};
class RelayRule01Diverging : public RelayRule01FieldBlocks,
                             public ::testing::WithParamInterface<DivergingCase> {};

TEST_P(RelayRule01Diverging, FromThereOnBlocksAreReEncodedAfterTheTableWasEmptied) {
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.call->stream == 3 && reached.stage == Stage::headers ? GetParam().ruling
                                                                        : faults::Ruling{};
  };
  const std::string before = block(client_side, 1, request_fields("s/M", first), true);
  wire.client(before);
  EXPECT_EQ(wire.to_server(), before);
  wire.client(block(client_side, 3, request_fields("s/M", second), true));
  const auto fields =
      request_fields("s/M", second);  // the second time: references, that the server cannot follow
  wire.client(block(client_side, 5, fields, true));
  const std::string after = wire.to_server();
  const size_t at = after.find(hex("20 3fe11f"));
  ASSERT_NE(at, std::string::npos) << "size updates to 0 and to 4096 (RFC 7541 §6.3)";
  EXPECT_EQ(at, frame_header_size);
  std::vector<faults::Metadata> all = blocks_in(before + after, server_reads);
  EXPECT_EQ(all.front(), request_fields("s/M", first));
  EXPECT_EQ(all.back(), fields);
}

INSTANTIATE_TEST_SUITE_P(
    All, RelayRule01Diverging,
    ::testing::Values(DivergingCase{"withheld", {.action = faults::EndCall{}, .by = {"f"}}},
                      DivergingCase{"held_and_overtaken", {.action = faults::Hold{}, .by = {"f"}}},
                      DivergingCase{"edited", effect(faults::EditFields{
                                                  .remove = {}, .set = {{"x-new", "1"}}, .rewrite = {}})}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(RelayRule01FieldBlocks, InjectedBeforeThatAreLiteralsThatLeaveTheTableAlone) {
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.call->stream == 3 ? ruling(faults::EndCall{StatusCode::aborted, "no", {}})
                                     : faults::Ruling{};
  };
  wire.client(Wire::request(1, true) + Wire::request(3, true) + Wire::request(5, true));
  wire.to_client();
  const std::string answered = response(1, first);
  wire.server(answered);
  EXPECT_EQ(wire.to_client(), answered);
  wire.client(Wire::request(7, true));
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.call->stream == 9 ? ruling(faults::EndCall{}) : faults::Ruling{};
  };
  wire.client(Wire::request(9, true));
  const std::string injected = wire.to_client();
  ASSERT_GT(injected.size(), frame_header_size);
  EXPECT_EQ(injected[frame_header_size], 0) << "a literal without indexing (RFC 7541 §6.2.2)";
  const std::string later = response(5, first);
  wire.server(later);
  EXPECT_EQ(wire.to_client(), later) << "responses have not diverged";
}

TEST_F(RelayRule01FieldBlocks, AnUndisturbedCallIsCarriedVerbatimBothWays) {
  World world;
  world.echo();
  // Without the session, side by side: the same two endpoints must see the same bytes.
  Endpoint client(Endpoint::Role::client, {});
  Endpoint server(Endpoint::Role::server, {});
  server.on_request = [&](int32_t id) {
    server.respond(id, response_fields(), server.streams[id].body, ok_trailers());
  };
  for (int i = 0; i < 3; ++i) {
    const auto fields = request_fields("shop.Orders/Place", {{"x-number", std::to_string(i)}});
    client.request(fields, grpc_message("hello"));
    world.client.request(fields, grpc_message("hello"));
  }
  for (int i = 0; i < 10; ++i) {
    const std::string request = client.output();
    ASSERT_EQ(world.client.output(), request);
    world.session.receive(Side::downstream,
                          {reinterpret_cast<const uint8_t*>(request.data()), request.size()}, world.now);
    ASSERT_EQ(world.session.take_output(Side::upstream), request);
    server.input({reinterpret_cast<const uint8_t*>(request.data()), request.size()});
    world.server.input({reinterpret_cast<const uint8_t*>(request.data()), request.size()});
    const std::string response = server.output();
    ASSERT_EQ(world.server.output(), response);
    world.session.receive(Side::upstream,
                          {reinterpret_cast<const uint8_t*>(response.data()), response.size()}, world.now);
    ASSERT_EQ(world.session.take_output(Side::downstream), response);
    client.input({reinterpret_cast<const uint8_t*>(response.data()), response.size()});
    world.client.input({reinterpret_cast<const uint8_t*>(response.data()), response.size()});
  }
  EXPECT_EQ(client.streams.at(5).body, grpc_message("hello"));
  EXPECT_EQ(client.streams.at(5).closed, 0u);
  EXPECT_TRUE(client.complaints.empty());
}

TEST_F(RelayRule01FieldBlocks, KeepTheirOrderDuplicatesAndNeverIndexedMarks) {
  World world;
  world.echo();
  world.host.rule = [](const faults::CallReached& reached) {
    return reached.call->stream == 1 ? ruling(faults::EndCall{}) : faults::Ruling{};
  };
  const faults::Metadata fields = request_fields(
      "s/M", {{"x-secret", "value", true}, {"x-open", "seen"}, {"x-twice", "a"}, {"x-twice", "b"}});
  world.client.request(fields, "");  // answered here: from now on blocks are rewritten
  world.client.request(fields, "");
  world.run();
  EXPECT_EQ(world.server.streams[3].fields, fields);
  EXPECT_EQ(world.complaints(), std::vector<std::string>{});
}

}  // namespace
}  // namespace breakwire::http2::testing
