#include "runtime/node/logs/exception_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/node/logs/stack_frames.h"

namespace subito::node {
namespace {

using Frames = std::vector<std::string>;

TEST(StackFramesTest, TellsTheFunctionsOwnFramesFromTheRoadToThem) {
  for (const char* frame :
       {"shop::add(int) + 0x1f (cart.cc:12)",
        "(anonymous namespace)::crash(subito::Request const&)",
        "subito::Response shop::handle<int>(subito::Request const&)", "0x401234", "add + 0x3",
        "std::vector<int> shop::carts() + 0x1", "shop::(anonymous namespace)::Cart::pay() + 0x2"})
    EXPECT_TRUE(is_own(frame)) << frame;
  for (const char* frame :
       {"abort + 0xd3", "__pthread_kill_implementation.constprop.0 + 0x10b",
        "main + 0x2fe (m.cc:9)", "subito::Router::operator()(subito::Request const&) const + 0x408",
        "std::terminate() + 0x7", "void std::__invoke_impl<void, int (*)()>(int) + 0x1",
        "__libc_start_call_main + 0x7a", "operator new(unsigned long) + 0x1", "_start + 0x25",
        "__cxa_throw + 0x1"})
    EXPECT_FALSE(is_own(frame)) << frame;
}

TEST(StackFramesTest, KnowsWhatIsTheWayOut) {
  EXPECT_TRUE(is_way_out("raise.constprop.0 + 0x12"));
  EXPECT_TRUE(is_way_out("std::terminate() + 0x1"));
  EXPECT_FALSE(is_way_out("abort_order(int) + 0x1"));
  EXPECT_EQ(place_in({"raise + 0x1", "abort + 0x1", "subito::serve() + 0x1", "shop::pay() + 0x9"}),
            "shop::pay() + 0x9");
  EXPECT_EQ(place_in({"abort + 0x1", "main + 0x1"}), "main + 0x1");
  EXPECT_EQ(place_in({"abort + 0x1"}), "");
}

TEST(StackFramesTest, AFingerprintIsTheSameAtAnotherPlaceOfTheCode) {
  const std::string here =
      fingerprint("SIGSEGV", {"abort + 0x1", "shop::pay(int) + 0x1f (cart.cc:12)", "main + 0x9"});
  EXPECT_EQ(here, "SIGSEGV\nshop::pay(int)");
  EXPECT_EQ(here, fingerprint("SIGSEGV", {"shop::pay(int) [clone .cold] + 0x2f"}));
  EXPECT_EQ(here, fingerprint("SIGSEGV", {"abort + 0x4", "shop::pay(int) + 0x2f", "main + 0x8"}));
  EXPECT_NE(here, fingerprint("SIGABRT", {"shop::pay(int) + 0x1f"}));
  EXPECT_NE(here, fingerprint("SIGSEGV", {"shop::pay(long) + 0x1f"}));
}

TEST(StackFramesTest, ARecursionIsOneFrameHoweverDeep) {
  const std::string once = fingerprint("SIGSEGV", {"dive(int) + 0x1", "shop::pay() + 0x1"});
  Frames deep(40, "dive(int) + 0x1");
  deep.push_back("shop::pay() + 0x1");
  EXPECT_EQ(fingerprint("SIGSEGV", deep), once);
}

TEST(StackFramesTest, OfAStackWithoutOwnFramesAllCount) {
  EXPECT_NE(fingerprint("SIGABRT", {"abort + 0x1", "main + 0x1"}),
            fingerprint("SIGABRT", {"abort + 0x1", "std::sort() + 0x1"}));
  EXPECT_EQ(fingerprint("exited with status 3", {}), "exited with status 3");
}

class ExceptionBookTest : public testing::Test {
 protected:
  void happens(const std::string& type, const std::string& trace, std::int64_t at = 1,
               const std::string& request = "r") {
    Incident one;
    one.function = "stock";
    one.type = type;
    one.message = type + " at " + std::to_string(at);
    one.trace = trace;
    one.unix_ns = at;
    one.request_id = request;
    book.add(std::move(one));
  }
  void named(const std::string& type, const std::string& trace, const Frames& frames) {
    book.name("stock", type, trace, frames);
  }
  std::vector<api::ExceptionView> rows() const { return book.views("stock"); }

