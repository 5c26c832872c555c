// The content of images in small: a few words, of which some mean a place in the kernel's areas.
#include "runtime/sdk/image_kernel_areas.h"

#include <gtest/gtest.h>

#include <vector>

namespace subito::sdk {
namespace {

using protocol::ImageKernelArea;

// [vvar] and [vdso], as the process has them.
constexpr ImageKernelArea kVvar = {0x7fff'0000'0000, 0x7fff'0000'4000};
constexpr ImageKernelArea kVdso = {0x7fff'0000'4000, 0x7fff'0000'6000};

class ImageKernelAreas : public testing::Test {
 protected:
  ImageKernelAreas() {
    header_.kernel_area_count = 2;
    header_.kernel_areas[0] = kVvar;
    header_.kernel_areas[1] = kVdso;
    header_.area_count = 1;
    header_.areas[0] = {0x40'0000, 0x41'0000, 0, 0, {}};
  }
  static std::vector<ImageKernelArea> moved_by(std::uint64_t distance) {
    return {{kVvar.begin + distance, kVvar.end + distance},
            {kVdso.begin + distance, kVdso.end + distance}};
  }
  std::vector<std::uint64_t> words_after(std::uint64_t distance, std::vector<std::uint64_t> words) {
    const auto wanted = moved_by(distance);
    EXPECT_TRUE(can_move_kernel_areas(header_, wanted));
    move_kernel_areas(header_, wanted, words);
    return words;
  }

  protocol::ImageHeader header_;
};

TEST_F(ImageKernelAreas, WordsThatMeanAPlaceInThemMeanItWhereTheyAreWanted) {
  constexpr std::uint64_t kUp = 0x1234'5000;
  using Words = std::vector<std::uint64_t>;
  EXPECT_EQ(words_after(kUp, {kVdso.begin + 0xc50, kVvar.begin, kVdso.end - 1, 7}),
            (Words{kVdso.begin + kUp + 0xc50, kVvar.begin + kUp, kVdso.end + kUp - 1, 7}));
  EXPECT_EQ(header_.kernel_areas[1].begin, kVdso.begin + kUp);
  EXPECT_EQ(header_.kernel_areas[0].end, kVvar.end + kUp);
}

TEST_F(ImageKernelAreas, WordsBesideThemStay) {
  using Words = std::vector<std::uint64_t>;
  const Words beside = {0, kVvar.begin - 1, kVdso.end, ~std::uint64_t{0}};
  EXPECT_EQ(words_after(0x1000'0000, beside), beside);
}

TEST_F(ImageKernelAreas, WordsInAGapBetweenThemStay) {
  header_.kernel_areas[1] = {kVdso.begin + 0x1000, kVdso.end + 0x1000};
  auto wanted = moved_by(0x1000'0000);
  wanted[1] = {wanted[1].begin + 0x1000, wanted[1].end + 0x1000};
  ASSERT_TRUE(can_move_kernel_areas(header_, wanted));
  std::vector<std::uint64_t> words = {kVdso.begin + 8};
  move_kernel_areas(header_, wanted, words);
  EXPECT_EQ(words[0], kVdso.begin + 8);
}

// From one to where the next was: a word is moved once.
TEST_F(ImageKernelAreas, ThoseThatOverlapTheirOldPlaceAreMovedOnceAndDown) {
  using Words = std::vector<std::uint64_t>;
  const std::uint64_t size = kVvar.end - kVvar.begin;
  EXPECT_EQ(words_after(size, {kVvar.begin + 16}), Words{kVvar.begin + size + 16});
  header_.kernel_areas[0] = kVvar;
  header_.kernel_areas[1] = kVdso;
  EXPECT_EQ(words_after(-size, {kVdso.begin + 16}), Words{kVdso.begin - size + 16});
}

TEST_F(ImageKernelAreas, TheyStayWhereTheImageHasMemoryWhereTheyAreWanted) {
  const auto at_its_end = [&](std::uint64_t end) { return moved_by(end - kVvar.begin); };
  EXPECT_TRUE(can_move_kernel_areas(header_, at_its_end(header_.areas[0].end)));
  EXPECT_FALSE(can_move_kernel_areas(header_, at_its_end(header_.areas[0].end - 0x1000)));
  EXPECT_FALSE(can_move_kernel_areas(header_, at_its_end(header_.areas[0].begin - 0x1000)));
}

TEST_F(ImageKernelAreas, TheyStayWhereItWasNotToldOrIsOfAnotherKernel) {
  EXPECT_FALSE(can_move_kernel_areas(header_, {}));
  auto larger = moved_by(0x1000);
  larger[1].end += 0x1000;
  EXPECT_FALSE(can_move_kernel_areas(header_, larger));
  auto apart = moved_by(0x1000);
  apart[1] = {apart[1].begin + 0x1000, apart[1].end + 0x1000};
  EXPECT_FALSE(can_move_kernel_areas(header_, apart));
  header_.kernel_area_count = 0;
  EXPECT_FALSE(can_move_kernel_areas(header_, {}));
}

}  // namespace
}  // namespace subito::sdk
