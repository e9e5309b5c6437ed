// What holds of every kind, whatever it does.
#include <set>

#include "faults/kinds/names.h"
#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

class EveryKindTest : public ::testing::TestWithParam<std::string> {
 protected:
  const FaultKind& kind() const { return *find_fault_kind(GetParam()); }
  json::Value example() const { return parsed(kind().example); }
  json::Value part(std::string_view key) const {
    const json::Value whole = example();
    const json::Value* found = whole.find(key);
    return found ? *found : json::object();
  }
};

TEST_P(EveryKindTest, HasAnExampleThatItsOwnParsersAccept) {
  const json::Value entry = example();
  EXPECT_EQ(entry.find("fault")->text, kind().name);
  ErrorList errors;
  EXPECT_TRUE(kind().make(part("with"), errors)) << render(errors);
  const auto match = read_match(kind(), part("match"), errors);
  ASSERT_TRUE(match) << render(errors);
  if (!entry.find("for")) {
    EXPECT_TRUE(fits_without_length(kind(), *match, part("match"), errors)) << render(errors);
  }
  if (!kind().check) return;
  const json::Value with = part("with");
  const json::Value written_match = part("match");
  std::optional<Duration> length;
  if (entry.find("for")) length = parse_duration(entry.find("for")->text);
  kind().check({.with = with, .written_match = written_match, .match = *match, .length = length}, errors);
  EXPECT_TRUE(errors.empty()) << render(errors);
}

TEST_P(EveryKindTest, HasAnExampleWithTheKeysItsPlaceAndLifetimeAllow) {
  const json::Value entry = example();
  ASSERT_TRUE(entry.find("id") && entry.find("on"));
  const bool on_edge = entry.find("on")->text.find("->") != std::string::npos;
  EXPECT_EQ(on_edge, kind().fault_class != FaultClass::process);
  EXPECT_NE(entry.find("at") != nullptr, entry.find("when") != nullptr);
  if (entry.find("for")) {
    EXPECT_TRUE(kind().lifetime == Lifetime::span || kind().lifetime == Lifetime::optional_span);
    EXPECT_TRUE(parse_duration(entry.find("for")->text));
  }
}

TEST_P(EveryKindTest, SaysInItsDocumentationWhatAPersonNeeds) {
  EXPECT_TRUE(kind().summary.ends_with('.')) << kind().summary;
  EXPECT_LT(kind().summary.size(), 110u);
  const bool process = kind().fault_class == FaultClass::process;
  for (const char* part : {process ? "What happens: " : "On the wire: ", "\n\nPeers see: ",
                           "\n\nWhen it ends: ", "\n\nSources: "}) {
    EXPECT_NE(kind().details.find(part), std::string::npos) << part;
  }
  EXPECT_FALSE(kind().fidelity.empty());
}

TEST_P(EveryKindTest, DocumentsEveryParameterAndHasItInTheSchema) {
  EXPECT_EQ(kind().schema.find("type")->text, "object");
  ASSERT_TRUE(kind().schema.find("additionalProperties"));
  EXPECT_FALSE(kind().schema.find("additionalProperties")->boolean);
  const json::Value& properties = *kind().schema.find("properties");
  EXPECT_EQ(properties.members.size(), kind().parameters.size());
  for (const FieldInfo& field : kind().parameters) {
    EXPECT_TRUE(field.doc.ends_with('.')) << field.name << ": " << field.doc;
    EXPECT_FALSE(field.type.empty()) << field.name;
    EXPECT_TRUE(properties.find(field.name)) << field.name;
  }
}

TEST_P(EveryKindTest, RefusesAParameterItDoesNotKnow) {
  EXPECT_NE(complaint(GetParam(), R"({"no_such_parameter": 1})").find("unknown key `no_such_parameter`"),
            std::string::npos);
}

TEST_P(EveryKindTest, DocumentsTheKeysItMatchesByAndNoOthers) {
  std::vector<std::string> documented;
  for (const FieldInfo& field : match_fields(kind())) documented.push_back(field.name);
  EXPECT_EQ(documented, kind().matches_by);
  EXPECT_EQ(match_schema(kind()).find("properties")->members.size(), kind().matches_by.size());
  std::set<std::string> of_class;
  for (const FieldInfo& field : match_fields(kind().fault_class)) of_class.insert(field.name);
  for (const auto& key : kind().matches_by) EXPECT_TRUE(of_class.contains(key)) << key;
}

TEST_P(EveryKindTest, MakesTheDecisionOfItsClass) {
  ErrorList errors;
  const auto decision = kind().make(part("with"), errors);
  ASSERT_TRUE(decision);
  const auto* wire = std::get_if<std::shared_ptr<const WireFault>>(&*decision);
  EXPECT_EQ(wire == nullptr, kind().fault_class == FaultClass::process);
  if (!wire) return;
  const Scope scope = (*wire)->scope();
  if (kind().fault_class == FaultClass::call) {
    EXPECT_TRUE(scope == Scope::calls || scope == Scope::new_calls);
  } else {
    EXPECT_TRUE(scope == Scope::connections || scope == Scope::listener);
  }
}

TEST_P(EveryKindTest, GivesItsLengthItselfExactlyWhenItsLifetimeSaysSo) {
  EXPECT_EQ(kind().down != nullptr, kind().lifetime == Lifetime::down);
}

INSTANTIATE_TEST_SUITE_P(All, EveryKindTest, ::testing::ValuesIn(fault_kind_names()),
                         [](const auto& tested) { return tested.param; });

TEST(RegistryTest, KnowsEveryKindByItsOwnName) {
  std::set<std::string> names;
  for (const FaultKind& kind : fault_kinds()) {
    EXPECT_EQ(find_fault_kind(kind.name), &kind);
    names.insert(kind.name);
  }
  EXPECT_EQ(names.size(), fault_kinds().size());
  EXPECT_EQ(names,
            (std::set<std::string>{
                "latency",    "stall",           "blackhole",   "half_open",  "refuse",    "reset",
                "close",      "accept_hang",     "grpc_status", "grpc_delay", "grpc_hang", "lose_response",
                "rst_stream", "drop_connection", "signal",      "kill",       "pause",     "restart",
                "limit",      "starve_cpu",      "command"}));
  EXPECT_EQ(find_fault_kind("latncy"), nullptr);
}

TEST(NamesTest, AreDistinctAndReadBackAsThemselves) {
  for (const auto& [name, stage] : EnumNames<Stage>::names()) {
    Stage read = stage == Stage::headers ? Stage::response_end : Stage::headers;
    ErrorList errors;
    EXPECT_TRUE(Codec<Stage>::read(json::Value(name), read, errors));
    EXPECT_EQ(read, stage);
    EXPECT_EQ(Codec<Stage>::show(stage), name);
  }
  EXPECT_EQ(EnumNames<Stage>::names().size(), std::size(every_stage));
}

}  // namespace
}  // namespace breakwire::faults
