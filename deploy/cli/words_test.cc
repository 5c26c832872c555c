#include "deploy/cli/words.h"

#include <gtest/gtest.h>

#include <sstream>

namespace subito::cli {
namespace {

TEST(Words, Ages) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  EXPECT_EQ(age_words(-kSecond), "0s");
  EXPECT_EQ(age_words(119 * kSecond), "119s");
  EXPECT_EQ(age_words(120 * kSecond), "2m");
  EXPECT_EQ(age_words(7200 * kSecond), "2h");
  EXPECT_EQ(age_words(2 * 86400 * kSecond), "2d");
}

TEST(Words, SizesAndTimesHaveTwoDigits) {
  EXPECT_EQ(size_words(1023), "1023 B");
  EXPECT_EQ(size_words(1024), "1.0 KiB");
  EXPECT_EQ(size_words(3040870), "2.9 MiB");
  EXPECT_EQ(size_words(134217728), "128 MiB");
  EXPECT_EQ(size_words((1ULL << 30) - 1), "1.0 GiB");
  EXPECT_EQ(time_words(223), "223 µs");
  EXPECT_EQ(time_words(999.7), "1.0 ms");
  EXPECT_EQ(time_words(1100), "1.1 ms");
  EXPECT_EQ(time_words(28000), "28 ms");
  EXPECT_EQ(time_words(1700000), "1.7 s");
}

TEST(Words, ControlCharactersAreShownNotSent) {
  EXPECT_EQ(printable("a\x1b[2Jb\tc\nd\x7f"), "a\\x1b[2Jb\tc\nd\\x7f");
  EXPECT_EQ(printable("µ"), "µ");
  EXPECT_EQ(printable("\xc2\x9b"
                      "2J\xc2\x80\xc2\x9f\xc2\xa0"),
            "\\xc2\\x9b2J\\xc2\\x80\\xc2\\x9f\xc2\xa0");
  EXPECT_EQ(printable("\x9b"
                      "2J"),
            "\\x9b2J")
      << "not UTF-8: a control of terminals with 8 bits";
  EXPECT_EQ(printable("\xe2\x82\xac\xf0\x9f\x98\x80"), "\xe2\x82\xac\xf0\x9f\x98\x80");
}

TEST(Words, OfACompilerKeepTheirColoursOnATerminalAlone) {
  const std::string said =
      "a.cc:1: \x1b[01;31m\x1b[Kerror\x1b[m\x1b[K\x1b[2J\x1b[\x1b]0;t\x07 \xc2\xb5\n";
  EXPECT_EQ(compiler_words(said, false), "a.cc:1: error\\x1b[2J\\x1b[\\x1b]0;t\\x07 \xc2\xb5\n");
  EXPECT_EQ(compiler_words(said, true),
            "a.cc:1: \x1b[01;31merror\x1b[m\\x1b[2J\\x1b[\\x1b]0;t\\x07 \xc2\xb5\n");
  EXPECT_EQ(compiler_words("\x1b[1", true), "\\x1b[1");
}

TEST(Table, CountsCharactersNotBytes) {
  Table table({"A", "B"});
  table.add({"µµµ", "1"});
  table.add({"x", "2"}, Colour::kRed, 1);
  std::ostringstream out;
  table.print(out, false);
  EXPECT_EQ(out.str(), "A    B\nµµµ  1\nx    2\n");
  std::ostringstream last;
  table.print_last(last, true);
  EXPECT_EQ(last.str(), "x    \x1b[31m2\x1b[0m\n");
}

TEST(Words, TextIsBrokenAtBlanks) {
  EXPECT_EQ(wrapped("a bb ccc", 6, "  "), "  a bb\n  ccc\n");
  EXPECT_EQ(wrapped("longerthanthat a", 5, ""), "longerthanthat\na\n");
  EXPECT_EQ(wrapped("", 5, "  "), "");
}

TEST(Words, ACommandInBackticksStaysOnOneLine) {
  EXPECT_EQ(wrapped("wake it: `a b c` or", 12, ""), "wake it:\n`a b c` or\n");
  EXPECT_EQ(wrapped("it is (`a b`), so", 9, ""), "it is\n(`a b`),\nso\n");
  EXPECT_EQ(wrapped("one ` alone", 5, ""), "one `\nalone\n");
}

}  // namespace
}  // namespace subito::cli
