#include "faults/edit_fields.h"

#include <gtest/gtest.h>

namespace breakwire::faults {
namespace {

const Metadata request{{":path", "/s/M"},    {"x-a", "1"}, {"authorization", "secret", true},
                       {"x-twice", "first"}, {"x-b", "2"}, {"x-twice", "second"}};

struct EditCase {
  std::string name;
  EditFields edit;
  Metadata becomes;
  friend void PrintTo(const EditCase& one, std::ostream* out) { *out << one.name; }
};
class EditFieldsTest : public ::testing::TestWithParam<EditCase> {};

TEST_P(EditFieldsTest, ChangesWhatIsNamedAndNothingElse) {
  Metadata fields = request;
  EXPECT_EQ(edit_fields(GetParam().edit, fields), GetParam().becomes != request);
  EXPECT_EQ(fields, GetParam().becomes);
}

const Field path{":path", "/s/M"}, a{"x-a", "1"}, secret{"authorization", "secret", true},
    first{"x-twice", "first"}, b{"x-b", "2"}, second{"x-twice", "second"};

INSTANTIATE_TEST_SUITE_P(
    All, EditFieldsTest,
    ::testing::Values(
        EditCase{"nothing", {}, request},
        EditCase{
            "remove_all_of_a_name", {.remove = {"x-twice"}, .set = {}, .rewrite = {}}, {path, a, secret, b}},
        EditCase{"remove_what_is_not_there", {.remove = {"x-c"}, .set = {}, .rewrite = {}}, request},
        EditCase{"set_a_new_one",
                 {.remove = {}, .set = {{"x-c", "3"}}, .rewrite = {}},
                 {path, a, secret, first, b, second, {"x-c", "3"}}},
        EditCase{"set_what_is_there_twice",
                 {.remove = {}, .set = {{"x-twice", "once"}}, .rewrite = {}},
                 {path, a, secret, {"x-twice", "once"}, b}},
        EditCase{"set_what_it_is", {.remove = {}, .set = {{"x-a", "1"}}, .rewrite = {}}, request},
        EditCase{"a_new_value_is_never_indexed_like_the_old_one",
                 {.remove = {}, .set = {{"authorization", "other"}}, .rewrite = {}},
                 {path, a, {"authorization", "other", true}, first, b, second}},
        EditCase{"rewrite_each",
                 {.remove = {}, .set = {}, .rewrite = {{"x-twice", "new"}}},
                 {path, a, secret, {"x-twice", "new"}, b, {"x-twice", "new"}}},
        EditCase{"rewrite_what_is_not_there", {.remove = {}, .set = {}, .rewrite = {{"x-c", "3"}}}, request},
        EditCase{"removal_comes_first",
                 {.remove = {"x-a"}, .set = {{"x-a", "9"}}, .rewrite = {}},
                 {path, secret, first, b, second, {"x-a", "9"}}},
        EditCase{"no_pseudo_field",
                 {.remove = {":path"}, .set = {{":path", "/"}, {":new", "1"}}, .rewrite = {{":path", "/"}}},
                 request}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace breakwire::faults