  ExceptionBook book;
};

TEST_F(ExceptionBookTest, OfLongNamesOnlyTheBeginningIsKept) {
  const std::string name = "shop::pay<" + std::string(10'000, 'x') + ">()";
  happens("SIGSEGV", "b1 401234");
  named("SIGSEGV", "b1 401234", Frames(100, name));
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_EQ(rows()[0].place.size(), kExceptionFrameBytesMax);
  ASSERT_EQ(rows()[0].frames.size(), kExceptionFramesMax);
  EXPECT_EQ(rows()[0].frames[31].size(), kExceptionFrameBytesMax);
}

TEST_F(ExceptionBookTest, AThousandEqualCrashesAreOneRowThatSaysAThousand) {
  for (int i = 1; i <= 1000; ++i) {
    happens("SIGSEGV", "b1 401234", i, "r" + std::to_string(i));
    if (i % 7 == 0)
      named("SIGSEGV", "b1 401234", {"shop::pay() + 0x1"});  // the others came too fast
  }
  ASSERT_EQ(rows().size(), 1U);
  const api::ExceptionView row = rows()[0];
  EXPECT_EQ(row.count, 1000U);
  EXPECT_EQ(row.first_unix_ns, 1);
  EXPECT_EQ(row.last_unix_ns, 1000);
  EXPECT_EQ(row.request_id, "r1000");
  EXPECT_EQ(row.message, "SIGSEGV at 1000");
  EXPECT_EQ(row.place, "shop::pay() + 0x1");
  EXPECT_EQ(row.type, "SIGSEGV");
  EXPECT_EQ(book.seen("stock"), 1000U);
}

TEST_F(ExceptionBookTest, ARebuildOfTheSameCodeSplitsNoGroup) {
  happens("SIGSEGV", "b1 401234", 1);
  named("SIGSEGV", "b1 401234", {"shop::pay() + 0x1 (cart.cc:1)"});
  happens("SIGSEGV", "b2 500000", 2);
  EXPECT_EQ(rows().size(), 2U) << "it has no name yet";
  named("SIGSEGV", "b2 500000", {"shop::pay() + 0x7 (cart.cc:2)"});
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_EQ(rows()[0].count, 2U);
  EXPECT_EQ(rows()[0].first_unix_ns, 1);
  EXPECT_EQ(rows()[0].place, "shop::pay() + 0x7 (cart.cc:2)") << "the example is the last one";
  happens("SIGSEGV", "b1 401234", 3);
  happens("SIGSEGV", "b2 500000", 4);
  EXPECT_EQ(rows().size(), 1U);
  EXPECT_EQ(rows()[0].count, 4U);
}

TEST_F(ExceptionBookTest, OtherTypesAndOtherPlacesAreOtherGroups) {
  happens("SIGSEGV", "a");
  named("SIGSEGV", "a", {"shop::pay() + 0x1"});
  happens("SIGSEGV", "b");
  named("SIGSEGV", "b", {"shop::ship() + 0x1"});
  happens("SIGABRT", "a");
  named("SIGABRT", "a", {"shop::pay() + 0x1"});
  happens("exited with status 3", "");
  EXPECT_EQ(rows().size(), 4U);
  EXPECT_EQ(rows()[0].type, "exited with status 3") << "the one seen last comes first";
  EXPECT_EQ(rows()[0].place, "");
}

TEST_F(ExceptionBookTest, TheGroupThatWasNotSeenForTheLongestGoes) {
  for (std::size_t i = 0; i < kExceptionGroupsMax; ++i) happens("T" + std::to_string(i), "x");
  happens("T0", "x");
  happens("new", "x");
  EXPECT_EQ(rows().size(), kExceptionGroupsMax);
  EXPECT_EQ(rows()[0].type, "new");
  EXPECT_EQ(rows()[1].type, "T0");
  EXPECT_EQ(rows()[1].count, 2U);
  happens("T1", "x");
  EXPECT_EQ(rows()[0].count, 1U) << "it had gone";
  EXPECT_EQ(book.seen("stock"), kExceptionGroupsMax + 3);
}

TEST_F(ExceptionBookTest, KnowsItsAddressesInABoundedNumberOfBuilds) {
  for (int i = 0; i < 100; ++i) {
    happens("SIGSEGV", std::to_string(i));
    named("SIGSEGV", std::to_string(i), {"shop::pay() + 0x1"});
  }
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_EQ(rows()[0].count, 100U);
}

TEST_F(ExceptionBookTest, CutsWhatIsTooLongAndForgetsWhomItIsTold) {
  happens(std::string(5000, 't'), "x");
  named(std::string(5000, 't'), "x", Frames(100, "f() + 0x1"));
  EXPECT_EQ(rows().at(0).type.size(), kExceptionTextBytesMax);
  EXPECT_EQ(rows()[0].frames.size(), kExceptionFramesMax);
  EXPECT_EQ(book.groups("stock"), 1U);
  book.forget("stock");
  EXPECT_TRUE(rows().empty());
  EXPECT_EQ(book.seen("stock"), 0U);
  named("SIGSEGV", "x", {"late() + 0x1"});
}

TEST_F(ExceptionBookTest, ShowsThoseOfAllFunctions) {
  happens("SIGSEGV", "x");
  Incident other;
  other.function = "cart";
  other.type = "SIGABRT";
  book.add(other);
  ASSERT_EQ(book.views("").size(), 2U);
  EXPECT_EQ(book.views("")[0].function, "cart");
}

}  // namespace
}  // namespace subito::node
