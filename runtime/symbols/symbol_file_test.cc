// Reads samples that CMake built (symbol_sample.cc), at addresses that they print of themselves.
#include "runtime/symbols/symbol_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "runtime/symbols/symbol_sample.h"

namespace subito::symbols {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

SymbolFile open_or_die(const std::string& path) {
  auto file = SymbolFile::open(path);
  if (!file) throw std::runtime_error(file.error().message);
  return *std::move(file);
}

std::string words_at(const SymbolFile& file, std::uint64_t address, bool returns) {
  const auto place = file.find(address, returns);
  return place ? words(*place) : "nothing";
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

int line_of_the_call() {
  std::ifstream source(SYMBOL_SAMPLE_SOURCE);
  int number = 0;
  for (std::string line; std::getline(source, line);) {
    ++number;
    if (line.find("the line that the test looks for") != std::string::npos) return number;
  }
  return -1;
}

class LinesTest : public testing::TestWithParam<const char*> {};

TEST_P(LinesTest, NamesFunctionFileAndLineOfACall) {
  const SymbolFile file = open_or_die(sample_path(GetParam()));
  EXPECT_FALSE(file.stripped());
  EXPECT_THAT(words_at(file, run_sample(GetParam()).caller, true),
              MatchesRegex("sample::outer\\(int\\) \\+ 0x[0-9a-f]+ \\(symbol_sample\\.cc:" +
                           std::to_string(line_of_the_call()) + "\\)"));
}

INSTANTIATE_TEST_SUITE_P(Builds, LinesTest, testing::Values("lines", "compressed", "unindexed"),
                         [](const auto& build) { return std::string(build.param); });

TEST(SymbolFileTest, TakesAReturnAddressForTheCallBeforeIt) {
  const SymbolFile file = open_or_die(sample_path("functions"));
  const std::uint64_t inner = run_sample("functions").inner;
  EXPECT_EQ(words_at(file, inner, false), "sample::inner(int) + 0x0");
  EXPECT_EQ(words_at(file, inner + 1, true), "sample::inner(int) + 0x1");
  EXPECT_THAT(words_at(file, inner, true), Not(HasSubstr("sample::inner")))
      << "a function that does not return ends with its call";
}

TEST(SymbolFileTest, NamesTheFunctionAloneWithoutDebugInformation) {
  const SymbolFile file = open_or_die(sample_path("functions"));
  EXPECT_THAT(words_at(file, run_sample("functions").caller, true),
              MatchesRegex("sample::outer\\(int\\) \\+ 0x[0-9a-f]+"));
}

TEST(SymbolFileTest, KnowsNothingOfAStrippedBinaryButItsBuildId) {
  const SymbolFile file = open_or_die(sample_path("stripped"));
  EXPECT_TRUE(file.stripped());
  EXPECT_THAT(file.build_id(), MatchesRegex("[0-9a-f]{40}"));
  EXPECT_EQ(words_at(file, run_sample("stripped").caller, true), "nothing");
}

TEST(SymbolFileTest, KnowsNothingOfAddressesOutside) {
  const SymbolFile file = open_or_die(sample_path("lines"));
  for (const std::uint64_t address : {0UL, 1UL, 0x10UL, 0x7fff12345678UL, ~0UL}) {
    EXPECT_EQ(words_at(file, address, false), "nothing") << address;
    EXPECT_EQ(words_at(file, address, true), "nothing") << address;
  }
}

TEST(SymbolFileTest, PutsAPlaceIntoWords) {
  EXPECT_EQ(words({"main", 31, "", 0, "", 0}), "main + 0x1f");
  EXPECT_EQ(words({"main", 31, "hello.cc", 12, "", 0}), "main + 0x1f (hello.cc:12)");
  EXPECT_EQ(words({"main", 31, "hello.cc", 12, "vector.h", 90}),
            "main + 0x1f (hello.cc:12, inlined from vector.h:90)");
}

TEST(SymbolFileTest, SaysWhichFileIsNone) {
  EXPECT_THAT(SymbolFile::open("/nonexistent").error().message,
              HasSubstr("read symbols of /nonexistent: No such file or directory"));
  const auto source = SymbolFile::open(SYMBOL_SAMPLE_SOURCE);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, ErrorCode::kInvalidArgument);
  EXPECT_FALSE(SymbolFile::open(SYMBOL_SAMPLES));
}

// Every byte that matters lies in headers, symbols and DWARF: whatever they hold, it answers.
TEST(SymbolFileTest, SurvivesBrokenFiles) {
  const std::string whole = read(sample_path("lines"));
  const SampleAddresses printed = run_sample("lines");
  std::string path = testing::TempDir() + "subito-symbols-XXXXXX";
  ASSERT_GE(::close(::mkstemp(path.data())), 0);
  std::uint64_t random = 20261125;  // the seed
  const auto next = [&random] {
    return random = random * 6364136223846793005U + 1442695040888963407U;
  };
  for (int round = 0; round < 60; ++round) {
    std::string broken = whole;
    if (round % 3 == 0) broken.resize(next() % whole.size());
    for (int i = 0; i < 200 && !broken.empty(); ++i) {
      // Half of them in the last eighth, where symbols and DWARF are, and the section headers.
      const std::size_t tail = i % 2 == 0 ? broken.size() : broken.size() / 8 + 1;
      broken[broken.size() - 1 - (next() >> 20) % tail] = static_cast<char>(next() >> 40);
    }
    if (round % 3 == 1) broken.replace(0, 64, whole, 0, 64);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << broken;
    if (const auto file = SymbolFile::open(path)) {
      for (std::uint64_t step = 0; step < 64; ++step) file->find(printed.inner + step * 4, true);
    }
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace subito::symbols
