// Which test shows each kind by a witness that is not us: plain sockets and what the kernel says of them,
// libnghttp2, gRPC's C-core (C++ and Python), a process of its own. A kind without one does not come in; a
// witness that is renamed, or does not make the kind any more, is missed here.
#include <fstream>
#include <iterator>
#include <set>

#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

struct Witness {
  const char* kind;
  const char* file;             // below tests/
  const char* test;             // Suite, Name
  const char* maker = nullptr;  // the file with the function, named as the kind is, by which it makes it
};

constexpr const char* bytes = "faults/relay/byte_faults_test.cpp";
constexpr const char* pace = "faults/relay/pace_faults_test.cpp";
constexpr const char* isolation = "faults/relay/isolation_test.cpp";
constexpr const char* isolation_fixture = "faults/relay/isolation.h";
constexpr const char* connections = "faults/witness/connections_test.cpp";
constexpr const char* grpc = "faults/relay/grpc_faults_test.cpp";
constexpr const char* calls = "faults/relay/call_faults_test.cpp";
constexpr const char* calls_in_grpc = "faults/relay/call_faults_grpc_test.cpp";
constexpr const char* streams = "faults/relay/http2_faults_test.cpp";
constexpr const char* control = "faults/relay/control_faults_test.cpp";
constexpr const char* control_in_grpc = "faults/relay/control_grpc_test.cpp";
constexpr const char* process = "harness/run/process_faults_test.cpp";
constexpr const char* scarcity = "harness/run/scarcity_faults_test.cpp";
constexpr const char* command = "harness/run/fault_command_test.cpp";

const std::vector<Witness> witnesses{
    {"latency", bytes, "ByteFaultsTest, LatencyDelaysEveryByteAndIsPipelined"},
    {"latency", grpc, "GrpcFaultsTest, LatencyIsAddedInBothDirections"},
    {"bandwidth", pace, "PaceFaultsTest, BandwidthDeliversEveryByteNoFasterThanItsRate"},
    {"stall", bytes, "ByteFaultsTest, StallFillsBoundedBuffersAndDeliversAllOfIt"},
    {"stall", grpc, "GrpcFaultsTest, StallEndsCallsByTheirDeadlineAndTheConnectionLivesOn"},
    {"blackhole", isolation, "IsolationTest, ABlackholeEndsInEtimedoutUnderTcpUserTimeout",
     isolation_fixture},
    {"blackhole", isolation, "IsolationTest, RetransmissionHealsABlackholeWithoutALostByte",
     isolation_fixture},
    {"half_open", isolation, "IsolationTest, AHalfOpenRequestWayLeavesTheAnswersTheirs", isolation_fixture},
    {"half_open", isolation, "IsolationTest, AHalfOpenResponseWayLetsTheServiceWorkUnheard",
     isolation_fixture},
    {"accept_hang", connections, "ConnectionsWitnessTest, AcceptHangIsAHandshakeAndThenNothingUntilTheFin"},
    {"accept_hang", grpc, "GrpcFaultsTest, AcceptHangLeavesANewChannelWaitingForSettings"},
    {"refuse", connections, "ConnectionsWitnessTest, RefuseIsEconnrefusedAndTheSamePortAfterwards"},
    {"refuse", grpc, "GrpcFaultsTest, RefuseMakesTheServiceUnavailableUntilItIsOver"},
    {"reset", connections, "ConnectionsWitnessTest, ResetIsEconnresetOnBothSides"},
    {"reset", grpc, "StillGrpcFaultsTest, ResetEndsTheCallsUnderWayAndTheClientComesBack"},
    {"close", "faults/relay/close_test.cpp", "CloseTest, IsAFinToBothPeersAndNoRst"},
    {"truncate", "faults/relay/truncate_test.cpp", "TruncateTest, DeliversExactlySoManyBytesAndThenNothing"},
    {"slice", pace, "PaceFaultsTest, SliceDeliversTheSameBytesInSmallSegments"},
    {"corrupt", "faults/relay/corrupt_test.cpp", "CorruptTest, FlipsItsBitsOfItsBytesWhereverTheReadsEnd"},
    {"corrupt", "faults/relay/http2_byte_faults_test.cpp",
     "Http2ByteFaultsTest, CorruptFieldBlockIsTheDecodersCompressionError"},
    {"grpc_status", grpc, "GrpcFaultsTest, GrpcStatusAnswersInTheServersPlace"},
    {"grpc_status", grpc, "GrpcFaultsTest, GrpcStatusWithForwardLetsTheServerDoTheWork"},
    {"grpc_delay", streams, "Http2StageTest, GrpcDelayAddsItsTimeOnceAndLosesNothing"},
    {"grpc_hang", "faults/relay/call_stages_test.cpp",
     "HangStageTest, GrpcHangHoldsTheCallThereAndLosesNothingWhenItIsOver"},
    {"lose_response", grpc, "GrpcFaultsTest, LoseResponseLetsTheServerWorkOnceAndTheClientNeverHear"},
    {"rst_stream", streams, "Http2FaultsTest, RstStreamCarriesItsCodeAndTheConnectionGoesOn"},
    {"goaway", control, "ControlFaultsTest, GoawayComesInTwoStepsAndTheConnectionEndsWithItsLastCall"},
    {"goaway", control, "ControlFaultsTest, GoawayAtOnceRefusesOnlyWhatNeverArrived"},
    {"drop_connection", streams, "Http2StageTest, DropConnectionResetsAtItsStage"},
    {"http_status", calls, "CallFaultsTest, HttpStatusAnswersWithItsPageAndTheServerSeesNothing"},
    {"http_status", calls_in_grpc, "HttpStatusGrpcTest, IsTheStatusThatTheMappingSays"},
    {"missing_trailers", calls, "CallFaultsTest, MissingTrailersEndsTheResponseOnDataAndTheNextOnesDecode"},
    {"missing_trailers", "faults/witness/missing_trailers_test.cpp",
     "MissingTrailersDeathTest, TrailersWithoutAStatusAbortAClientWhoseRetriesAreOn"},
    {"truncate_message", calls, "CallFaultsTest, TruncateMessageCutsTheResponseThereAndItsTrailersCome"},
    {"metadata", calls, "CallFaultsTest, MetadataChangesTheRequestsFieldsAndNothingElse"},
    {"mute_ping", control, "ControlFaultsTest, MutePingTakesPingsAndNothingElse"},
    {"mute_ping", control_in_grpc, "ControlGrpcTest, MutedAcksTripTheCallersKeepaliveOnAConnectionThatWorks"},
    {"freeze_window", control, "ControlFaultsTest, AFrozenWindowStopsTheCallerAtItsLastByte"},
    {"settings", control, "ControlFaultsTest, SettingsOfAnOpenConnectionChangeAndComeBack"},
    {"settings", control_in_grpc, "ControlGrpcTest, OneConcurrentStreamMakesCallsWaitInTheCaller"},
    {"stream_bandwidth", calls, "StreamBandwidthTest, TheCallIsNoFasterThanItsRateAndWhole"},
    {"signal", process, "ProcessFaultTest, SignalReachesTheProgramsOwnHandler"},
    {"kill", process, "ProcessFaultTest, KillLeavesItNoWordToSay"},
    {"pause", process, "ProcessFaultTest, PauseFreezesAndItsEndThaws"},
    {"restart", process, "ProcessFaultTest, RestartBringsAnotherProcessToTheSamePort"},
    {"limit", scarcity, "ScarcityTest, DescriptorsRunOutAndAreThereAgain"},
    {"starve_cpu", scarcity, "ScarcityTest, ItIsStoppedAndGoesOnAgainAndAgainAndIsNeverLeftStopped"},
    {"command", command, "WithDatabaseTest, SqlHoldsALockUntilTheFaultIsOver"},
};

