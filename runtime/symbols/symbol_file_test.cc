// Reads samples that CMake built (symbol_sample.cc), at addresses that they print of themselves.
#include "runtime/symbols/symbol_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "runtime/base/unique_fd.h"
#include "runtime/symbols/elf_image.h"
#include "runtime/symbols/symbol_sample.h"

namespace subito::symbols {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

SymbolFile open_or_die(const std::string& path) {
  auto file = SymbolFile::open(path);
  if (!file) throw std::runtime_error(file.error().message);
  return *std::move(file);
}

std::string words_at(const SymbolFile& file, std::uint64_t address, bool returns) {
  const auto place = file.find(address, returns);
  return place ? words(*place) : "nothing";
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

TEST(SymbolFileTest, CutsTheNameOfAFile) {
  const SymbolFile file = open_or_die(sample_path("long_file"));
  const auto place = file.find(run_sample("long_file").caller, true);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->file, std::string(kNameBytesMax - 3, 'n') + "...");
}

TEST(SymbolFileTest, ShowsAMangledNameThatWouldGrowWithoutBoundAsItIs) {
  for (const auto& [sample, name] : {std::pair("pairs", "_Z1fSt4pairIiiES_IS0_S0_ES_IS0_"),
                                     std::pair("templates", "_ZN1AcvT_IT_IT_IT_I")}) {
    const SymbolFile file = open_or_die(sample_path(sample));
    const auto place = file.find(run_sample(sample).inner, false);
    ASSERT_TRUE(place) << sample;
    EXPECT_THAT(place->function, StartsWith(name));
    EXPECT_LE(place->function.size(), kNameBytesMax);
  }
}

TEST(SymbolFileTest, RefusesDebugSectionsThatDoNotSayHowLargeTheyBecome) {
  const auto file = SymbolFile::open(sample_path("zdebug"));
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().message, HasSubstr("old compressed debug sections"));
}

TEST(SymbolFileTest, SaysWhichFileIsNone) {
  EXPECT_THAT(SymbolFile::open("/nonexistent").error().message,
              HasSubstr("read symbols of /nonexistent: No such file or directory"));
  const auto source = SymbolFile::open(SYMBOL_SAMPLE_SOURCE);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, ErrorCode::kInvalidArgument);
  EXPECT_FALSE(SymbolFile::open(SYMBOL_SAMPLES));
}

// A file of the test's own, gone with it.
class ImageTest : public testing::Test {
 protected:
  ImageTest() : path_(testing::TempDir() + "subito-symbols-XXXXXX") {
    EXPECT_GE(UniqueFd(::mkstemp(path_.data())).get(), 0);
  }
  ~ImageTest() override { std::filesystem::remove(path_); }

  Result<SymbolFile> opened(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
    return SymbolFile::open(path_);
  }

  std::string path_;
};

TEST_F(ImageTest, IsReadWhereItIsWhole) {
  const auto file = opened(elf_image());
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(words_at(*file, kImageInner, false), "inner(int) + 0x0 (image.cc:12)");
  EXPECT_EQ(words_at(*file, kImageInner + 0x21, true), "inner(int) + 0x21 (image.cc:13)");
  EXPECT_EQ(words_at(*file, kImageEnd, true), "outer(int) + 0x40 (image.cc:20)");
  EXPECT_EQ(words_at(*file, kImageEnd, false), "nothing");
}

TEST_F(ImageTest, BrokenAnywhereItIsSurvived) {
  const std::string whole = elf_image();
  std::uint64_t random = 20261125;  // the seed
  const auto next = [&random] {
    return (random = random * 6364136223846793005U + 1442695040888963407U) >> 33;
  };
  int opened_ones = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string broken = whole;
    for (std::uint64_t i = 0; i <= next() % 8; ++i) {
      broken[next() % broken.size()] = static_cast<char>(next());
    }
    if (round % 8 == 0) broken.resize(next() % whole.size());
    const auto file = opened(broken);
    if (!file) continue;
    ++opened_ones;
    for (std::uint64_t at = kImageInner; at <= kImageEnd; at += 8) file->find(at, true);
  }
  EXPECT_GT(opened_ones, 1000) << "or nothing behind the headers was read";
}

}  // namespace
}  // namespace subito::symbols
