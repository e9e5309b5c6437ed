// Bytes on their way out, some of which lie where they were read.
#include "faults/http2/output.h"

#include <gtest/gtest.h>

namespace breakwire::http2::testing {
namespace {

std::string joined(const Gathered& gathered) {
  std::string all;
  for (size_t piece = 0; piece < gathered.pieces(); ++piece) all += gathered.piece(piece);
  return all;
}

TEST(GatheredTest, PiecesComeInOrderOfOwnAndBorrowed) {
  const std::string lent = "BCEF";
  const std::string_view view = lent;
  Gathered gathered;
  gathered.own() += "a";
  gathered.borrow(view.substr(0, 1));
  gathered.borrow(view.substr(1, 1));
  gathered.own() += "d";
  gathered.own() += "-";
  gathered.borrow(view.substr(2));
  gathered.own() += "g";
  EXPECT_EQ(joined(gathered), "aBCd-EFg");
  EXPECT_EQ(gathered.size(), 8u);
  EXPECT_FALSE(gathered.empty());
}

TEST(GatheredTest, BorrowedIsNotCopied) {
  const std::string lent = "lent";
  Gathered gathered;
  gathered.own() += "own";
  gathered.borrow(lent);
  ASSERT_EQ(gathered.pieces(), 3u);
  EXPECT_EQ(gathered.piece(0), "own");
  EXPECT_EQ(gathered.piece(1).data(), lent.data());
  EXPECT_EQ(gathered.piece(1).size(), lent.size());
  EXPECT_EQ(gathered.piece(2), "");
}

TEST(GatheredTest, ABorrowedPieceMayBeFirstAndLast) {
  const std::string first = "first", last = "last";
  Gathered gathered;
  gathered.borrow(first);
  gathered.own() += "|";
  gathered.borrow(last);
  EXPECT_EQ(joined(gathered), "first|last");
  EXPECT_EQ(gathered.size(), 10u);

  Gathered only;
  only.borrow(first);
  EXPECT_EQ(joined(only), "first");
  EXPECT_EQ(only.size(), 5u);
  EXPECT_FALSE(only.empty());
}

TEST(GatheredTest, IsEmptyWithoutBytes) {
  Gathered gathered;
  EXPECT_TRUE(gathered.empty());
  EXPECT_EQ(gathered.size(), 0u);
  EXPECT_EQ(joined(gathered), "");
  EXPECT_EQ(gathered.flat(), "");
  gathered.borrow("");
  EXPECT_TRUE(gathered.empty());
  EXPECT_EQ(joined(gathered), "");
  gathered.keep();
  EXPECT_TRUE(gathered.empty());
}

TEST(GatheredTest, FlatIsEverythingInOnePiece) {
  const std::string lent = "lent";
  Gathered gathered;
  gathered.own() += "<";
  gathered.borrow(lent);
  gathered.own() += ">";
  EXPECT_EQ(gathered.flat(), "<lent>");
  EXPECT_EQ(gathered.flat(), "<lent>") << "it is still there";
  EXPECT_EQ(std::move(gathered).flat(), "<lent>");

  Gathered own;
  own.own() += "own";
  EXPECT_EQ(own.flat(), "own");
  EXPECT_EQ(std::move(own).flat(), "own");
}

TEST(GatheredTest, WhatIsKeptDoesNotChangeWithWhatWasLent) {
  std::string lent = "lent";
  Gathered gathered;
  gathered.own() += "<";
  gathered.borrow(lent);
  gathered.own() += ">";
  gathered.keep();
  lent = "gone";
  EXPECT_EQ(gathered.flat(), "<lent>");
  EXPECT_EQ(gathered.size(), 6u);

  // It goes on from there.
  gathered.own() += "+";
  gathered.borrow(lent);
  EXPECT_EQ(gathered.flat(), "<lent>+gone");
  EXPECT_EQ(gathered.size(), 11u);
}

TEST(OutputTest, TakingLeavesNothingAndThePositionGoesOn) {
  const std::string lent = "lent";
  Output output;
  EXPECT_TRUE(output.empty());
  output.bytes() += "own";
  output.control_frame();
  output.borrow(lent);
  EXPECT_EQ(output.end(), 7u);
  EXPECT_EQ(output.backlog(), 7u);
  EXPECT_EQ(output.control_backlog(), 1u);
  EXPECT_FALSE(output.empty());

  EXPECT_EQ(output.take().flat(), "ownlent");
  EXPECT_TRUE(output.empty());
  EXPECT_EQ(output.end(), 7u);
  EXPECT_EQ(output.backlog(), 0u);
  EXPECT_EQ(output.control_backlog(), 0u);
  EXPECT_TRUE(output.take().empty());

  output.bytes() += "more";
  EXPECT_EQ(output.end(), 11u);
  EXPECT_EQ(output.take().flat(), "more") << "nothing of what was taken";
}

TEST(OutputTest, WhatIsKeptIsTakenAsItWas) {
  std::string lent = "lent";
  Output output;
  output.bytes() += "own";
  output.borrow(lent);
  output.keep();
  lent = "gone";
  EXPECT_EQ(output.end(), 7u);
  EXPECT_EQ(output.take().flat(), "ownlent");
  EXPECT_EQ(output.end(), 7u);
}

}  // namespace
}  // namespace breakwire::http2::testing