std::string text_of(const char* path) {
  std::ifstream file(std::string(BREAKWIRE_SOURCE_DIR "/tests/") + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The test with its body and its class: what makes the fault may stand in either.
std::string source_of(const Witness& witness) {
  const std::string all = text_of(witness.file);
  const size_t begin = all.find(std::string("(") + witness.test + ") {");
  if (begin == std::string::npos) return "";
  const std::string_view name = witness.test;
  const std::string suite(name.substr(0, name.find(',')));
  std::string text = all.substr(begin, all.find("\n}\n", begin) - begin);
  if (const size_t fixture = all.find("class " + suite + " "); fixture != std::string::npos) {
    text += all.substr(fixture, all.find("\n};\n", fixture) - fixture);
  }
  return text;
}

/// The kind's name in quotes, an argument of what arms it.
bool makes_its_kind(const Witness& witness, const std::string& source) {
  const std::string kind = witness.kind;
  const std::string quoted = '"' + kind + '"';
  if (!witness.maker) return source.find(quoted) != std::string::npos;
  const std::string call = ' ' + kind + '(';
  const std::string all = text_of(witness.maker);
  const size_t begin = all.find(call);
  if (begin == std::string::npos || source.find(call) == std::string::npos) return false;
  return all.substr(begin, all.find("}\n", begin) - begin).find(quoted) != std::string::npos;
}

TEST(WitnessListTest, EveryKindHasOne) {
  std::set<std::string> seen;
  for (const auto& witness : witnesses) seen.insert(witness.kind);
  const auto names = fault_kind_names();
  EXPECT_EQ(seen, std::set<std::string>(names.begin(), names.end()));
}

TEST(WitnessListTest, EachIsThereAndMakesItsKind) {
  for (const auto& witness : witnesses) {
    const std::string source = source_of(witness);
    ASSERT_FALSE(source.empty()) << witness.file << " has no " << witness.test;
    EXPECT_TRUE(makes_its_kind(witness, source))
        << witness.test << " in " << witness.file << " makes no " << witness.kind;
  }
}

}  // namespace
}  // namespace breakwire::faults
